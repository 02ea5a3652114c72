import Foundation
import Networks
import Testing
import Torch

@testable import Training

/// A network with layers of every kind against values that PyTorch 2.13 computed in double precision.
///
/// Inputs and weights are `shift + scale · sin(0.7 i + phase)`, so that both sides make them from the formula. The script:
/// the same graph out of `torch.nn.functional`, then `F.cross_entropy(y, [0, 3, 1]).backward()`.
@Suite struct ReferenceNetworkTests {
  static let network = Network(
    name: "reference", input: Shape(channels: 2, height: 7, width: 7),
    layers: [
      .conv("conv1", 6, stride: 2, from: "input"), .norm("bn1", from: "conv1"), .activation("relu1", from: "bn1"),
      .conv("dw", 6, depthwise: true, from: "relu1"), .norm("bn2", from: "dw"),
      .activation("relu2", .relu6, from: "bn2"), .layer("squeeze", .globalAveragePool, from: "relu2"),
      .conv("fc1", 3, 1, bias: true, derived: .init(source: "conv1", divisor: 2), from: "squeeze"),
      .activation("silu1", .silu, from: "fc1"), .conv("fc2", 6, 1, bias: true, from: "silu1"),
      .activation("gate", .sigmoid, from: "fc2"), .layer("scaled", .multiply, from: "relu2", "gate"),
      .layer("add", .add, from: "scaled", "relu1"), .conv("proj", 4, 1, stride: 2, from: "add"),
      .norm("bn3", from: "proj"), .conv("dil", 5, padding: 2, dilation: 2, bias: true, from: "add"),
      .layer("max", .maxPool(Pool(kernelSize: 3, stride: 2, padding: 1, roundsUp: true)), from: "dil"),
      .layer("mean", .averagePool(Pool(kernelSize: 2, stride: 1)), from: "max"),
      .layer("both", .concatenate, from: "bn3", "mean"),
      .layer(
        "border", .averagePool(Pool(kernelSize: 2, stride: 1, padding: 1, countsPadding: false)), from: "both"),
      .layer("adaptive", .adaptiveAveragePool(AdaptivePool(height: 2, width: 2)), from: "border"),
      .layer("flatten", .flatten, from: "adaptive"), .linear("hidden", 8, from: "flatten"),
      .activation("silu2", .silu, from: "hidden"), .linear("out", 4, from: "silu2"),
    ])

  static let logits = [
    -0.0886608, 0.2667906, 0.4944285, 0.4894118, 0.620542, 0.7871903, 0.5924341, 0.1210317, 0.6451438, 0.9189082,
    0.7721442, 0.2680678,
  ]
  static let loss = 1.5873276
  /// Σ gᵢ cos i and |g| of each parameter's gradient, in the order of the state dict.
  static let gradients: [(name: String, projection: Double, norm: Double)] = [
    ("conv1.weight", -0.3662758, 5.4175408), ("bn1.weight", -0.1874483, 0.2553523),
    ("bn1.bias", -0.3087885, 0.2750321), ("dw.weight", 0.5687024, 0.7049563), ("bn2.weight", 0.0314917, 0.0308154),
    ("bn2.bias", 0.0078726, 0.0938781), ("fc1.weight", 0.0167101, 0.0162389), ("fc1.bias", -0.0112856, 0.0102826),
    ("fc2.weight", 0.0186429, 0.0219028), ("fc2.bias", 0.0077971, 0.0174085), ("proj.weight", 0.1077397, 0.2038348),
    ("bn3.weight", -0.0971173, 0.0656052), ("bn3.bias", -0.1048965, 0.2688422), ("dil.weight", -0.4716727, 0.8265629),
    ("dil.bias", -0.0394738, 0.2867930), ("hidden.weight", -0.0073783, 3.0665807),
    ("hidden.bias", -0.3265732, 0.1896200), ("out.weight", 0.0822552, 0.5843343), ("out.bias", -0.1233598, 0.3258788),
  ]
  static let variances = [
    [0.9056401, 0.905516, 0.9053863, 0.9052517, 0.9051127, 0.9049701],
    [0.9962306, 0.9390259, 0.9092003, 0.9020487, 0.9034869, 0.9230486], [0.9218472, 0.9323142, 0.9078675, 0.9227903],
  ]
  static let evaluationLogits = [
    0.0125008, 0.3818876, 0.5717975, 0.4943242, 0.0081481, 0.3772775, 0.5689993, 0.4945941, -0.0116262, 0.3487955,
    0.5445944, 0.4852206,
  ]

