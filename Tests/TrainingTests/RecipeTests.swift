import Foundation
import ImageFiles
import Methods
import Support
import Testing

@testable import Training

@Suite struct RecipeTests {
  @Test("Every preset is valid, has a name of its own and survives JSON", arguments: Recipe.presets)
  func presets(recipe: Recipe) throws {
    try recipe.validate()
    #expect(try Recipe.named(recipe.name) == recipe)
    #expect(try JSONDecoder().decode(Recipe.self, from: JSONEncoder().encode(recipe)) == recipe)
    #expect(Recipe.presets.filter { $0.name == recipe.name }.count == 1)
  }

  @Test("An unknown preset is answered with the known ones")
  func unknownPreset() {
    let failure = #expect(throws: UsageFailure.self) { try Recipe.named("smal") }
    #expect(failure?.message.contains("small, quick, cifar") == true)
  }

  @Test("A file may leave out what it does not change")
  func leftOut() throws {
    let recipe = try JSONDecoder().decode(Recipe.self, from: Data(#"{"epochs": 3, "averagingDecay": 0.9}"#.utf8))
    #expect(recipe == Recipe(epochs: 3, averagingDecay: 0.9))
    #expect(try JSONDecoder().decode(Recipe.self, from: Data("{}".utf8)) == Recipe())
  }

  @Test("Another optimizer has its own rate, and a transform without settings is asked about")
  func otherKinds() throws {
    func read(_ text: String) throws -> Recipe { try JSONDecoder().decode(Recipe.self, from: Data(text.utf8)) }
    #expect(try read(#"{"optimizer": "adamw"}"#).learningRate == 0.001)
    #expect(try read(#"{"optimizer": "adamw", "learningRate": 0.1}"#).learningRate == 0.1)
    #expect(try read(#"{"optimizer": "sgd"}"#).learningRate == Recipe().learningRate)
    #expect(try read(#"{"randAugment": {}}"#).color.randAugment == RandAugment())
    let error = #expect(throws: DecodingError.self) { try read(#"{"randAugment": null}"#) }
    #expect(error.map { "\($0)" }?.contains("`randAugment: {}`") == true)
  }

  @Test("Searches of DMCP end at a part of their rate, whatever the decay", arguments: Recipe.presets)
  func searches(recipe: Recipe) {
    let search = DMCP().searchRecipe(from: recipe)
    let last = search.schedule(stepsPerEpoch: 100).rate(at: search.epochs * 100 - 1)
    #expect(abs(last / search.learningRate - 0.16) < 0.02, "\(recipe.name): \(last)")
  }

  @Test("A misspelt key is an error that names it")
  func misspelt() {
    let error = #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(Recipe.self, from: Data(#"{"epoch": 3}"#.utf8))
    }
    #expect(error.map { "\($0)" }?.contains("'epoch' is not part of a recipe") == true)
  }

  static let broken: [(name: String, change: @Sendable (inout Recipe) -> Void)] = [
    ("epochs", { $0.epochs = 0 }), ("epochs", { $0.epochs = .max }), ("batchSize", { $0.batchSize = 0 }),
    ("batchSize", { $0.batchSize = .max }), ("learningRate", { $0.learningRate = 0 }),
    ("learningRate", { $0.learningRate = .nan }), ("finalLearningRate", { $0.finalLearningRate = -1 }),
    ("finalLearningRate", { $0.finalLearningRate = .infinity }), ("warmUpEpochs", { $0.warmUpEpochs = .infinity }),
    ("warmUpEpochs", { $0.warmUpEpochs = -1 }), ("warmUpFrom", { $0.warmUpFrom = .nan }),
    ("decayAt", { $0.decayAt = [0.5, 1.5] }), ("decayFactor", { $0.decayFactor = 0 }),
    ("momentum", { $0.momentum = 1 }), ("weight decay", { $0.weightDecay = .infinity }),
    ("weight decay", { $0.normWeightDecay = -1 }), ("labelSmoothing", { $0.labelSmoothing = 1 }),
    ("averagingDecay", { $0.averagingDecay = 1 }), ("clipNorm", { $0.clipNorm = 0 }),
    ("clipNorm", { $0.clipNorm = .nan }), ("evaluationInterval", { $0.evaluationInterval = 0 }),
    ("recalibrationBatches", { $0.recalibrationBatches = -1 }),
  ]

  @Test("A value that makes no sense is refused by name", arguments: broken.indices)
  func validation(index: Int) {
    var recipe = Recipe()
    Self.broken[index].change(&recipe)
    let failure = #expect(throws: UsageFailure.self) { try recipe.validate() }
    #expect(failure?.message.contains(Self.broken[index].name) == true, "\(failure?.message ?? "")")
  }
}
