import ImageFiles
import Loading
import Networks
import Testing
import Torch

@testable import Training

/// Narrower networks on the front slices of a model's weights.
@Suite struct SlicingTests {
  /// A standalone model of a narrower network, its weights the front corners of the wide one's.
  private func standalone(_ network: Network, from wide: Model) throws -> Model {
    let model = try Model(network, seed: 99)
    try withoutGradients {
      for (narrow, full) in zip(model.parameters, wide.parameters) {
        var slice = full.tensor
        for (dimension, size) in narrow.tensor.shape.enumerated() { slice = try slice.slice(dimension, 0..<size) }
        try narrow.tensor.copy(from: slice)
      }
    }
    return model
  }

  /// Widths that are neither even nor alike.
  private func oddWidths(_ resolved: ResolvedNetwork, variant: Int) -> Widths {
    Widths(
      Dictionary(
        uniqueKeysWithValues: resolved.widthGroups.enumerated().map { index, group in
          (group.id, max(1, group.width * (3 + (index * 5 + variant) % 6) / 9 | 1))
        }.map { ($0.0, min($0.1, resolved.widths[$0.0] ?? 1)) }))
  }

  @Test(
    "A narrower run equals a standalone network with the sliced weights",
    arguments: ["resnet20", "mobilenet_v2_cifar", "efficientnet_b0_cifar", "vgg11_cifar"], [0, 1])
  func sliceEquality(name: String, variant: Int) throws {
    let network = try NetworkZoo.network(named: name, classes: 10).scalingWidth(by: 0.5, divisor: 2)
    let model = try Model(network, seed: 1)
    let widths = oddWidths(model.plan.resolved, variant: variant)
    let plan = try ExecutionPlan(model.plan.resolved.network(with: widths))
    let alone = try standalone(plan.resolved.network, from: model)
    #expect(alone.plan.macs == plan.macs && plan.macs < model.plan.macs)
    let images = try noise([4, 3, network.input.height, network.input.width]).contiguous(.channelsLast)
    let sliced = try model.forward(images, as: plan, ForwardOptions(.batch))
    let expected = try alone.forward(images, ForwardOptions(.batch))
    #expect(try sliced.relativeDistance(to: expected) < 2e-5)
    // The same for gradients: those of the slice, and zero for all other filters.
    let labels = try Tensor([0, 3, 9, 1] as [Int64])
    try sliced.crossEntropy(labels).backward()
    try expected.crossEntropy(labels).backward()
    for (full, narrow) in zip(model.parameters, alone.parameters) {
      var corner = try #require(full.tensor.gradient)
      let inner = try #require(narrow.tensor.gradient)
      let whole = try corner.abs().sum().item()
      for (dimension, size) in inner.shape.enumerated() { corner = try corner.slice(dimension, 0..<size) }
      #expect(try (corner - inner).abs().max().item() < 1e-3 * max(0.1, try inner.abs().max().item()), "\(full.name)")
      // Exactly nothing outside of the corner: both sums add the same non-zero numbers up.
      let outside = try full.tensor.gradient.map { gradient in
        let mask = try Tensor.zeros(gradient.shape)
        var part = mask
        for (dimension, size) in inner.shape.enumerated() { part = try part.slice(dimension, 0..<size) }
        try part.fill(1)
        return try (gradient * (mask * -1 + 1)).abs().max().item()
      }
      #expect(outside == 0, "\(full.name): \(whole)")
    }
  }

  @Test("After a concatenation the front of each part is kept, not the front of the whole")
  func concatenation() throws {
    let network = Network(
      name: "concat", input: Shape(channels: 3, height: 6, width: 6),
      layers: [
        .conv("a", 6, from: "input"), .conv("b", 5, bias: true, from: "input"),
        .layer("both", .concatenate, from: "a", "b"), .norm("bn", from: "both"), .activation("relu", from: "bn"),
        .conv("dw", 11, depthwise: true, from: "relu"), .norm("bn2", from: "dw"), .conv("c", 7, 1, from: "bn2"),
        .layer("flatten", .flatten, from: "c"), .linear("fc", 4, from: "flatten"),
      ])
    let model = try Model(network, seed: 2)
    let plan = try ExecutionPlan(network.with(["a": 4, "b": 3, "c": 5]))
    let alone = try Model(plan.resolved.network, seed: 5)
    let kept = try Tensor([0, 1, 2, 3, 6, 7, 8] as [Int64])
    try withoutGradients {
      for parameter in alone.parameters {
        var value = model[parameter.name]
        switch parameter.name {
        case "a.weight": value = try value.slice(0, 0..<4)
        case "b.weight", "b.bias": value = try value.slice(0, 0..<3)
        case "c.weight": value = try value.slice(0, 0..<5).selecting(1, kept)
        case "fc.weight": value = try value.slice(1, 0..<5 * 36)
        case "fc.bias": break
        default: value = try value.selecting(0, kept)
        }
        try parameter.tensor.copy(from: value)
      }
      for (index, mean) in model.statistics.means.enumerated() {
        try mean.copy(from: noise([11], seed: 7))
        try alone.statistics.means[index].copy(from: mean.selecting(0, kept))
      }
    }
    let images = try noise([4, 3, 6, 6])
    for mode in [ForwardOptions.Normalization.batch, .evaluation] {
      let found = try model.forward(images, as: plan, ForwardOptions(mode))
      #expect(try found.relativeDistance(to: alone.forward(images, ForwardOptions(mode))) < 1e-5)
    }
  }

