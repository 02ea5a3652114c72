import Foundation
import Methods
import Networks
import Records
import Support
import Testing
import Torch
import Training

@testable import WidthSearch

@Suite struct DMCPTests {
  @Test("Widths of a network without any normalization move, too")
  func withoutNormalization() throws {
    let layers = [
      Layer(
        name: "conv", operation: .convolution(Convolution(outputChannels: 8, kernelSize: 3, hasBias: true)),
        inputs: ["input"]),
      Layer(name: "relu", operation: .activation(.relu), inputs: ["conv"]),
      Layer(
        name: "inner", operation: .convolution(Convolution(outputChannels: 8, kernelSize: 3, hasBias: true)),
        inputs: ["relu"]),
      Layer(name: "pool", operation: .globalAveragePool, inputs: ["inner"]),
      Layer(name: "fc", operation: .linear(Linear(outputFeatures: 4)), inputs: ["pool"]),
    ]
    var search = ToySearch()
    search.network = Network(name: "plain", input: Shape(channels: 1, height: 8, width: 8), layers: layers)
    let result = try search.run()
    #expect(result.channels.keys.sorted() == ["conv", "inner"])
    // The chains have had gradients: where they stand is not where they began.
    #expect(result.channels.values.contains { abs($0 - 8) > 1e-3 })
  }

  @Test("The same seed gives the same search to the last bit, another seed another")
  func seeds() throws {
    let first = try ToySearch().run()
    expectEqual(try ToySearch().run(), first)
    #expect(try ToySearch(seed: 1).run().channels != first.channels)
    #expect(Set(first.channels.keys) == Set(try toyNetwork().widthGroups.map(\.id)))
    #expect(first.history.map(\.step) == [1, 2, 3, 4, 5, 6])
    #expect(first.history[2].widths == first.history[1].widths)  // α rests in the first stage
    #expect(first.history[3].widths != first.history[2].widths)
    #expect(first.history.last?.widths == first.channels && first.history.last?.macs == first.macs)
  }

  @Test("An interrupted and resumed search equals an uninterrupted one", arguments: [1, 3, 4, 6])
  func resume(stop: Int) throws {
    let expected = try ToySearch().run()
    let folder = try TemporaryFolder()
    let interrupted = #expect(throws: Interrupted.self) { try ToySearch().run(folder, interruptedAt: stop) }
    #expect(interrupted?.exitCode == .interrupted)
    #expect(interrupted?.message.contains("search step \(stop)") == true)
    let events = Recorder()
    expectEqual(try ToySearch().run(folder, events: events), expected)
    #expect(events.events.first == .resume(.init(step: stop)))
    // And once more, from the end.
    expectEqual(try ToySearch().run(folder), expected)
  }

  @Test("The cost of a step is three forward passes of each network in it")
  func cost() throws {
    var search = ToySearch()
    (search.settings.randomPasses, search.settings.warmUpFraction) = (0, 0)
    let context = try search.context()
    let supernet = try DMCP(search.settings).widestNetwork(for: search.network.resolved(), divisor: 1)
    let chains = MarkovNetwork(supernet, settings: search.settings, target: Double(context.targets[0]))
    let widest = supernet.cost.macs
    let narrowest = try supernet.network(with: chains.narrowest).cost().macs
    let result = try search.run()
    let images = 2 * 96
    // The architecture pass has no product for the weights.
    #expect(result.cost.flops == Double(images * (3 * (widest + narrowest) + 2 * widest)))
    #expect(result.cost.scale.supernetMACs == widest && result.cost.scale.trainingImages == 96)
    #expect(Set(result.cost.passes.keys) == ["widest", "narrowest", "architecture"])

    search.settings.randomPasses = 2
    let random = try #require(try search.run().cost.passes["random"])
    #expect(random.images == 2 * images)
    #expect(random.forwardMACs > Double(2 * images * narrowest) && random.forwardMACs < Double(2 * images * widest))
    // Uniform draws at first, and from the chains later.
    let drawn = try [1, 1e-9].map { (last: Double) in
      search.settings.finalUniformProbability = last
      return try #require(try search.run().cost.passes["random"]).forwardMACs
    }
    #expect(drawn[0] != drawn[1])
    search.settings.warmUpFraction = 1
    #expect(try search.run().cost.passes["architecture"] == nil)
  }

