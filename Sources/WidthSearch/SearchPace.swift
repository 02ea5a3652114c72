import Foundation
import Loading
import Methods
import Support
import Training

/// How long a search takes on this machine: what it takes whatever its length, a step, and what widths are compared on.
public struct SearchPace: Sendable, Hashable {
  /// Seconds beside all steps.
  public var fixed: Double
  /// Seconds of a training step.
  public var perStep: Double
  /// Seconds for each batch that widths are compared on, whatever its images; 0 for methods that compare none.
  public var perComparedBatch: Double
  /// Seconds for each image of these batches.
  public var perComparedImage: Double

  /// Describes a pace.
  public init(fixed: Double, perStep: Double, perComparedBatch: Double = 0, perComparedImage: Double = 0) {
    self.fixed = fixed
    self.perStep = perStep
    self.perComparedBatch = perComparedBatch
    self.perComparedImage = perComparedImage
  }

  /// Seconds of a search.
  public func seconds(steps: Int, comparedBatches: Int = 0, comparedImages: Int = 0) -> Double {
    fixed + perStep * Double(steps) + perComparedBatch * Double(comparedBatches)
      + perComparedImage * Double(comparedImages)
  }
}

extension SearchJob {
  /// Training steps of the search: those of one round, where a method makes several.
  public func steps() throws -> Int {
    let scale = try scale()
    let batch = max(1, min(recipe.batchSize, scale.trainingImages))
    return recipe.epochs * (scale.trainingImages / batch)
  }

  /// Images that the search compares widths on.
  public var comparedImages: Int { heldOutIndices.count }
  /// The batches that these make.
  public var comparedBatches: Int {
    optimizer.heldOutPart.map { max(1, comparedImages / max(1, $0.batchSize)) } ?? 0
  }

  /// Times a few short searches of this kind, which go through all of a search's stages and leave nothing behind.
  ///
  /// A line through them, so that what only the first steps take (memory, threads, the first images) is not taken for a step's.
  ///
  /// - Parameters:
  ///   - timedSeconds: About how long the longer of the searches should be.
  ///   - cancellation: What may stop it.
  public func pace(timedSeconds: Double = 3, cancellation: Cancellation = .signals) throws -> SearchPace {
    let few = optimizer.heldOutPart == nil ? 0 : 32
    let short = try trial(batches: 2, comparing: few, cancellation)
    let more = 4 + 2 * Int(min(14, timedSeconds / max(short.seconds, 1e-3)))
    let long = try trial(batches: short.steps + more, comparing: few, cancellation)
    // A data set that holds no more batches than that is searched at once.
    let perStep =
      long.steps > short.steps
      ? max(0, long.seconds - short.seconds) / Double(long.steps - short.steps)
      : long.seconds / Double(max(long.steps, 1))
    guard few > 0 else {
      return SearchPace(fixed: max(0, short.seconds - perStep * Double(short.steps)), perStep: perStep)
    }
    let compared = try trial(batches: short.steps, comparing: 4 * few, cancellation)
    let perImage =
      compared.compared > short.compared
      ? max(0, compared.seconds - short.seconds) / Double(compared.compared - short.compared) : 0
    let rest = short.seconds - perStep * Double(short.steps) - perImage * Double(short.compared)
    // A descent runs thousands of small networks on every batch: what does not grow with the images grows with the batches.
    return SearchPace(fixed: 0, perStep: perStep, perComparedBatch: max(0, rest), perComparedImage: perImage)
  }

  private func trial(
    batches: Int, comparing: Int, _ cancellation: Cancellation
  ) throws -> (seconds: Double, steps: Int, compared: Int) {
    let heldOut = Array(heldOutIndices.prefix(comparing))
    let loader = try trialLoader(batches: batches, excluding: Set(heldOut))
    var recipe = recipe
    recipe.epochs = 1
    recipe.warmUpEpochs = min(recipe.warmUpEpochs, 0.5)
    let context = SearchContext(
      network: network, training: loader, heldOut: try heldOutLoader(heldOut), targets: targets, costModel: costModel,
      recipe: recipe, divisor: divisor, seed: seed, device: device, cancellation: cancellation)
    let results = try optimizer.search(context)
    // Of several budgets, the last holds all that was spent.
    let seconds = results.map(\.cost.seconds).max() ?? 0
    return (seconds, loader.batchesPerEpoch, heldOut.count)
  }
}