  @Test("Beside convolutions in groups the front of each group's channels is kept, and a chain's factors lie on them")
  func groups() throws {
    let network = Network(
      name: "grouped", input: Shape(channels: 3, height: 6, width: 6),
      layers: [
        .conv("a", 12, from: "input"), .norm("a.bn", from: "a"), .activation("relu", from: "a.bn"),
        .conv("g", 8, groups: 4, bias: true, from: "relu"), .norm("g.bn", from: "g"),
        .conv("dw", 8, depthwise: true, from: "g.bn"), .conv("c", 8, groups: 2, from: "dw"),
        .layer("flatten", .flatten, from: "c"), .linear("fc", 4, from: "flatten"),
      ])
    let model = try Model(network, seed: 2)
    #expect(model.plan.resolved.widthGroups.map(\.granularity) == [4, 4, 2])
    let plan = try ExecutionPlan(network.with(["a": 8, "g": 4, "c": 6]))
    let alone = try Model(plan.resolved.network, seed: 5)
    // The first two of three channels in each of four groups; of two, the first; of four in each of two groups, the first three.
    let a = try Tensor([0, 1, 3, 4, 6, 7, 9, 10] as [Int64])
    let g = try Tensor([0, 2, 4, 6] as [Int64])
    let c = try Tensor([0, 1, 2, 4, 5, 6] as [Int64])
    let features = try Tensor([0, 1, 2, 4, 5, 6].flatMap { channel in (0..<36).map { Int64(channel * 36 + $0) } })
    func kept(_ name: String, _ value: Tensor) throws -> Tensor {
      switch name {
      case "g.weight": try value.selecting(0, g).slice(1, 0..<2)
      // A group of it reads two groups of the one before.
      case "c.weight": try value.selecting(0, c).selecting(1, Tensor([0, 2] as [Int64]))
      case "fc.weight": try value.selecting(1, features)
      case "fc.bias": value
      default: try value.selecting(0, name.hasPrefix("a") ? a : g)
      }
    }
    try withoutGradients {
      for parameter in alone.parameters { try parameter.tensor.copy(from: kept(parameter.name, model[parameter.name])) }
      for (index, kept) in [a, g].enumerated() {
        try model.statistics.means[index].copy(from: noise(model.statistics.means[index].shape, seed: 7))
        try alone.statistics.means[index].copy(from: model.statistics.means[index].selecting(0, kept))
      }
    }
    let images = try noise([4, 3, 6, 6]).contiguous(.channelsLast)
    for mode in [ForwardOptions.Normalization.batch, .evaluation] {
      let found = try model.forward(images, as: plan, ForwardOptions(mode))
      #expect(try found.relativeDistance(to: alone.forward(images, ForwardOptions(mode))) < 1e-5)
    }
    let labels = try Tensor([0, 3, 2, 1] as [Int64])
    try model.forward(images, as: plan, ForwardOptions(.batch)).crossEntropy(labels).backward()
    try alone.forward(images, ForwardOptions(.batch)).crossEntropy(labels).backward()
    for parameter in alone.parameters {
      let (full, narrow) = (try #require(model[parameter.name].gradient), try #require(parameter.tensor.gradient))
      #expect(try (kept(parameter.name, full) - narrow).abs().max().item() < 1e-4, "\(parameter.name)")
      let outside = try full.abs().sum().item() - kept(parameter.name, full).abs().sum().item()
      #expect(abs(outside) <= 1e-4 * (try full.abs().sum().item()), "\(parameter.name)")
    }
  }

  @Test("Gradients of several passes add up, and an unused filter's is zero for each")
  func sumRule() throws {
    let model = try Model(toyNetwork(), seed: 1)
    let resolved = model.plan.resolved
    let widths: [Widths] = [
      resolved.widths, ["stem": 2, "conv1": 1, "conv2": 3], ["stem": 5, "conv1": 4, "conv2": 3],
      ["stem": 3, "conv1": 5, "conv2": 7],
    ]
    let plans = try widths.map { try ExecutionPlan(resolved.network(with: $0)) }
    let images = try noise([5, 1, 8, 8])
    let labels = try Tensor([0, 1, 2, 3, 0] as [Int64])
    func pass(_ plan: ExecutionPlan) throws {
      try model.forward(images, as: plan, ForwardOptions(.batch)).crossEntropy(labels).backward()
    }
    var sums = try model.tensors.map { try $0.detached().zerosLike() }
    for plan in plans {
      try Tensor.clearGradients(model.tensors)
      try pass(plan)
      sums = try zip(sums, model.tensors).map { try $0 + $1.gradient! }
    }
    try Tensor.clearGradients(model.tensors)
    for plan in plans { try pass(plan) }
    for (sum, parameter) in zip(sums, model.parameters) {
      #expect(try parameter.tensor.gradient!.relativeDistance(to: sum) < 1e-5, "\(parameter.name)")
    }
    try Tensor.clearGradients(model.tensors)
    for plan in plans[1...2] { try pass(plan) }
    #expect(try model["stem.weight"].gradient!.slice(0, 5..<6).floats.allSatisfy { $0 == 0 })
    #expect(try model["conv2.weight"].gradient!.slice(0, 3..<8).floats.allSatisfy { $0 == 0 })
    #expect(try model["fc.weight"].gradient!.slice(1, 3 * 4..<8 * 4).floats.allSatisfy { $0 == 0 })
  }

  @Test("Only the training and recalibration modes touch running statistics")
  func normalizationModes() throws {
    let model = try Model(toyNetwork(), seed: 1)
    let images = try noise([5, 1, 8, 8])
    let before = try model.bits()
    let narrow = try ExecutionPlan(model.network.with(["stem": 3]))
    for mode in [ForwardOptions.Normalization.batch, .evaluation] {
      _ = try model.forward(images, ForwardOptions(mode))
      _ = try model.forward(images, as: narrow, ForwardOptions(mode))
    }
    #expect(try model.bits() == before)
    #expect(model.statistics.batchesTracked == [0, 0, 0, 0])
    _ = try model.forward(images, ForwardOptions(.training))
    #expect(try model.bits() != before)
    #expect(model.statistics.batchesTracked == [1, 1, 1, 1])
  }

  @Test("Recalibration gives the mean over the batches, not the last one", arguments: [false, true])
  func recalibration(isNarrower: Bool) throws {
    let model = try Model(toyNetwork(), seed: 1)
    let loader = try toyDataset.heldOutLoader(batchSize: 16)
    let plan = isNarrower ? try ExecutionPlan(model.network.with(["stem": 4, "conv1": 3])) : nil
    let statistics = try plan.map { try BatchStatistics(for: $0, device: .cpu) } ?? model.statistics
    try statistics.means[0].fill(7)
    try model.recalibrate(plan == nil ? nil : statistics, as: plan, batches: 3, of: loader)
    #expect(statistics.batchesTracked == [3, 3, 3, 3])
    let channels = isNarrower ? 4 : 6
    let mean = try Tensor.zeros([channels])
    let variance = try Tensor.zeros([channels])
    let stream = loader.epoch(0)
    for _ in 0..<3 {
      let batch = try #require(try stream.next())
      let values = try batch.images.conv2d(model["stem.weight"].detached().slice(0, 0..<channels), padding: Size2D(1))
      try mean.add(inPlace: values.mean([0, 2, 3]), times: 1 / 3)
      try variance.add(inPlace: values.variance([0, 2, 3], unbiased: true), times: 1 / 3)
    }
    #expect(try statistics.means[0].relativeDistance(to: mean) < 1e-5)
    #expect(try statistics.variances[0].relativeDistance(to: variance) < 1e-5)
    let result = try model.evaluate(loader, as: plan, statistics: plan == nil ? nil : statistics)
    #expect(result.images == 64 && result.loss.isFinite)
  }
}

/// Factors on channels, which stand for the probability of keeping them (Guo et al. 2020).
@Suite struct ChannelScaleTests {
  private func scales(_ resolved: ResolvedNetwork, kept: (WidthGroup) -> Int) throws -> [WidthGroup.ID: Tensor] {
    try Dictionary(
      uniqueKeysWithValues: resolved.widthGroups.map { group in
        (group.id, try Tensor((0..<group.width).map { $0 < kept(group) ? Float(1) : 0 }))
      })
  }

