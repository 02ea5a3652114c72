import Foundation
import Networks
import Support
import Transfer

/// The content of `widths.json`: channel counts by width group, and where they come from.
///
/// A hand-written file needs `network` and `widths` alone.
public struct WidthsFile: Codable, Sendable, Equatable {
  /// The network that the widths belong to, for example `resnet20`.
  public var network: String
  /// The search that found them: `dmcp`, `uniform`, …
  public var algorithm: String?
  /// Multiply-accumulates of one forward pass at these widths.
  public var macs: Int?
  /// The budget that the search had.
  public var targetMacs: Int?
  /// The budget that the search had, where it was one of parameters.
  public var targetParameters: Int?
  /// The budget that the search had in seconds, where it was one of time.
  public var targetLatency: Double?
  /// Learnable parameters at these widths.
  public var parameters: Int?
  /// Seconds that one image is predicted to take at these widths, where there was a table of latencies.
  public var latency: Double?
  /// Channels by width group.
  public var widths: Widths
  /// Widths relative to the network's own, or to what ``relativeTo`` says.
  public var multipliers: PerGroup<Double>?
  /// What ``multipliers`` are relative to, where it is not the network's own widths.
  public var relativeTo: Reference?
  /// Groups that kept the network's own width, each with the reason.
  public var fixed: PerGroup<String>?
  /// How network and data were shrunk for the search.
  public var projection: Projection?
  /// What the search cost.
  public var overhead: OverheadRecord?
  /// The search's way to the result.
  public var history: [HistoryPoint]?
  /// What else speaks for the result.
  public var evidence: Evidence?

  /// What multipliers are relative to.
  public enum Reference: String, Codable, Sendable {
    /// The widths of the trained network that was streamlined, merged or adapted, which may have had others than its own.
    case trained
  }

  /// What a search cost, beside what a direct search would cost.
  public struct OverheadRecord: Codable, Sendable, Equatable {
    /// Multiply-accumulates that the search spent (forward and backward).
    public var flops: Double
    /// Seconds that it took.
    public var seconds: Double
    /// Multiply-accumulates that the same search would spend on the unprojected network and data.
    public var directFlops: Double
    /// `directFlops` over `flops`.
    public var reduction: Double
    /// The reduction by the formula of the paper, rounding and unscaled layers left aside.
    public var nominalReduction: Double?
    /// Seconds that it was predicted to take, where `--project auto` chose the projection.
    public var predictedSeconds: Double?

    /// Creates the record.
    public init(
      flops: Double, seconds: Double, directFlops: Double, reduction: Double, nominalReduction: Double? = nil
    ) {
      self.flops = flops
      self.seconds = seconds
      self.directFlops = directFlops
      self.reduction = reduction
      self.nominalReduction = nominalReduction
    }
  }

  /// What speaks for a result beside its history, in the method's own terms.
  public struct Evidence: Codable, Sendable, Equatable {
    /// Numbers by name.
    public var values: [String: Double]
    /// Networks that were drawn, as channels by group of the searched network.
    public var samples: [[String: Int]]?

    /// Creates the record.
    public init(values: [String: Double], samples: [[String: Int]]? = nil) {
      self.values = values
      self.samples = samples
    }
  }

  /// One moment of a search.
  public struct HistoryPoint: Codable, Sendable, Equatable {
    /// The search step.
    public var step: Int
    /// (Expected) cost of the widths at that step.
    public var macs: Double
    /// (Expected) widths at that step.
    public var widths: [String: Double]

    /// Creates the record.
    public init(step: Int, macs: Double, widths: [String: Double]) {
      self.step = step
      self.macs = macs
      self.widths = widths
    }
  }

  /// Creates the content of a widths file.
  public init(
    network: String, algorithm: String? = nil, macs: Int? = nil, targetMacs: Int? = nil, parameters: Int? = nil,
    widths: Widths, multipliers: PerGroup<Double>? = nil, relativeTo: Reference? = nil,
    projection: Projection? = nil, overhead: OverheadRecord? = nil, history: [HistoryPoint]? = nil
  ) {
    self.network = network
    self.algorithm = algorithm
    self.macs = macs
    self.targetMacs = targetMacs
    self.parameters = parameters
    self.widths = widths
    self.multipliers = multipliers
    self.relativeTo = relativeTo
    self.projection = projection
    self.overhead = overhead
    self.history = history
  }
}

extension WidthsFile {
  /// Reads a widths file.
  ///
  /// - Throws: ``Support/FileFailure``: `missing` when there is no such file, `badData` when it is not a widths file.
  public init(path: String) throws {
    self = try JSONFile.read(
      Document.self, path: path,
      expecting: "a widths file holds at least {\"network\": NAME, \"widths\": {GROUP: CHANNELS}}"
    ).file
  }

  // People may write a note. A misspelt key would be a setting that is silently not there.
  private struct Document: Decodable {
    var file: WidthsFile

    init(from decoder: any Decoder) throws {
      let known =
        Mirror(reflecting: WidthsFile(network: "", widths: Widths([:]))).children.compactMap(\.label) + ["note"]
      try decoder.refuseKeys(besides: known, of: "a widths file")
      file = try WidthsFile(from: decoder)
    }
  }

  /// Writes the file atomically.
  public func write(to path: String) throws { try JSONFile.write(self, to: path) }
}
