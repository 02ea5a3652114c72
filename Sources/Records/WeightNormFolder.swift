import Diagnosis
import Foundation
import Networks
import Support

/// The folder `weight-norms` of a training: how the norms of its channels went.
///
/// `series.jsonl` has a line for each epoch, group and mode, `network.json` the network, and `epoch-N.safetensors` the norm of every
/// channel at single epochs.
public struct WeightNormFolder: Sendable, Hashable {
  /// The folder.
  public let path: String

  /// Names a folder without touching the disk.
  public init(path: String) { self.path = path }

  /// One number a line.
  public var series: String { file("series.jsonl") }
  /// The network that was trained.
  public var network: String { file("network.json") }
  /// Every channel's norms after so many epochs.
  public func snapshot(epoch: Int) -> String { file("epoch-\(epoch).safetensors") }

  private func file(_ name: String) -> String { (path as NSString).appendingPathComponent(name) }

  /// Whether the folder holds a series.
  public var exists: Bool { FileManager.default.fileExists(atPath: series) }

  /// The epochs that have a snapshot, in order.
  public var snapshotEpochs: [Int] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).compactMap { name in
      guard name.hasPrefix("epoch-"), name.hasSuffix(".safetensors") else { return nil }
      return Int(name.dropFirst("epoch-".count).dropLast(".safetensors".count))
    }.sorted()
  }

  /// Whether a file of that name is one that trainings write here.
  static func isOwn(_ name: String) -> Bool {
    isOfSigns(name) || ["series.jsonl", "network.json", gradientsName].contains(name)
      || name.hasPrefix("epoch-") && name.hasSuffix(".safetensors")
  }

  // MARK: - The series

  /// Begins a series, or goes on with the one that is there: samples after `epoch` belong to steps that will be made again.
  ///
  /// - Parameter epoch: The epochs that are behind; nil begins anew.
  /// - Throws: ``Support/FileFailure`` when the folder cannot be written.
  public func prepare(for network: ResolvedNetwork, after epoch: Int?) throws {
    try AtomicFile.createFolder(path)
    try describe(network)
    let kept = epoch.map { last in (try? samples())?.filter { $0.epoch <= last } ?? [] } ?? []
    try AtomicFile.write(try Self.text(kept), to: series)
  }

  /// Notes the network, which is another one where its widths have changed under way.
  ///
  /// - Throws: ``Support/FileFailure`` when the file cannot be written.
  public func describe(_ network: ResolvedNetwork) throws {
    guard (try? Network(path: self.network)) != network.network else { return }
    try JSONFile.write(network.network, to: self.network)
  }

  /// Appends samples, and makes sure that they are on the disk.
  ///
  /// - Throws: ``Support/FileFailure`` of kind `io` when they cannot be written.
  public func append(_ samples: [NormSample]) throws {
    do {
      guard let handle = FileHandle(forUpdatingAtPath: series) else {
        throw FileFailure(.cannotCreate, path: series, reason: "cannot be opened for writing (\(errorText(errno)))")
      }
      defer { try? handle.close() }
      try handle.seekToEnd()
      try handle.write(contentsOf: try Self.text(samples))
      try handle.synchronize()
    } catch let failure as FileFailure {
      throw failure
    } catch {
      throw FileFailure(
        .io, path: series,
        reason: "writing failed (\(error.localizedDescription)); free some space, then run the same command again")
    }
  }

  private static func text(_ samples: [NormSample]) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try samples.reduce(into: Data()) { data, sample in
      data += try encoder.encode(sample)
      data.append(0x0A)
    }
  }

  /// Reads all samples; a last line that a killed process left unfinished is passed over.
  ///
  /// - Throws: ``Support/FileFailure``: `missing` when there is no series, `badData` with the line that is none.
  public func samples() throws -> [NormSample] {
    guard let data = FileManager.default.contents(atPath: series) else {
      throw FileFailure(
        .missing, path: series,
        reason: "there is no such file; `train --track weight-norms` writes it")
    }
    let decoder = JSONDecoder()
    let lines = data.split(separator: 0x0A, omittingEmptySubsequences: false)
    return try lines.enumerated().compactMap { number, line in
      if line.isEmpty { return nil }
      do { return try decoder.decode(NormSample.self, from: line) } catch {
        // Without its end, the last line is the half that a killed process left.
        if number == lines.count - 1 { return nil }
        throw FileFailure(.badData, path: series, reason: "line \(number + 1) is no sample of weight norms")
      }
    }
  }
}
