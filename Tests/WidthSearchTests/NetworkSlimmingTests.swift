import Methods
import Networks
import Records
import Testing
import Torch

@testable import WidthSearch

@Suite struct NetworkSlimmingTests {
  // Worked by hand.
  @Test("The subgradient adds s · sign(γ), and nothing where γ is 0")
  func subgradient() throws {
    let scale = try Tensor([0.5, -0.2, 0] as [Float])
    try scale.setRequiresGradient(true)
    try (scale * 0.0).sum().backward()
    try NetworkSlimmingSearch.addSubgradient(of: [scale], weight: 0.01)
    let gradient: [Float] = try #require(scale.gradient).array()
    #expect(gradient == [0.01, -0.01, 0])
    try NetworkSlimmingSearch.addSubgradient(of: [scale], weight: 0)
    #expect(try #require(scale.gradient).array() == gradient)
  }

  @Test("A search trains the widened network for its epochs, and a group keeps its least part")
  func overhead() throws {
    let recipe = Recipe(epochs: 100, averagingDecay: 0.9)
    var method = NetworkSlimming(.init(width: 2))
    let search = method.searchRecipe(from: recipe)
    #expect(search.epochs == 30 && search.averagingDecay == nil && search.decay == recipe.decay)
    // Two epochs of warm-up of a hundred are a fifth of one of ten.
    let brief = try method.searchRecipe(from: Recipe(epochs: 100, warmUpEpochs: 2), epochs: 10, learningRate: nil)
    #expect(brief.epochs == 10 && abs(brief.warmUpEpochs - 0.2) < 1e-9)
    let wide = try method.widestNetwork(for: toyNetwork().resolved(), divisor: 1)
    #expect(wide.widthGroups.map(\.width) == [16, 24, 20])
    var toy = ToySearch()
    toy.optimizer = method
    // Two epochs of 96 images, forward, and twice as much backward.
    #expect(try toy.run().cost.passes["sparsity"]?.forwardMACs == Double(2 * 96 * wide.cost.macs))
    toy.budgets = [0.02]
    toy.optimizer = NetworkSlimming(.init(width: 2, minimumPart: 0.25))
    #expect(try toy.run().channels == ["stem": 4, "inner": 6, "out": 5])
    method.settings.width = 1.414
    let network = toyNetwork()
    let ratio =
      Double(try method.widestNetwork(for: network.resolved(), divisor: 1).cost.macs) / Double(try network.cost().macs)
    #expect(ratio > 1.5 && ratio < 2.1)
  }

  @Test("The pruned network is within the budget and one channel more would not be")
  func budget() throws {
    var search = ToySearch()
    search.optimizer = NetworkSlimming(.init(width: 2))
    let result = try search.run()
    #expect(result.macs <= Double(result.target) && result.macs > 0.75 * Double(result.target))
    #expect(result.cost.passes["sparsity"]?.images == 2 * 96)
    let kept = result.channels.values.reduce(0, +)
    #expect(kept == result.evidence?.values["keptChannels"] && result.evidence?.values["channels"] == 60)
  }

  // Worked by hand: from 8 to 8 channels in 4 groups at 4×4, 3·3·16·8·8/4; one channel less of both, 3·3·16·7·7/4.
  @Test("Channels that are dropped between the multiples of a grouped convolution count as what they are")
  func betweenMultiples() throws {
    func conv(_ name: String, groups: Int, from input: String) -> Layer {
      Layer(
        name: name,
        operation: .convolution(
          Convolution(outputChannels: 8, kernelSize: 3, padding: 1, grouping: groups == 1 ? .dense : .grouped(groups))),
        inputs: [input])
    }
    let network = Network(
      name: "grouped", input: Shape(channels: 3, height: 4, width: 4),
      layers: [
        conv("a", groups: 1, from: "input"), conv("b", groups: 4, from: "a"),
        Layer(name: "pool", operation: .globalAveragePool, inputs: ["b"]),
        Layer(name: "fc", operation: .linear(Linear(outputFeatures: 10)), inputs: ["pool"]),
      ])
    let cost = AnyWidthCost(try network.resolved())
    #expect(cost.count([8, 8]) == 9 * 16 * 3 * 8 + 9 * 16 * 8 * 8 / 4 + 80)
    #expect(cost.count([7, 7]) == 9 * 16 * 3 * 7 + 9 * 16 * 7 * 7 / 4 + 70)
  }

  @Test("A strong norm shrinks the scales")
  func sparsity() throws {
    func score(_ sparsity: Double) throws -> Double {
      var search = ToySearch()
      search.optimizer = NetworkSlimming(.init(sparsity: sparsity))
      return try #require(search.run().evidence?.values["meanScore"])
    }
    #expect(try score(0.1) < score(0) - 0.02)
  }
}