  @Test("Behind a split the factors are those of the places that go in every part")
  func split() throws {
    // A Res2Net block: quarters of one layer's channels, which go through convolutions one after the other.
    var layers: [Layer] = [.conv("wide", 16, from: "input"), .norm("wide.bn", from: "wide")]
    for part in 0..<4 {
      layers.append(
        Layer(
          name: "part\(part)", operation: .other(ChannelPart(start: 4 * part, end: 4 * part + 4)), inputs: ["wide.bn"]))
    }
    layers += [
      .conv("c0", 4, from: "part0"), .norm("c0.bn", from: "c0"),
      Layer(name: "sum", operation: .add, inputs: ["c0.bn", "part1"]), .conv("c1", 4, from: "sum"),
      .norm("c1.bn", from: "c1"),
      Layer(name: "join", operation: .concatenate, inputs: ["c0.bn", "c1.bn", "part2", "part3"]),
      .conv("last", 6, from: "join"), .norm("last.bn", from: "last"),
      Layer(name: "mean", operation: .globalAveragePool, inputs: ["last.bn"]),
      .layer("flatten", .flatten, from: "mean"), .linear("fc", 4, from: "flatten"),
    ]
    let network = Network(name: "quarters", input: Shape(channels: 3, height: 6, width: 6), layers: layers)
    let model = try Model(network, seed: 4)
    let wide = try #require(model.plan.resolved.widthGroups.first)
    #expect(wide.granularity == 4 && wide.layers.contains("c0"))
    let images = try noise([4, 3, 6, 6])
    for kept in 1..<4 {
      // The first of each quarter.
      let factors = try Tensor((0..<16).map { $0 % 4 < kept ? Float(1) : 0 })
      let scaled = try model.forward(images, ForwardOptions(.batch, channelScales: [wide.id: factors]))
      let plan = try ExecutionPlan(network.with([wide.id: 4 * kept]))
      let narrow = try model.forward(images, as: plan, ForwardOptions(.batch))
      #expect(try scaled.relativeDistance(to: narrow) < 1e-5)
    }
  }

