import Methods
import Networks
import Records
import Support
import Testing
import Torch
import Training

@testable import WidthSearch

@Suite struct MorphNetTests {
  private func search(
    kappa: Double, update: MorphNetSettings.Update = .proximal, epochs: Int = 8, rate: Double = 0.05, rounds: Int = 1,
    shrinkTo: Double = 0
  ) -> ToySearch {
    var search = ToySearch()
    search.optimizer = MorphNet(
      .init(kappa: kappa, rounds: rounds, shrinkTo: shrinkTo, update: update, minimumChannels: 1))
    search.recipe.epochs = epochs
    search.recipe.decay = .constant
    search.recipe.learningRate = rate
    return search
  }

  @Test("Without pressure nothing dies; the cost of what lives falls as pressure grows")
  func pressure() throws {
    let costs = try [0, 3, 10, 100].map { kappa in
      try #require(search(kappa: kappa).run().history.last?.macs)
    }
    #expect(costs[0] == Double(try toyNetwork().cost().macs))
    #expect(costs == costs.sorted(by: >), "\(costs)")
    #expect(costs[3] < 0.1 * costs[0], "\(costs)")
    let result = try search(kappa: 0).run()
    #expect(result.channels.values.allSatisfy { $0.rounded() == $0 } && result.warnings.count == 1)
  }

  @Test("What lives is widened by one multiplier to the budget")
  func expansion() throws {
    let result = try search(kappa: 30).run()
    let last = try #require(result.history.last)
    let factors = Set(result.channels.map { (1e6 * $1 / last.widths[$0]!).rounded() })
    #expect(factors.count == 1)
    expectClose(try RelaxedCost(toyNetwork()).evaluate(result.channels), Double(result.target), tolerance: 1e-9)
    expectClose(result.macs, Double(result.target), tolerance: 1e-9)
    #expect(try #require(result.evidence?.values["growth"]) > 1)
  }

  @Test("A round ends at the end of the epoch in which enough has died; rounds expand in between")
  func rounds() throws {
    let long = try search(kappa: 100, shrinkTo: 0.9).run()
    #expect(long.cost.passes["shrink"]?.images ?? 0 < 8 * 96)
    let twice = try search(kappa: 30, epochs: 2, rounds: 2).run()
    #expect(twice.cost.passes["shrink"]?.images == 2 * 2 * 96)
    #expect(twice.evidence?.values["rounds"] == 2)
    #expect(try search(kappa: 30, epochs: 2).run().channels != twice.channels)
  }

  @Test("However strong the pressure, no group dies as a whole, and the network goes on learning")
  func protection() throws {
    var chain: [Layer] = []
    var input = "input"
    for name in ["a", "b", "c"] {
      chain += [
        Layer(
          name: name, operation: .convolution(Convolution(outputChannels: 8, kernelSize: 3, padding: 1)),
          inputs: [input]),
        Layer(name: "\(name).bn", operation: .batchNorm(BatchNorm()), inputs: [name]),
        Layer(name: "\(name).relu", operation: .activation(.relu), inputs: ["\(name).bn"]),
      ]
      input = "\(name).relu"
    }
    chain += [
      Layer(name: "pool", operation: .adaptiveAveragePool(AdaptivePool(height: 2, width: 2)), inputs: [input]),
      Layer(name: "flatten", operation: .flatten, inputs: ["pool"]),
      Layer(name: "fc", operation: .linear(Linear(outputFeatures: 4)), inputs: ["flatten"]),
    ]
    for update in MorphNetSettings.Update.allCases {
      var search = search(kappa: 1000, update: update)
      search.optimizer = MorphNet(.init(kappa: 1000, shrinkTo: 0, update: update, minimumChannels: 3))
      search.network = Network(name: "chain", input: Shape(channels: 1, height: 8, width: 8), layers: chain)
      let result = try search.run()
      if update == .proximal {
        #expect(result.history.last?.widths == ["a": 3, "b": 3, "c": 3])
        #expect(result.warnings.contains { $0.contains("3 of 3 width groups died and were kept at their least width") })
      } else {
        #expect(result.history.last?.widths.values.allSatisfy { $0 >= 3 } == true)
      }
    }
  }

  @Test("A budget above the network's cost shrinks as the network's own would, and then widens more")
  func largeBudget() throws {
    var large = search(kappa: 30, shrinkTo: 0.5)
    let own = try large.run()
    large.budgets = [3]
    let result = try large.run()
    #expect(result.history == own.history && result.macs > 2.9 * own.macs)
  }

  @Test("The subgradient acts as the soft threshold does, in small steps")
  func subgradient() throws {
    // No task, no momentum: both move every largest scale by rate · λ · slope towards 0.
    for update in MorphNetSettings.Update.allCases {
      var search = search(kappa: 1, update: update, epochs: 1, rate: 1e-3)
      search.recipe.momentum = 0
      search.recipe.nesterov = false
      search.recipe.warmUpEpochs = 0
      search.recipe.weightDecay = 0
      let folder = try TemporaryFolder()
      let result = try search.run(folder)
      #expect(result.history.last?.macs == Double(result.target))  // 3 steps of 1e-3 kill nothing
    }
  }

