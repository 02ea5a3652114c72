import Foundation
import Interchange
import Networks
import Support
import SwiftProtobuf
import Testing

@testable import ONNX

/// What is written comes back.
@Suite struct ONNXRoundTripTests {
  /// Numbers that differ for every tensor and place, positive as variances must be.
  private static func numbers(_ name: String, _ count: Int) -> [Float] {
    let seed = name.utf8.reduce(7) { ($0 &* 31 &+ Int($1)) & 0xffff }
    return (0..<count).map { Float((seed &+ $0 &* 7919) & 0x3ff) / 1024 + 0.125 }
  }

  private static func counts(_ network: ResolvedNetwork) -> [String: Int] {
    var counts: [String: Int] = [:]
    for layer in network.layers {
      let own = layer.layer.name
      for form in layer.layer.operation.definition.parameters {
        counts[form.name(in: own)] = form.shape(
          input: layer.inputs.first?.channels ?? 0, output: layer.output.channels
        ).reduce(1, *)
      }
      if case .batchNorm = layer.layer.operation {
        for name in ["running_mean", "running_var"] { counts["\(own).\(name)"] = layer.output.channels }
      }
    }
    return counts
  }

  private func read(
    _ network: ResolvedNetwork, folds: Bool = false, described: Bool = true,
    _ body: (String) throws -> Void
  ) throws {
    let counts = Self.counts(network)
    let text = String(decoding: try network.network.json(), as: UTF8.self)
    let export = ONNXExport(
      network, batchNormalization: folds ? .fold : .keep,
      metadata: described ? [ONNXDescription.key: text] : [:], version: "test")
    let folder = NSTemporaryDirectory() + "width-transfer-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/\(network.name).onnx"
    try export.data { Self.numbers($0, counts[$0] ?? 0) }.write(to: URL(fileURLWithPath: path))
    try body(path)
  }

  @Test(
    "A network of the zoo comes back as itself, batch normalization folded or not",
    arguments: ["resnet20", "mobilenet_v2_cifar", "efficientnet_b0", "vgg16_bn"], [false, true])
  func zoo(_ name: String, _ folds: Bool) throws {
    // Small, since bytes are not what this is about.
    let network = try NetworkZoo.network(named: name).scalingWidth(by: 0.125, divisor: 4).resolved()
    try read(network, folds: folds) { path in
      let found = try ONNXImport(path: path).network
      #expect(found == network.network)
    }
  }

  @Test("Weights come back as they were; behind a folded normalization what is left is its shift")
  func weights() throws {
    let network = try NetworkZoo.network(named: "resnet20").resolved()
    try read(network) { path in
      let file = try ONNXImport(path: path).weights()
      let counts = Self.counts(network)
      let names = Set(file.names)
      #expect(names == Set(counts.keys))
      for (name, count) in counts {
        let found = try file.withBytes(of: name) { Array($0.bindMemory(to: Float.self)) }
        #expect(found == Self.numbers(name, count), "\(name)")
      }
    }
    try read(network, folds: true) { path in
      let file = try ONNXImport(path: path).weights()
      func numbers(_ name: String) throws -> [Float] {
        try file.withBytes(of: name) { Array($0.bindMemory(to: Float.self)) }
      }
      #expect(try numbers("bn1.weight").allSatisfy { $0 == 1 })
      #expect(try numbers("bn1.running_mean").allSatisfy { $0 == 0 })
      let (beta, mean) = (Self.numbers("bn1.bias", 16), Self.numbers("bn1.running_mean", 16))
      let (gamma, variance) = (Self.numbers("bn1.weight", 16), Self.numbers("bn1.running_var", 16))
      for (channel, shift) in try numbers("bn1.bias").enumerated() {
        let expected = beta[channel] - mean[channel] * gamma[channel] / (variance[channel] + 1e-5).squareRoot()
        #expect(abs(shift - expected) < 1e-5)
      }
    }
  }

