import ArgumentParser
import Foundation
import Methods
import Records
import Support

extension Recipe.Optimizer: ExpressibleByArgument {}
extension Recipe.Decay: ExpressibleByArgument {}
extension Recipe.Precision: ExpressibleByArgument {}

/// How to train.
package struct RecipeOptions: ParsableArguments {
  package init() {}

  @Option(
    help: "A recipe by name or as FILE.yaml: \(Recipe.presets.map(\.name).joined(separator: ", ")).",
    completion: .list(Recipe.presets.map(\.name)))
  package var recipe: String = "small"

  @Option(parsing: .unconditional, help: "Passes over the training data.")
  package var epochs: Int?

  @Option(parsing: .unconditional, help: "Images in one step.")
  package var batchSize: Int?

  @Option(parsing: .unconditional, help: "The highest learning rate.")
  package var learningRate: Double?

  @Option(parsing: .unconditional, help: "Weight decay of convolution and linear weights.")
  package var weightDecay: Double?

  @Option(parsing: .unconditional, help: "Probability mass spread over all classes.")
  package var labelSmoothing: Double?

  @Option(
    help:
      "How gradients become steps; another one than the recipe's has a learning rate of 0.001 (sgd: 0.1) unless --learning-rate says."
  )
  package var optimizer: Recipe.Optimizer?

  @Option(help: "How the learning rate falls.")
  package var decay: Recipe.Decay?

  @Option(help: "The type that convolutions and matrix products compute in.")
  package var precision: Recipe.Precision?

  @Option(parsing: .unconditional, help: "The largest norm of a step's gradients, all together.")
  package var clipNorm: Double?

  @Option(parsing: .unconditional, help: "Decay of an average of the weights, which is then evaluated and saved.")
  package var averagingDecay: Double?

  @Option(
    parsing: .unconditional,
    help: "Epochs between evaluations on held-out images; the last epoch is always followed by one.")
  package var evaluationInterval: Int?

  @Flag(
    help:
      "Keep few activations for the derivative and compute the others again: less memory, up to a third more time, the same result."
  )
  package var recompute = false

  /// The recipe with the flags' values over it.
  package func build() throws -> Recipe {
    try require(epochs, "--epochs", in: 1...1_000_000)
    try require(evaluationInterval, "--evaluation-interval", in: 1...1_000_000)
    try require(batchSize, "--batch-size", in: 1...1_000_000)
    if let learningRate, !(learningRate > 0 && learningRate.isFinite) {
      throw UsageFailure("--learning-rate \(learningRate): it must be a positive number")
    }
    var result = try named()
    func set<Value>(_ value: Value?, _ path: WritableKeyPath<Recipe, Value>) {
      if let value { result[keyPath: path] = value }
    }
    set(epochs, \.epochs)
    set(batchSize, \.batchSize)
    if let optimizer, learningRate == nil, optimizer.usualLearningRate != result.optimizer.usualLearningRate {
      result.learningRate = optimizer.usualLearningRate
    }
    set(learningRate, \.learningRate)
    set(evaluationInterval, \.evaluationInterval)
    set(weightDecay, \.weightDecay)
    set(labelSmoothing, \.labelSmoothing)
    set(optimizer, \.optimizer)
    set(decay, \.decay)
    set(precision, \.precision)
    if let clipNorm { result.clipNorm = clipNorm }
    if let averagingDecay { result.averagingDecay = averagingDecay }
    result.recomputesActivations = recompute
    try result.validate()
    return result
  }

  // By name, as a file, or whole, as run.yaml holds it.
  private func named() throws -> Recipe {
    let expecting = "a recipe maps names such as epochs to values"
    if recipe.hasPrefix("{") {
      return try YAMLFile.decode(Recipe.self, text: recipe, name: "recipe", expecting: expecting)
    }
    guard recipe.hasSuffix(".yaml") || recipe.hasSuffix(".yml") else { return try Recipe.named(recipe) }
    return try YAMLFile.read(Recipe.self, path: recipe, expecting: expecting)
  }
}