  @Test("Factors of 1 change no bit", arguments: ["resnet20", "mobilenet_v2_cifar"])
  func ones(name: String) throws {
    let model = try Model(NetworkZoo.network(named: name, classes: 10).scalingWidth(by: 0.25, divisor: 2), seed: 1)
    let images = try noise([4, 3, 32, 32])
    let plain = try model.forward(images, ForwardOptions(.batch))
    let scaled = try model.forward(
      images, ForwardOptions(.batch, channelScales: scales(model.plan.resolved) { $0.width }))
    #expect(try plain.floats == scaled.floats)
  }

  @Test("Factors of 0 beyond the front equal the narrow network", arguments: ["resnet20", "mobilenet_v2_cifar"])
  func zeros(name: String) throws {
    let network = try NetworkZoo.network(named: name, classes: 10).scalingWidth(by: 0.5, divisor: 2)
    let model = try Model(network, seed: 1)
    let kept = { (group: WidthGroup) in max(1, group.width / 3) }
    let resolved = model.plan.resolved
    let widths = Widths(Dictionary(uniqueKeysWithValues: resolved.widthGroups.map { ($0.id, kept($0)) }))
    let images = try noise([8, 3, 32, 32])
    // Shifts that are not zero, so that a masked channel would show if its shift were not masked as well.
    try withoutGradients {
      for parameter in model.parameters where parameter.role == .normShift {
        try parameter.tensor.copy(from: noise(parameter.tensor.shape, seed: 3))
      }
    }
    let narrow = try model.forward(images, as: ExecutionPlan(resolved.network(with: widths)), ForwardOptions(.batch))
    let masked = try model.forward(images, ForwardOptions(.batch, channelScales: scales(resolved, kept: kept)))
    #expect(try masked.relativeDistance(to: narrow) < 1e-4)
    #expect(try masked.relativeDistance(to: model.forward(images, ForwardOptions(.batch))) > 0.05)
  }

