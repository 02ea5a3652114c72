import ImageFiles
import Loading
import Methods
import Networks
import Torch
import Training

/// Tries sub-networks of a supernet on a fixed set of images.
///
/// Normalization takes the statistics of the images that are evaluated together: with some hundreds of them this is as good
/// as a recalibration. Candidates of one step differ from the current network in one group each, so
/// all of a candidate's layers before that group are those of the current network and are computed once.
public final class WidthTrials {
  /// What the trials of one step brought.
  public struct Outcome {
    /// One for each candidate.
    public var scores: [GreedyDescent.Score]
    /// Multiply-accumulates that it took, over all images.
    public var macs: Double
    /// The mean cross-entropy of the best candidate.
    public var loss: Double
    /// Images times candidates.
    public var images: Int
  }

  /// Images that were to be tried on and cannot be used.
  public private(set) var skipped: [SkippedImage] = []
  private let supernet: Supernet
  private let batches: [Batch]
  private let images: Int
  private let precision: Recipe.Precision
  private let sharesPrefix: Bool
  private let cohort: Cohort
  /// Batches of all processes, each of whom tries on every so many-th one.
  private let rounds: Int
  private let affected: [AffectedLayers]

  /// Loads the images, which stay in memory for all trials.
  public convenience init(
    _ supernet: Supernet, _ heldOut: BatchLoader, precision: Recipe.Precision = .float32, sharesPrefix: Bool = true,
    cohort: Cohort = .single
  ) throws {
    var batches: [Batch] = []
    let stream = heldOut.epoch(0)
    var skipped: [SkippedImage] = []
    while let batch = try stream.next() {
      skipped += batch.skipped
      if batch.count > 0 { batches.append(batch) }
    }
    self.init(supernet, batches: batches, precision: precision, sharesPrefix: sharesPrefix, cohort: cohort)
    self.skipped = skipped
  }

  /// Tries on given images.
  ///
  /// - Parameters:
  ///   - batches: Images that are evaluated together; some hundreds in each.
  ///   - sharesPrefix: Whether candidates share what lies before their difference.
  ///   - cohort: Who tries along. Whole batches are shared out, so that their statistics are those of one process.
  public init(
    _ supernet: Supernet, batches: [Batch], precision: Recipe.Precision = .float32, sharesPrefix: Bool = true,
    cohort: Cohort = .single
  ) {
    self.cohort = cohort
    rounds = (batches.count + cohort.size - 1) / cohort.size
    self.supernet = supernet
    self.precision = precision
    self.sharesPrefix = sharesPrefix
    self.batches = batches
    images = batches.reduce(0) { $0 + $1.count }
    affected = supernet.resolved.widthGroups.map { AffectedLayers(of: $0.id, in: supernet.model.plan) }
  }

  /// Evaluates networks that differ from `current` in one group each.
  ///
  /// - Parameters:
  ///   - candidates: The group that differs, and the widths of all groups.
  ///   - current: The widths that they are compared from.
  ///   - between: Called before each evaluation, or by several processes before each round of batches; may throw to end the trials.
  public func scores(
    of candidates: [(group: Int, widths: [Int])], from current: [Int], between: () throws -> Void = {}
  ) throws -> Outcome {
    try withoutGradients {
      let base = try plan(current)
      let plans = try candidates.map { try plan($0.widths) }
      var tallies = try candidates.map { _ in try Tally(device: supernet.model.device) }
      var perImage = sharesPrefix ? Double(base.macs) : 0
      for (candidate, plan) in zip(candidates, plans) {
        perImage += Double(sharesPrefix ? affected[candidate.group].macs(in: plan) : plan.macs)
      }
      for round in 0..<rounds {
        try between()
        let number = round * cohort.size + cohort.share.rank
        guard number < batches.count else { continue }
        let batch = batches[number]
        let shared = try sharesPrefix ? share(base, batch, candidates.map { affected[$0.group] }) : nil
        for (index, plan) in plans.enumerated() {
          if cohort.isSingle { try between() }
          let logits = try logits(plan, batch, shared, affected[candidates[index].group])
          try tallies[index].add(logits, batch.labels)
        }
      }
      let sums = try cohort.sum(tallies.flatMap { [try $0.lossSum(), Double(try $0.hitCount())] })
      let scores = tallies.indices.map { index in
        GreedyDescent.Score(errors: images - Int(sums[2 * index + 1]), loss: sums[2 * index])
      }
      let best = scores.map(\.loss).min() ?? 0
      return Outcome(
        scores: scores, macs: perImage * Double(images), loss: best / Double(max(1, images)),
        images: images * candidates.count)
    }
  }

  private var options: ForwardOptions { ForwardOptions(.batch, reusesBuffers: precision == .float32) }

  private func plan(_ widths: [Int]) throws -> ExecutionPlan {
    let groups = supernet.resolved.widthGroups.map(\.id)
    return try supernet.plan(Widths(Dictionary(zip(groups, widths), uniquingKeysWith: { first, _ in first })))
  }

  private func share(
    _ base: ExecutionPlan, _ batch: Batch, _ affected: [AffectedLayers]
  ) throws -> SharedActivations {
    try withAutocast(precision.scalarType, on: supernet.model.device) {
      try supernet.model.sharedForward(batch.images, as: base, for: affected, options).shared
    }
  }

  private func logits(
    _ plan: ExecutionPlan, _ batch: Batch, _ shared: SharedActivations?, _ affected: AffectedLayers
  ) throws -> Tensor {
    try withAutocast(precision.scalarType, on: supernet.model.device) {
      if let shared {
        try supernet.model.forward(from: shared, as: plan, affected: affected, options)
      } else {
        try supernet.model.forward(batch.images, as: plan, options)
      }
    }.to(.float32)
  }
}

/// Sums of one candidate, on the device until all images have been seen.
private struct Tally {
  private let loss: Tensor
  private let hits: Tensor

  init(device: Device) throws {
    loss = try Tensor.zeros([], .float64, device: device)
    hits = try Tensor.zeros([], .int64, device: device)
  }

  mutating func add(_ logits: Tensor, _ labels: Tensor) throws {
    try loss.add(inPlace: logits.crossEntropy(labels, summed: true).to(.float64))
    try hits.add(inPlace: logits.argmax(1).equal(labels).sum())
  }

  func lossSum() throws -> Double { try loss.item() }
  func hitCount() throws -> Int { try hits.integerItem() }
}