  @Test("The scales of every group are read from all of its normalizations, in the group's channels")
  func scales() throws {
    let model = try Model(toyNetwork(), seed: 0)
    let scales = GroupScales(model)
    #expect(scales.groups == ["stem", "inner", "out"] && scales.widths == [8, 12, 10])
    #expect(scales.members.map(\.count) == [1, 2, 2])
    for (index, normalization) in model.normalizations.enumerated() {
      let values = (0..<normalization.scale.tensor.shape[0]).map { Float(100 * index + $0) }
      try withoutGradients { try normalization.scale.tensor.copy(from: Tensor(values)) }
    }
    let read = try scales.read()
    #expect(read[0] == [(0..<8).map(Double.init)])
    #expect(read[1] == [(100..<112).map(Double.init), (200..<212).map(Double.init)])
    #expect(read[2] == [(300..<310).map(Double.init), (400..<410).map(Double.init)])
    let back = try scales.tensors(read, rest: -1, device: .cpu)
    for (tensor, scale) in zip(back, scales.scales) { #expect(try tensor.relativeDistance(to: scale) == 0) }
  }
}

/// The steps on the scales where they lie, beside their definition on the host.
@Suite struct ScaleShrinkageTests {
  static let networks: [@Sendable () throws -> Network] = [
    { toyNetwork() },
    { try NetworkZoo.network(named: "efficientnet_b0", classes: 4, resolution: 32).scalingWidth(by: 0.2, divisor: 4) },
    { try NetworkZoo.network(named: "mobilenet_v2_cifar", classes: 4).scalingWidth(by: 0.25, divisor: 2) },
    { try NetworkZoo.network(named: "resnet20", classes: 4).scalingWidth(by: 0.5, divisor: 2) },
    // Its last normalization lies on more than one group after a flatten: 4 positions a channel.
    { flattened() },
  ]

  private static func flattened() -> Network {
    Network(
      name: "flattened", input: Shape(channels: 3, height: 2, width: 2),
      layers: [
        Layer(
          name: "conv", operation: .convolution(Convolution(outputChannels: 6, kernelSize: Extent(1))),
          inputs: ["input"]),
        Layer(name: "bn", operation: .batchNorm(BatchNorm()), inputs: ["conv"]),
        Layer(name: "flat", operation: .flatten, inputs: ["bn"]),
        Layer(name: "flat.bn", operation: .batchNorm(BatchNorm()), inputs: ["flat"]),
        Layer(name: "fc", operation: .linear(Linear(outputFeatures: 3)), inputs: ["flat.bn"]),
      ])
  }

  /// Scales of both signs, some of them zero, below the threshold or equal to others.
  private func model(_ index: Int) throws -> Model {
    let model = try Model(Self.networks[index](), seed: 0)
    var random = SeededGenerator(seed: 5, UInt64(index))
    for normalization in model.normalizations {
      let values = (0..<normalization.scale.tensor.shape[0]).map { _ -> Float in
        switch random.nextInt(below: 6) {
        case 0: 0
        case 1: 0.009
        case 2: -0.25
        case 3: 0.25
        default: Float(random.nextUnit() - 0.5)
        }
      }
      try withoutGradients { try normalization.scale.tensor.copy(from: Tensor(values)) }
    }
    return model
  }

  @Test(
    "A step on the device gives the bits of its definition", arguments: networks.indices,
    FLOPsRegularizer.Grouping.allCases)
  func softThreshold(index: Int, grouping: FLOPsRegularizer.Grouping) throws {
    for (floor, step) in [(1, 1e-7), (2, 1e-5), (4, 1e-3)] {
      let model = try model(index)
      let scales = GroupScales(model)
      let regularizer = FLOPsRegularizer(
        RelaxedCost(model.plan.resolved), grouping: grouping, depthwiseFactor: 2)
      let floors = scales.widths.map { min($0, floor) }
      let factors = try scales.tensors(
        regularizer.shrinkage(scales.read(), step: step, floors: floors), rest: 1, device: .cpu)
      let expected = try withoutGradients {
        try zip(scales.scales, factors).map { try ($0 * $1).array(Float.self) }
      }
      try ScaleShrinkage(regularizer, scales, floors: floors, device: .cpu).softThreshold(step)
      let found = try withoutGradients { try scales.scales.map { try $0.array(Float.self) } }
      #expect(found.map { $0.map(\.bitPattern) } == expected.map { $0.map(\.bitPattern) })
      #expect(regularizer.evaluate(try scales.read()).aliveCounts.allSatisfy { $0 >= 1 })
    }
  }

  @Test("A subgradient is added as it is defined", arguments: networks.indices, FLOPsRegularizer.Grouping.allCases)
  func subgradient(index: Int, grouping: FLOPsRegularizer.Grouping) throws {
    let model = try model(index)
    let scales = GroupScales(model)
    let regularizer = FLOPsRegularizer(RelaxedCost(model.plan.resolved), grouping: grouping)
    let values = try scales.read()
    let slopes = regularizer.evaluate(values).slopes
    let expected = try scales.tensors(
      zip(regularizer.magnitudeGradient(values), slopes).map { members, slope in
        members.map { $0.map { 1e-6 * slope * $0 } }
      }, rest: 0, device: .cpu
    ).map { try $0.array(Float.self) }
    for scale in scales.scales { try scale.setGradient(scale.detached().zerosLike()) }
    try ScaleShrinkage(regularizer, scales, floors: scales.widths.map { _ in 1 }, device: .cpu).addGradient(1e-6)
    #expect(try scales.scales.map { try #require($0.gradient).array(Float.self) } == expected)
  }
}