  static func values(_ shape: [Int], phase: Double, scale: Double = 0.5, shift: Double = 0) throws -> Tensor {
    try Tensor((0..<shape.reduce(1, *)).map { Float(shift + scale * sin(0.7 * Double($0) + phase)) }, shape: shape)
  }

  static func model() throws -> Model {
    let model = try Model(network, seed: 0)
    try withoutGradients {
      for (index, parameter) in model.parameters.enumerated() {
        try parameter.tensor.copy(
          from: values(
            parameter.tensor.shape, phase: Double(index + 1), shift: parameter.role == .normScale ? 1 : 0))
      }
    }
    return model
  }

  private func expect(
    _ found: [Float], _ expected: [Double], _ what: String = "", sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(found.count == expected.count, sourceLocation: sourceLocation)
    for (value, reference) in zip(found, expected) {
      #expect(
        abs(Double(value) - reference) < 1e-5 * max(1, abs(reference)), "\(what): \(value), not \(reference)",
        sourceLocation: sourceLocation)
    }
  }

  @Test("Logits, loss, gradients and running statistics equal PyTorch's", arguments: [true, false])
  func equalsPyTorch(reusesBuffers: Bool) throws {
    let model = try Self.model()
    let images = try Self.values([3, 2, 7, 7], phase: 0.3, scale: 1.3).contiguous(.channelsLast)
    let logits = try model.forward(images, ForwardOptions(.training, reusesBuffers: reusesBuffers))
    expect(try logits.floats, Self.logits, "logits")
    let loss = try logits.crossEntropy(Tensor([0, 3, 1] as [Int64]))
    #expect(abs(try loss.item() - Self.loss) < 1e-5)
    try loss.backward()
    #expect(model.parameters.map(\.name) == Self.gradients.map(\.name))
    for (parameter, reference) in zip(model.parameters, Self.gradients) {
      let gradient = try #require(parameter.tensor.gradient).floats.map(Double.init)
      let projection = gradient.indices.reduce(0.0) { $0 + gradient[$1] * cos(Double($1)) }
      let norm = gradient.reduce(0.0) { $0 + $1 * $1 }.squareRoot()
      expect([Float(projection), Float(norm)], [reference.projection, reference.norm], parameter.name)
    }
    for (found, expected) in zip(model.statistics.variances, Self.variances) {
      expect(try found.floats, expected, "variance")
    }
    #expect(model.statistics.batchesTracked == [1, 1, 1])
    let evaluated = try withoutGradients { try model.forward(images, ForwardOptions(.evaluation)) }
    expect(try evaluated.floats, Self.evaluationLogits, "evaluation")
  }

  @Test("Features and maps of one pixel mix freely: linear layers without a flatten, and gates made by them")
  func ranks() throws {
    let network = Network(
      name: "ranks", input: Shape(channels: 3, height: 5, width: 5),
      layers: [
        .conv("conv", 4, from: "input"), .norm("bn", from: "conv"), .layer("squeeze", .globalAveragePool, from: "bn"),
        .linear("gate", 4, from: "squeeze"), .activation("sigmoid", .sigmoid, from: "gate"),
        .layer("gated", .multiply, from: "bn", "sigmoid"), .layer("pool", .globalAveragePool, from: "gated"),
        .layer("sum", .add, from: "gate", "pool"), .layer("all", .concatenate, from: "sum", "squeeze", "gate"),
        .conv("head", 2, 1, bias: true, from: "all"),
      ])
    let model = try Model(network, seed: 1)
    let images = try noise([3, 3, 5, 5])
    let found = try model.forward(images, ForwardOptions(.batch))
    #expect(found.shape == [3, 2])
    let bn = try images.conv2d(model["conv.weight"], padding: Size2D(1)).batchNorm(
      weight: model["bn.weight"], bias: model["bn.bias"], runningMean: nil, runningVariance: nil, training: true)
    let squeeze = try bn.mean([2, 3])
    let gate = try squeeze.linear(model["gate.weight"], bias: model["gate.bias"])
    let gated = try bn * gate.sigmoid().unsqueezed(2).unsqueezed(3)
    let all = try Tensor.concatenate([gate + gated.mean([2, 3]), squeeze, gate], 1)
    let expected = try all.linear(model["head.weight"].reshaped([2, 12]), bias: model["head.bias"])
    #expect(try found.relativeDistance(to: expected) < 1e-5)
  }
}