  @Test(
    "An adaptive pool whose windows overlap comes back as itself, with and without a description", arguments: [32, 256])
  func adaptivePool(resolution: Int) throws {
    let network = try NetworkZoo.network(named: "vgg16_bn", classes: 10, resolution: resolution)
      .scalingWidth(by: 0.0625, divisor: 4).resolved()
    try read(network) { path in
      #expect(try ONNXImport(path: path).network == network.network)
      var model = try PBModelProto(serializedBytes: Data(contentsOf: URL(fileURLWithPath: path)))
      model.metadataProps = []
      try model.serializedData().write(to: URL(fileURLWithPath: path))
      let found = try ONNXImport(path: path).network
      #expect(found.layers.contains { $0.operation == .adaptiveAveragePool(AdaptivePool(height: 7, width: 7)) })
      #expect(try found.resolved().widthGroups.map(\.width) == network.widthGroups.map(\.width))
      #expect(try found.resolved().cost.macs == network.cost.macs)
      // Another matrix is another function.
      let matrix = try #require(
        model.graph.node.firstIndex { $0.opType == "Constant" && $0.output[0].hasSuffix("rows") })
      model.graph.node[matrix].attribute[0].t.rawData[3] ^= 1
      try model.serializedData().write(to: URL(fileURLWithPath: path))
      #expect(
        try !ONNXImport(path: path).network.layers.contains {
          if case .adaptiveAveragePool = $0.operation { true } else { false }
        })
    }
  }

  @Test("A graph that is not what its description says is read as it is")
  func changed() throws {
    let plain = try NetworkZoo.network(named: "resnet20").resolved()
    try read(plain) { path in
      // Neither weights nor costs tell one function from another.
      let model = try PBModelProto(serializedBytes: Data(contentsOf: URL(fileURLWithPath: path)))
      var edited = model
      for index in edited.graph.node.indices where edited.graph.node[index].opType == "Relu" {
        edited.graph.node[index].opType = "HardSwish"
      }
      try edited.serializedData().write(to: URL(fileURLWithPath: path))
      let found = try ONNXImport(path: path).network
      #expect(found.layers.contains { $0.operation == .activation(.hardSwish) })
      #expect(!found.layers.contains { $0.operation == .activation(.relu) })
      edited = model
      let norm = try #require(edited.graph.node.firstIndex { $0.opType == "BatchNormalization" })
      let epsilon = try #require(edited.graph.node[norm].attribute.firstIndex { $0.name == "epsilon" })
      edited.graph.node[norm].attribute[epsilon].f = 0.25
      try edited.serializedData().write(to: URL(fileURLWithPath: path))
      let other = try ONNXImport(path: path).network
      #expect(
        other.layers.contains { if case .batchNorm(let norm) = $0.operation { norm.epsilon == 0.25 } else { false } })
    }
    let network = try NetworkZoo.network(named: "resnet20").resolved()
    try read(network) { path in
      var model = try PBModelProto(serializedBytes: Data(contentsOf: URL(fileURLWithPath: path)))
      let index = try #require(model.metadataProps.firstIndex { $0.key == ONNXDescription.key })
      let other = try network.scalingDepth(by: 2).network
      model.metadataProps[index].value = String(decoding: try other.json(), as: UTF8.self)
      try model.serializedData().write(to: URL(fileURLWithPath: path))
      let found = try ONNXImport(path: path).network
      #expect(found.layers.count == network.layers.count)
      model.metadataProps[index].value = "{\"name\":"
      try model.serializedData().write(to: URL(fileURLWithPath: path))
      let again = try ONNXImport(path: path).network
      #expect(again.layers.count == network.layers.count)
    }
  }

  /// One of everything that stands in `Operation.other`.
  private func others() throws -> ResolvedNetwork {
    func convolution(_ channels: Int) -> Networks.Operation {
      .convolution(Convolution(outputChannels: channels, kernelSize: 1))
    }
    let layers = [
      Layer(name: "stem", operation: convolution(8), inputs: ["input"]),
      Layer(name: "norm", operation: .other(LayerNorm(epsilon: 1e-6)), inputs: ["stem"]),
      Layer(name: "shiftless", operation: .other(LayerNorm(hasBias: false)), inputs: ["norm"]),
      Layer(name: "again", operation: convolution(8), inputs: ["shiftless"]),
      Layer(name: "groups", operation: .other(GroupNorm(groups: 4)), inputs: ["again"]),
      Layer(name: "once more", operation: convolution(8), inputs: ["groups"]),
      Layer(
        name: "plain", operation: .other(GroupNorm(groups: 2, epsilon: 1e-3, hasBias: false)), inputs: ["once more"]),
      Layer(name: "shuffle", operation: .other(ChannelShuffle(groups: 2)), inputs: ["plain"]),
      Layer(name: "left", operation: .other(ChannelPart(start: 0, end: 4)), inputs: ["shuffle"]),
      Layer(name: "mix", operation: .other(PointwiseLinear(outputFeatures: 4)), inputs: ["left"]),
      Layer(name: "gamma", operation: .other(ChannelScale(initialValue: 1)), inputs: ["mix"]),
      Layer(name: "right", operation: .other(ChannelPart(start: 4, end: 8)), inputs: ["shuffle"]),
      Layer(name: "sum", operation: .add, inputs: ["gamma", "right"]),
      Layer(name: "block.grn", operation: .other(GlobalResponseNorm(epsilon: 1e-5)), inputs: ["sum"]),
      Layer(name: "lab.scale", operation: .other(LearnedNumber()), inputs: ["block.grn"]),
      Layer(name: "lab.bias", operation: .other(LearnedNumber(isShift: true, rank: 0)), inputs: ["lab.scale"]),
      Layer(name: "pad", operation: .other(Padding(bottom: 1, right: 2)), inputs: ["lab.bias"]),
      Layer(
        name: "pool", operation: .maxPool(Pool(kernelSize: 2, stride: 2)), inputs: ["pad"]),
      Layer(name: "mean", operation: .globalAveragePool, inputs: ["pool"]),
      Layer(name: "flat", operation: .flatten, inputs: ["mean"]),
      Layer(name: "hidden", operation: .linear(Linear(outputFeatures: 5)), inputs: ["flat"]),
      Layer(name: "head.norm", operation: .other(LayerNorm(epsilon: 1e-6)), inputs: ["hidden"]),
      Layer(name: "residual", operation: .add, inputs: ["hidden", "head.norm"]),
      Layer(name: "classes", operation: .linear(Linear(outputFeatures: 3)), inputs: ["residual"]),
    ]
    return try Network(name: "others", input: Shape(channels: 3, height: 7, width: 6), layers: layers).resolved()
  }

  @Test("Norms, shuffles, parts, scales, pads and pointwise layers come back from the graph alone, with their weights")
  func otherOperations() throws {
    let network = try others()
    try read(network, described: false) { path in
      let found = try ONNXImport(path: path)
      let (own, other) = (network.network.layers, found.network.layers)
      #expect(own.count == other.count)
      for (one, same) in zip(own, other) { #expect(one.operation == same.operation, "\(one.name)") }
      let weighted = own.filter(\.operation.hasParameters).map(\.name)
      #expect(other.filter(\.operation.hasParameters).map(\.name) == weighted)
      let groups = try found.network.widthGroups
      #expect(groups.map(\.id) == network.widthGroups.map(\.id))
      let file = try found.weights()
      for (name, count) in Self.counts(network) {
        let numbers = try file.withBytes(of: name) { Array($0.bindMemory(to: Float.self)) }
        #expect(numbers == Self.numbers(name, count), "\(name)")
      }
    }
  }

  /// Branches, shares, contexts and filters that are standardized or fixed.
  private func branches() throws -> ResolvedNetwork {
    func convolution(_ channels: Int, bias: Bool = false) -> Networks.Operation {
      .convolution(Convolution(outputChannels: channels, kernelSize: 1, hasBias: bias))
    }
    let stem = Convolution(outputChannels: 8, kernelSize: 3, padding: 1, hasBias: true)
    let layers = [
      Layer(name: "squares", operation: .other(SpaceToDepth(blockSize: 2)), inputs: ["input"]),
      Layer(
        name: "stem", operation: .other(StandardizedConvolution(stem, gamma: 1.7, initialGain: 1)), inputs: ["squares"]),
      Layer(
        name: "mirror", operation: .other(Padding(top: 1, bottom: 1, left: 1, right: 2, isReflected: true)),
        inputs: ["stem"]),
      Layer(
        name: "blur",
        operation: .other(FixedFilter(coefficients: [[0.0625, 0.125], [0.25, 0.5625]], stride: 2)), inputs: ["mirror"]),
      Layer(name: "one", operation: .other(ChannelPart(start: 0, end: 4)), inputs: ["blur"]),
      Layer(name: "two", operation: .other(ChannelPart(start: 4, end: 8)), inputs: ["blur"]),
      Layer(name: "both", operation: .add, inputs: ["one", "two"]),
      Layer(name: "mean", operation: .globalAveragePool, inputs: ["both"]),
      Layer(name: "fc.one", operation: convolution(4), inputs: ["mean"]),
      Layer(name: "fc.two", operation: convolution(4), inputs: ["mean"]),
      Layer(name: "share.one", operation: .other(SoftmaxShare(branch: 0)), inputs: ["fc.one", "fc.two"]),
      Layer(name: "weighed.one", operation: .multiply, inputs: ["one", "share.one"]),
      Layer(name: "share.two", operation: .other(SoftmaxShare(branch: 1)), inputs: ["fc.one", "fc.two"]),
      Layer(name: "weighed.two", operation: .multiply, inputs: ["two", "share.two"]),
      Layer(name: "chosen", operation: .add, inputs: ["weighed.one", "weighed.two"]),
      Layer(name: "scores", operation: convolution(1, bias: true), inputs: ["chosen"]),
      Layer(name: "context", operation: .other(AttentionPool()), inputs: ["chosen", "scores"]),
      Layer(
        name: "plain",
        operation: .other(StandardizedConvolution(Convolution(outputChannels: 4, kernelSize: 1), epsilon: 1e-6)),
        inputs: ["context"]),
      Layer(name: "moved", operation: .other(VectorAddition()), inputs: ["chosen", "plain"]),
      Layer(name: "leak", operation: .other(NegativeSlope(slope: 0.2)), inputs: ["moved"]),
      Layer(name: "prelu", operation: .other(LearnedSlope()), inputs: ["leak"]),
      Layer(name: "prelu.one", operation: .other(LearnedSlope(isShared: true)), inputs: ["prelu"]),
      Layer(name: "elu", operation: .other(ExponentialUnit(alpha: 0.75)), inputs: ["prelu.one"]),
      Layer(name: "celu", operation: .other(ExponentialUnit(alpha: 0.5, isContinuous: true)), inputs: ["elu"]),
      Layer(name: "selu", operation: .other(ElementFunction.selu), inputs: ["celu"]),
      Layer(name: "softplus", operation: .other(ElementFunction.softplus), inputs: ["selu"]),
      Layer(name: "softsign", operation: .other(ElementFunction.softsign), inputs: ["softplus"]),
      Layer(name: "approximate", operation: .other(ElementFunction.geluTanh), inputs: ["softsign"]),
      Layer(name: "tanh", operation: .other(ElementFunction.tanh), inputs: ["approximate"]),
      Layer(name: "clamped", operation: .other(Clamp(least: -0.5, most: 0.75)), inputs: ["tanh"]),
      Layer(name: "small", operation: .averagePool(Pool(kernelSize: 3, stride: 3)), inputs: ["clamped"]),
      Layer(name: "gate", operation: .other(ResizeLike()), inputs: ["small", "clamped"]),
      Layer(name: "gated", operation: .multiply, inputs: ["clamped", "gate"]),
      Layer(name: "last", operation: .globalAveragePool, inputs: ["gated"]),
      Layer(name: "flat", operation: .flatten, inputs: ["last"]),
      Layer(name: "classes", operation: .linear(Linear(outputFeatures: 3)), inputs: ["flat"]),
    ]
    return try Network(name: "branches", input: Shape(channels: 2, height: 20, width: 22), layers: layers).resolved()
  }

  @Test("Branches, shares, contexts, squares, mirrors, fixed and standardized filters come back from the graph alone")
  func branchOperations() throws {
    let network = try branches()
    try read(network, described: false) { path in
      let found = try ONNXImport(path: path)
      let (own, other) = (network.network.layers, found.network.layers)
      for (one, same) in zip(own, other) { #expect(one.operation == same.operation, "\(one.name)") }
      #expect(own.count == other.count)
      let weighted = own.filter(\.operation.hasParameters).map(\.name)
      #expect(other.filter(\.operation.hasParameters).map(\.name) == weighted)
      let groups = try found.network.resolved().widthGroups
      #expect(groups.map(\.id) == network.widthGroups.map(\.id))
      #expect(groups.map(\.layers) == network.widthGroups.map(\.layers))
      let file = try found.weights()
      for (name, count) in Self.counts(network) {
        let numbers = try file.withBytes(of: name) { Array($0.bindMemory(to: Float.self)) }
        #expect(numbers == Self.numbers(name, count), "\(name)")
      }
    }
  }

  @Test("Every free width of branches can be halved; the one channel of scores stays")
  func halvedBranches() throws {
    let network = try branches()
    let groups = network.widthGroups
    #expect(!groups.contains { $0.layers.contains("scores") })
    #expect(groups.contains { Set($0.layers).isSuperset(of: ["stem", "fc.one", "fc.two", "plain"]) })
    let halves = PerGroup(
      Dictionary(
        uniqueKeysWithValues: groups.map {
          ($0.id, max($0.granularity, $0.width / 2 / $0.granularity * $0.granularity))
        }))
    let narrow = try network.with(halves)
    #expect(narrow.layers.first { $0.layer.name == "squares" }?.output.channels == 8)
    #expect(narrow.cost.macs < network.cost.macs)
    try read(narrow, described: false) { path in
      let found = try ONNXImport(path: path).network.resolved()
      #expect(found.cost == narrow.cost)
    }
  }
}
