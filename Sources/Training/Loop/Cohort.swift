import Foundation
import Loading
import Support
import Torch

/// The processes that train or search together; one where there is no launcher.
///
/// Each takes its share of every batch (``share``); gradients are averaged before every step, so that all hold the same weights to the
/// bit; every decision that could fall differently falls once, for all; and one of them, the ``isWriter``, keeps files and tells.
/// As in PyTorch's `DistributedDataParallel`, batch normalization sees the process's own samples and the writer's running statistics are
/// those that count, unless ``synchronizesNorms``.
public final class Cohort {
  /// The part of every batch that this process takes.
  public let share: BatchShare
  /// Whether batch normalization takes the statistics of all processes' samples.
  public let synchronizesNorms: Bool
  /// Whether gradients are sent while the rest of them is still computed, where a step has one backward pass.
  public let overlaps: Bool
  /// Whether the weights are still those that the step began with.
  var isBeforeUpdate = false
  private let group: ProcessGroup?
  private let signal: () -> Int32?
  // What the last step agreed on.
  private var agreed: Int32?

  private static let signals: [Int32] = [SIGHUP, SIGINT, SIGTERM]

  private static func strongest(_ counts: ArraySlice<Double>) -> Int32? {
    zip(signals, counts).filter { $0.1 > 0 }.last?.0
  }

  /// This process alone.
  public static var single: Cohort { Cohort(nil) }

  /// Describes a cohort.
  ///
  /// - Parameters:
  ///   - group: The processes; nil for this one alone.
  ///   - synchronizesNorms: Whether batch normalization takes the statistics of all processes' samples.
  ///   - overlaps: Whether gradients are sent while the rest of them is still computed.
  ///   - signal: The signal that this process has received.
  public init(
    _ group: ProcessGroup?, synchronizesNorms: Bool = false, overlaps: Bool = true,
    signal: @escaping () -> Int32? = { Interruption.signal }
  ) {
    self.group = group
    self.synchronizesNorms = synchronizesNorms && group != nil
    self.overlaps = overlaps
    self.signal = signal
    share = BatchShare(rank: group?.rank ?? 0, size: group?.size ?? 1)
  }

  /// How many processes there are.
  public var size: Int { share.size }
  /// Whether this is the only process.
  public var isSingle: Bool { group == nil }
  /// Whether this process writes checkpoints, results and events.
  public var isWriter: Bool { share.rank == 0 }

  // MARK: - A step

  /// Options for a pass over this process's share of a batch: what is drawn, and with synchronized normalization what is computed, does
  /// not depend on how many processes there are.
  public func options(_ options: ForwardOptions, for batch: Batch) -> ForwardOptions {
    guard !isSingle else { return options }
    var options = options
    options.place = batch.place
    if synchronizesNorms { options.synchronizer = group }
    return options
  }

  /// What this process's mean over its share of a full batch counts for in the mean over all processes.
  public func weight(batchSize: Int) -> Double {
    isSingle ? 1 : Double(share.range(of: batchSize).count * size) / Double(batchSize)
  }

  /// Makes the gradients of parameters those of the whole batch.
  public func average(gradientsOf parameters: [Tensor]) throws { try group?.averageGradients(of: parameters) }

  /// A loss that counts for its share of a full batch in the mean over all processes.
  public func weighted(_ loss: Tensor, batchSize: Int) throws -> Tensor {
    let weight = weight(batchSize: batchSize)
    return weight == 1 ? loss : try loss * weight
  }

  /// Gradients of the whole batch from those of this process's share, of a weighted loss.
  public func mean(gradients: Tensor) throws -> Tensor {
    guard let group else { return gradients }
    try group.sum([gradients])
    return try gradients * (1 / Double(size))
  }

  /// Does what may speak with other processes on its way, and names their loss as such.
  public func speaking<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as TorchError {
      guard !isSingle, let found = GroupFailure(error, rank: share.rank, size: size) else { throw error }
      throw GroupFailure(rank: found.rank, size: found.size, doing: "averaging gradients", reason: found.reason)
    }
  }

  /// What averages gradients during the backward pass; nil for one process.
  func reducer(of parameters: [Tensor]) throws -> GradientReducer? {
    guard let group, overlaps else { return nil }
    return try GradientReducer(parameters, group)
  }

  /// Begins to make the mean of all processes' losses, and to agree whether a signal stops them, while gradients are computed.
  func beginMean(_ loss: Tensor) throws -> PendingSum? {
    guard let group else { return nil }
    let own = signal()
    let value = try loss.detached().to(.float64).reshaped([1])
    let flags = try Tensor(Self.signals.map { $0 == own ? 1.0 : 0 }, device: loss.device)
    return try group.beginSum(Tensor.concatenate([value, flags]))
  }

  /// The mean of all processes' losses, on the device; now all know whether a signal stops them.
  func mean(_ sum: PendingSum) throws -> Tensor {
    let all = try sum.wait()
    let values: [Double] = try all.array()
    agreed = Self.strongest(values.dropFirst())
    return try all.slice(0, 0..<1).reshaped([]) * (1 / Double(size))
  }

  /// The signal that stops all processes after the last step.
  func stopping(_ own: Int32?) -> Int32? { isSingle ? own : agreed }

  /// The signal that stops all processes, asked at a moment that all come to.
  public func agree(_ own: Int32?) throws -> Int32? {
    guard let group else { return own }
    let flags = try Tensor(Self.signals.map { $0 == own ? 1.0 : 0 })
    try group.sum([flags])
    let values: [Double] = try flags.array()
    return Self.strongest(values[...])
  }

  /// Asks at a moment that all come to, for ``stopping(_:)``.
  func agreeOnSignal(_ own: Int32?) throws { agreed = try agree(own) }

  // MARK: - What all have in common

  /// Adds numbers of all processes up.
  public func sum(_ values: [Double]) throws -> [Double] {
    guard let group, !values.isEmpty else { return values }
    let tensor = try Tensor(values)
    try group.sum([tensor])
    return try tensor.array()
  }

  /// What each process has, by rank, for all.
  public func gathered<Value: Codable>(_ own: Value) throws -> [Value] {
    guard let group else { return [own] }
    // In a list, so that a single number is a document, too.
    let data = try JSONEncoder.compact.encode([own])
    return try (0..<size).flatMap { rank in
      try JSONDecoder.own.decode([Value].self, from: group.broadcast(data, from: rank))
    }
  }

  /// Replaces tensors by the writer's.
  public func takeWriters(_ tensors: [Tensor]) throws { try group?.broadcast(tensors) }

  /// Makes running statistics the mean of all processes'.
  public func average(_ statistics: BatchStatistics) throws {
    guard let group else { return }
    let tensors = statistics.means + statistics.variances
    try group.sum(tensors)
    for tensor in tensors { try tensor.multiply(inPlace: 1 / Double(size)) }
  }

  /// What the writer finds, for all: so that what lies in its folders decides, and no other process needs to see them.
  public func fromWriter<Value: Codable>(_ find: () throws -> Value?) throws -> Value? {
    guard let group else { return try find() }
    guard isWriter else {
      let data = try group.broadcast(Data())
      return data.isEmpty ? nil : try JSONDecoder.own.decode(Value.self, from: data)
    }
    let value = try find()
    _ = try group.broadcast(try value.map { try JSONEncoder.compact.encode($0) } ?? Data())
    return value
  }
}
