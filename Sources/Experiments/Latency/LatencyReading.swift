import Networks
import Records
import Support

/// How a run tells the time of its networks: predicted by a table, and measured where the table's machine is this one.
public struct LatencyReading {
  /// What predicts.
  public var table: LatencyTable
  /// Starts what measures; nil measures nothing.
  public var clock: (() throws -> any LatencyClock)?
  /// Told in words when measuring fails: a run whose networks are trained does not fail for that.
  public var failed: (String) -> Void

  /// Describes how.
  public init(
    _ table: LatencyTable, clock: (() throws -> any LatencyClock)? = nil, failed: @escaping (String) -> Void = { _ in }
  ) {
    self.table = table
    self.clock = clock
    self.failed = failed
  }

  /// By what the times are told: `onnxruntime 1.22.0, 1 thread, …`.
  var source: String { "\(table.runtime), \(Format.number(table.threads, "thread")), \(table.device)" }

  /// The times of several networks, measured one after the other in several turns.
  ///
  /// - Throws: `Interrupted` when it is stopped.
  public func times(of networks: [ResolvedNetwork]) throws -> [LatencyRecord] {
    var records = networks.map { LatencyRecord(predicted: table.seconds(of: $0)) }
    guard let clock else { return records }
    do {
      let clock = try clock()
      var least = [Double](repeating: .infinity, count: networks.count)
      for _ in 0..<LatencyMeasurement.passes {
        for (index, network) in networks.enumerated() {
          least[index] = min(least[index], try clock.seconds(of: network))
        }
      }
      for index in records.indices { records[index].measured = least[index] }
    } catch let interruption as Interrupted {
      throw interruption
    } catch {
      failed("the networks' latency is predicted and not measured: \((error as? any Failure)?.message ?? "\(error)")")
    }
    return records
  }
}