  @Test("A search of some length ends near its budget, learns, and moves channels")
  func endToEnd() throws {
    var search = ToySearch()
    search.recipe.epochs = 20
    let events = Recorder()
    let result = try search.run(events: events)
    let target = Double(try toyNetwork().cost().macs)
    #expect((0.9...1.05).contains(result.macs / target), "\(result.macs / target)")
    let last = events.events.compactMap { if case .search(let search) = $0 { search } else { nil } }.last
    #expect(try #require(last).loss < 0.7 && last?.step == 60 && last?.stage == "architecture")
    let multipliers = try result.multipliers(of: toyNetwork())
    #expect(multipliers.values.allSatisfy { (0.2...1.55).contains($0) })
    #expect((multipliers.values.max() ?? 0) - (multipliers.values.min() ?? 0) > 0.01, "\(multipliers)")
    let copy = try JSONDecoder().decode(SearchResult.self, from: JSONEncoder().encode(result))
    #expect(copy == result)
  }

  @Test(
    "All variants run", arguments: MarkovWidth.Parametrisation.allCases,
    [ChannelGrid.Layout.proportional, .official])
  func variants(parametrisation: MarkovWidth.Parametrisation, layout: ChannelGrid.Layout) throws {
    var search = ToySearch()
    (search.settings.parametrisation, search.settings.layout, search.settings.start) = (parametrisation, layout, .zero)
    search.recipe.precision = .bfloat16
    let result = try search.run()
    #expect(result.macs.isFinite && result.channels.count == 3)
    // What the evidence says is said in words, too.
    let evidence = try #require(result.evidence?.values)
    let cost = try #require(evidence["expectedCostOverBudget"])
    let deviation = try #require(evidence["relativeWidthDeviation"])
    #expect(result.warnings.contains { $0.contains("of its budget") } == (abs(cost - 1) >= 0.05))
    #expect(result.warnings.contains { $0.contains("the chains have not decided") } == (deviation >= 0.25))
    if parametrisation == .exponential { #expect(abs(cost - 1) >= 0.05) }
  }

  @Test("The rate of α rises when the second stage is short")
  func alphaRate() {
    #expect(DMCPSearch.alphaLearningRate(steps: 12520) == 0.5 && DMCPSearch.alphaLearningRate(steps: 500) == 0.5)
    #expect(DMCPSearch.alphaLearningRate(steps: 250) == 1 && DMCPSearch.alphaLearningRate(steps: 10) == 2)
    #expect(DMCPSearch.alphaLearningRate(steps: 0) == 2)
  }

  @Test("A diverging search ends with an error and saves nothing that is not finite")
  func divergence() throws {
    let folder = try TemporaryFolder()
    var search = ToySearch()
    search.recipe.learningRate = 1e30
    let failure = #expect(throws: TrainingFailure.self) { try search.run(folder) }
    #expect(failure?.exitCode == .badData)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test("Networks that DMCP cannot act on are refused by the group's name")
  func refusals() throws {
    func message(_ change: (inout ToySearch) -> Void) -> String {
      var search = ToySearch()
      change(&search)
      let failure = #expect(throws: UsageFailure.self) { try search.run() }
      return failure?.message ?? ""
    }
    #expect(message { $0.recipe.precision = .float16 }.contains("float32 or bfloat16"))
  }

  static let broken: [(name: String, change: @Sendable (inout DMCPSettings) -> Void)] = [
    ("widths", { $0.range.minimum = 0 }), ("widths", { $0.range.maximum = 0.05 }),
    ("widths", { $0.range.minimum = .nan }), ("step between widths", { $0.range.offset = 0 }),
    ("step between widths", { $0.range.offset = 1e-9 }), ("minimumChannels", { $0.minimumChannels = 0 }),
    ("warmUpFraction", { $0.warmUpFraction = 1.5 }), ("alphaLearningRate", { $0.alphaLearningRate = -1 }),
    ("alphaMomentum", { $0.alphaMomentum = 1 }), ("budgetWeight", { $0.budgetWeight = .infinity }),
    ("randomPasses", { $0.randomPasses = -1 }), ("finalUniformProbability", { $0.finalUniformProbability = 0 }),
  ]

  @Test("Settings that make no sense are refused by name", arguments: broken.indices)
  func validation(index: Int) throws {
    try DMCPSettings().validate()
    var settings = DMCPSettings()
    Self.broken[index].change(&settings)
    let failure = #expect(throws: UsageFailure.self) { try settings.validate() }
    #expect(failure?.message.contains(Self.broken[index].name) == true, "\(failure?.message ?? "")")
  }

  @Test("Equal settings have equal identities, others do not")
  func identity() {
    #expect(DMCP().identity == DMCP().identity)
    #expect(DMCP(DMCPSettings(budgetWeight: 0.2)).identity != DMCP().identity)
    #expect(DMCP().name == "dmcp")
  }
}

/// The two treatments of residual additions.
@Suite struct DMCPResidualTests {
  private func logits(_ factors: [Float]?, _ placement: ForwardOptions.ScalePlacement) throws -> Tensor {
    let model = try Model(toyNetwork(), seed: 1)
    let images = try Tensor.normal([8, 1, 8, 8], generator: Generator(seed: 3))
    let scales = try factors.map { ["out": try Tensor($0)] } ?? [:]
    return try withoutGradients {
      try model.forward(images, ForwardOptions(.batch, channelScales: scales, scalePlacement: placement))
    }
  }

  @Test("With nothing below to weigh twice, weighing the sum equals weighing both of its parts")
  func equal() throws {
    let factors = (0..<10).map { Float($0) / 9 }
    let branch = try logits(factors, .normalizations)
    #expect(try logits(factors, .additions).relativeDistance(to: branch) < 1e-5)
    #expect(try logits(nil, .additions).relativeDistance(to: branch) > 1e-3)
  }

  @Test("A stage's identity is weighed again by every block when sums are weighed, and once when branches are")
  func identity() throws {
    // Two blocks without a projection behind a stem: with γ = 0 the blocks add nothing, so the stream is the stem's.
    let network = try NetworkZoo.network(named: "resnet18_cifar", classes: 4, resolution: 8)
      .scalingWidth(by: 0.125, divisor: 1)
    let model = try Model(network, seed: 1)
    let resolved = model.plan.resolved
    let stem = try #require(resolved["conv1"]?.group)
    for normalization in model.normalizations
    where ["layer1.0.bn2", "layer1.1.bn2"].contains(resolved.layers[normalization.layer].layer.name) {
      try withoutGradients { try normalization.scale.tensor.fill(0) }
    }
    let images = try Tensor.normal([4, 3, 8, 8], generator: Generator(seed: 3))
    let factor = try Tensor([Float](repeating: 0.5, count: resolved.widthGroup(stem)?.width ?? 0))
    func stream(_ placement: ForwardOptions.ScalePlacement, _ scales: [WidthGroup.ID: Tensor]) throws -> Tensor {
      try withoutGradients {
        try model.output(
          of: "layer1.1.relu2", images,
          options: ForwardOptions(.batch, channelScales: scales, scalePlacement: placement, reusesBuffers: false))
      }
    }
    let plain = try stream(.normalizations, [:])
    #expect(try stream(.normalizations, [stem: factor]).relativeDistance(to: plain * 0.5) < 1e-6)
    // The stem's normalization is no addend here: the sums of two blocks weigh what it has weighed before.
    #expect(try stream(.additions, [stem: factor]).relativeDistance(to: plain * 0.125) < 1e-6)
  }

  @Test("What is added through stochastic depth is weighed with the sum and not by itself")
  func stochasticDepth() throws {
    let network = try NetworkZoo.network(named: "efficientnet_b0", classes: 4, resolution: 16)
      .scalingWidth(by: 0.25, divisor: 4)
    let model = try Model(network, seed: 1)
    let resolved = model.plan.resolved
    let add = try #require(resolved.layers.first { if case .add = $0.layer.operation { true } else { false } })
    let group = try #require(add.group)
    // One channel is silenced; were it all, nothing would reach the branch.
    let factor = try Tensor([0] + [Float](repeating: 1, count: add.output.channels - 1))
    let images = try Tensor.normal([4, 3, 16, 16], generator: Generator(seed: 3))
    func isSilent(_ layer: String, _ placement: ForwardOptions.ScalePlacement) throws -> Bool {
      let options = ForwardOptions(
        .batch, channelScales: [group: factor], scalePlacement: placement, reusesBuffers: false)
      return try withoutGradients {
        try model.output(of: layer, images, options: options).slice(1, 0..<1).abs().max().item()
      } == 0
    }
    let norms = resolved.batchNorms(on: group)
    #expect(norms.count >= 2)
    for norm in norms { #expect(try isSilent(norm, .normalizations), "\(norm)") }
    // The first is the identity, which others read too; the second ends a branch, with stochastic depth behind it.
    #expect(try isSilent(norms[0], .additions) && !isSilent(norms[1], .additions))
    #expect(try isSilent(add.layer.name, .additions))
  }

  @Test("A search runs with either, and they differ")
  func searches() throws {
    func channels(_ residual: DMCPSettings.Residual) throws -> [WidthGroup.ID: Double] {
      var search = ToySearch()
      search.settings.residual = residual
      search.network = try NetworkZoo.network(named: "resnet18_cifar", classes: 4, inputChannels: 1, resolution: 8)
        .scalingWidth(by: 0.0625, divisor: 1)
      return try search.run().channels
    }
    #expect(try channels(.branch) != channels(.sum))
  }
}