  @Test(
    "Channels that no batch normalization follows take their factors where they come from: 1 changes no bit, 0 is the narrow network"
  )
  func withoutNormalization() throws {
    func convolution(_ channels: Int, groups: Convolution.Grouping = .dense) -> Networks.Operation {
      .convolution(Convolution(outputChannels: channels, kernelSize: 3, padding: 1, grouping: groups, hasBias: true))
    }
    let standardized = Convolution(outputChannels: 8, kernelSize: 3, padding: 1, grouping: .grouped(2), hasBias: true)
    let layers = [
      Layer(name: "stem", operation: convolution(8), inputs: ["input"]),
      Layer(name: "relu", operation: .activation(.relu), inputs: ["stem"]),
      Layer(name: "inner", operation: convolution(12), inputs: ["relu"]),
      Layer(name: "leak", operation: .other(NegativeSlope(slope: 0.2)), inputs: ["inner"]),
      Layer(name: "back", operation: convolution(8), inputs: ["leak"]),
      Layer(name: "sum", operation: .add, inputs: ["back", "relu"]),
      Layer(
        name: "grouped", operation: .other(StandardizedConvolution(standardized, gamma: 1.7, initialGain: 0.9)),
        inputs: ["sum"]),
      Layer(name: "mean", operation: .globalAveragePool, inputs: ["grouped"]),
      Layer(name: "flat", operation: .flatten, inputs: ["mean"]),
      Layer(name: "hidden", operation: .linear(Linear(outputFeatures: 6)), inputs: ["flat"]),
      Layer(name: "classes", operation: .linear(Linear(outputFeatures: 3)), inputs: ["hidden"]),
    ]
    let network = Network(name: "plain", input: Shape(channels: 3, height: 6, width: 5), layers: layers)
    let model = try Model(network, seed: 1)
    let resolved = model.plan.resolved
    #expect(resolved.widthGroups.map(\.granularity).contains(2))
    try withoutGradients {
      for parameter in model.parameters where parameter.role == .bias {
        try parameter.tensor.copy(from: noise(parameter.tensor.shape, seed: 3))
      }
    }
    let kept = { (group: WidthGroup) in max(group.granularity, group.width / 2 / group.granularity * group.granularity)
    }
    let images = try noise([4, 3, 6, 5])
    for placement in [ForwardOptions.ScalePlacement.normalizations, .additions] {
      var ones = ForwardOptions(.batch, channelScales: try scales(resolved) { $0.width })
      var halves = ForwardOptions(.batch, channelScales: try scales(resolved, kept: kept))
      (ones.scalePlacement, halves.scalePlacement) = (placement, placement)
      #expect(try model.forward(images, ones).floats == model.forward(images, ForwardOptions(.batch)).floats)
      // A grouped convolution keeps the front of each group, which the front of all is not.
      var widths = Widths(Dictionary(uniqueKeysWithValues: resolved.widthGroups.map { ($0.id, kept($0)) }))
      for group in resolved.widthGroups where group.granularity > 1 {
        widths[group.id] = group.width
        halves.channelScales[group.id] = ones.channelScales[group.id]
      }
      let narrow = try model.forward(images, as: ExecutionPlan(resolved.network(with: widths)), ForwardOptions(.batch))
      #expect(try model.forward(images, halves).relativeDistance(to: narrow) < 1e-5)
    }
    // Narrower beside the grouped one, too: its filters are cut on both sides.
    let widths = Widths(Dictionary(uniqueKeysWithValues: resolved.widthGroups.map { ($0.id, kept($0)) }))
    let narrow = try model.forward(images, as: ExecutionPlan(resolved.network(with: widths)), ForwardOptions(.batch))
    #expect(narrow.shape == [4, 3])
  }

  @Test("A normalization after a concatenation takes the factors of each part, and passes gradients to them")
  func concatenation() throws {
    let network = Network(
      name: "dense", input: Shape(channels: 3, height: 6, width: 6),
      layers: [
        .conv("a", 6, from: "input"), .conv("b", 5, from: "input"), .layer("both", .concatenate, from: "a", "b"),
        .norm("bn", from: "both"), .activation("relu", from: "bn"), .layer("flatten", .flatten, from: "relu"),
        .norm("bn1d", from: "flatten"), .linear("fc", 4, from: "bn1d"),
      ])
    let model = try Model(network, seed: 2)
    let resolved = model.plan.resolved
    let images = try noise([4, 3, 6, 6])
    let kept = ["a": 4, "b": 2]
    let factors = try scales(resolved) { kept[$0.id] ?? 0 }
    for factor in factors.values { try factor.setRequiresGradient(true) }
    let masked = try model.forward(images, ForwardOptions(.batch, channelScales: factors))
    // After a flatten the narrow network reads the front of each part too.
    let narrow = try model.forward(
      images, as: ExecutionPlan(network.with(["a": 4, "b": 2])), ForwardOptions(.batch))
    #expect(try masked.relativeDistance(to: narrow) < 1e-5)
    let gradients = try masked.crossEntropy(Tensor([0, 1, 2, 3] as [Int64])).gradients(of: [
      factors["a"]!, factors["b"]!,
    ])
    for gradient in gradients { #expect(try #require(gradient).abs().max().item() > 0) }
  }
}
