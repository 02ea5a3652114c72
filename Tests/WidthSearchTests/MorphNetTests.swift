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
    // λ is κ over the cost of the network, of both convolutions' passes.
    let lambda = try #require(result.evidence?.values["lambda"])
    expectClose(lambda * 2 * Double(try toyNetwork().cost().macs), 30, tolerance: 1e-9)
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
      // And the pressure acts: the losses are not those of a search without it.
      func losses(_ kappa: Double) throws -> [Double] {
        search.optimizer = MorphNet(.init(kappa: kappa, update: update))
        let events = Recorder()
        _ = try search.run(events: events)
        return events.events.compactMap { if case .search(let told) = $0 { told.loss } else { nil } }
      }
      let pressed = try losses(30)
      #expect(try !pressed.isEmpty && pressed != losses(0), "\(update)")
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

  /// Halves of one layer's channels, one of which goes through a convolution: its normalization's scales stand for two channels each.
  private static func halves() -> Network {
    func layer(_ name: String, _ operation: Networks.Operation, _ inputs: String...) -> Layer {
      Layer(name: name, operation: operation, inputs: inputs)
    }
    return Network(
      name: "halves", input: Shape(channels: 3, height: 2, width: 2),
      layers: [
        layer("wide", .convolution(Convolution(outputChannels: 8, kernelSize: Extent(1))), "input"),
        layer("wide.bn", .batchNorm(BatchNorm()), "wide"),
        layer("one", .other(ChannelPart(start: 0, end: 4)), "wide.bn"),
        layer("two", .other(ChannelPart(start: 4, end: 8)), "wide.bn"),
        layer("conv", .convolution(Convolution(outputChannels: 4, kernelSize: Extent(1))), "one"),
        layer("bn", .batchNorm(BatchNorm()), "conv"), layer("sum", .add, "bn", "two"),
        layer("pool", .globalAveragePool, "sum"), layer("flat", .flatten, "pool"),
        layer("fc", .linear(Linear(outputFeatures: 3)), "flat"),
      ])
  }

  @Test("A scale of several channels is pulled by all of them", arguments: FLOPsRegularizer.Grouping.allCases)
  func shared(grouping: FLOPsRegularizer.Grouping) throws {
    let model = try Model(Self.halves(), seed: 0)
    let own: [[Float]] = [[0.5, -0.4, 0.3, 0.2, 0.1, 0.6, -0.7, 0.005], [0.3, 0.5, -0.5, 0.25]]
    for (normalization, values) in zip(model.normalizations, own) {
      try withoutGradients { try normalization.scale.tensor.copy(from: Tensor(values)) }
    }
    let scales = GroupScales(model)
    #expect(scales.widths == [8] && scales.members[0].count == 2)
    let read = try scales.read()[0]
    #expect(read[1].map(Float.init) == own[1] + own[1])
    let regularizer = FLOPsRegularizer(RelaxedCost(model.plan.resolved), grouping: grouping)
    let slope = regularizer.evaluate([read]).slopes[0]
    let direction = regularizer.magnitudeGradient([read])[0]
    for scale in scales.scales { try scale.setGradient(scale.detached().zerosLike()) }
    let shrinkage = try ScaleShrinkage(regularizer, scales, floors: [2], device: .cpu)
    try shrinkage.addGradient(1e-3)
    let found = try scales.scales.map { try #require($0.gradient).array(Float.self) }
    #expect(found[0] == direction[0].map { Float(1e-3 * slope * $0) })
    #expect(found[1] == (0..<4).map { Float(1e-3 * slope * direction[1][$0] + 1e-3 * slope * direction[1][$0 + 4]) })
    // The largest two channels stay alive, and with them what they have in common with others.
    try shrinkage.softThreshold(1e6)
    let alive = regularizer.evaluate(try scales.read()).aliveCounts
    #expect(alive[0] >= 2)
    // By the largest alone, the others feel no pull.
    let largest = try scales.scales.flatMap { try $0.array(Float.self) }.map(abs).max() ?? 1
    #expect(largest <= (grouping == .norm ? 0.0102 : 0.4))
    // Of masks, a scale has that of any of its channels.
    let mask = try scales.tensors([[read[0].map { _ in 1 }, [0, 1, 0, 0, 0, 0, 1, 0]]], rest: 1, device: .cpu)
    #expect(try mask[1].array(Float.self) == [0, 1, 1, 0])
  }

  @Test("The slopes of a cost that was measured are those of its definition at the living channels")
  func measured() throws {
    let model = try model(3)
    let resolved = model.plan.resolved
    let forms = Set(resolved.latencySteps.map(\.form))
    let table = LatencyTable(
      network: resolved.name, runtime: "libtorch", device: "known", threads: 1,
      entries: try forms.map { form in
        let inputs = form.hasOwnChannels ? [1, 3, 4, 16, 32] : []
        let outputs = [1, 4, 16, 32]
        return LatencyTable.Entry(
          form,
          try CostGrid(
            inputs: inputs, outputs: outputs,
            values: (inputs.isEmpty ? [1] : inputs).map { input in
              // Bent, so that the slope is another in every cell.
              outputs.map { 1e-6 * (10 + Double(input * $0) + Double($0 * $0)) }
            }))
      })
    try table.requireForms(of: resolved)
    let regularizer = FLOPsRegularizer(RelaxedCost(resolved, .latency(table)))
    #expect(try regularizer.evaluate(GroupScales(model).read()).slopes.allSatisfy { $0 > 0 })
    try expectSubgradient(regularizer, of: model)
  }

  @Test("A cost that was measured to fall with more channels lets no scale grow")
  func falling() throws {
    let model = try model(3)
    let resolved = model.plan.resolved
    let table = LatencyTable(
      network: resolved.name, runtime: "libtorch", device: "known", threads: 1,
      entries: try Set(resolved.latencySteps.map(\.form)).map { form in
        let inputs = form.hasOwnChannels ? [1, 32] : []
        return LatencyTable.Entry(
          form,
          try CostGrid(
            inputs: inputs, outputs: [1, 32], values: (inputs.isEmpty ? [1] : inputs).map { _ in [9e-6, 1e-6] }))
      })
    let regularizer = FLOPsRegularizer(RelaxedCost(resolved, .latency(table)))
    let scales = GroupScales(model)
    let before = try scales.read()
    #expect(regularizer.evaluate(before).slopes.allSatisfy { $0 == 0 })
    let factors = regularizer.shrinkage(before, step: 1, floors: before.map { _ in 1 })
    #expect(zip(factors.joined().joined(), before.joined().joined()).allSatisfy { $0 * $1 == $1 })
    try ScaleShrinkage(regularizer, scales, floors: before.map { _ in 1 }, device: .cpu).softThreshold(1)
    #expect(try scales.read() == before)
  }

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
    try expectSubgradient(FLOPsRegularizer(RelaxedCost(model.plan.resolved), grouping: grouping), of: model)
  }

  private func expectSubgradient(_ regularizer: FLOPsRegularizer, of model: Model) throws {
    let scales = GroupScales(model)
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
