import ArgumentParser
import Foundation
import Runs
import Support
import Training

extension Recipe.Optimizer: ExpressibleByArgument {}
extension Recipe.Decay: ExpressibleByArgument {}
extension Recipe.Precision: ExpressibleByArgument {}

/// How to train.
struct RecipeOptions: ParsableArguments {
  @Option(help: "A recipe by name or as FILE.yaml: \(Recipe.presets.map(\.name).joined(separator: ", ")).")
  var recipe: String = "small"

  @Option(help: "Passes over the training data.")
  var epochs: Int?

  @Option(help: "Images in one step.")
  var batchSize: Int?

  @Option(help: "The highest learning rate.")
  var learningRate: Double?

  @Option(help: "Weight decay of convolution and linear weights.")
  var weightDecay: Double?

  @Option(help: "Probability mass spread over all classes.")
  var labelSmoothing: Double?

  @Option(help: "sgd, adam or adamw.")
  var optimizer: Recipe.Optimizer?

  @Option(help: "constant, cosine, linear or step.")
  var decay: Recipe.Decay?

  @Option(help: "float32, bfloat16 or float16.")
  var precision: Recipe.Precision?

  @Option(help: "Decay of an average of the weights, which is then evaluated and saved.")
  var averagingDecay: Double?

  /// The recipe with the flags' values over it.
  func build() throws -> Recipe {
    var result =
      recipe.hasSuffix(".yaml") || recipe.hasSuffix(".yml")
      ? try YAMLFile.read(Recipe.self, path: recipe, expecting: "a recipe maps names such as epochs to values")
      : try Recipe.named(recipe)
    func set<Value>(_ value: Value?, _ path: WritableKeyPath<Recipe, Value>) {
      if let value { result[keyPath: path] = value }
    }
    set(epochs, \.epochs)
    set(batchSize, \.batchSize)
    set(learningRate, \.learningRate)
    set(weightDecay, \.weightDecay)
    set(labelSmoothing, \.labelSmoothing)
    set(optimizer, \.optimizer)
    set(decay, \.decay)
    set(precision, \.precision)
    if let averagingDecay { result.averagingDecay = averagingDecay }
    try result.validate()
    return result
  }
}
