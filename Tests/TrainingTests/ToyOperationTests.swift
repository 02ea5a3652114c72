import Foundation
import Methods
import Networks
import Testing
import Torch

@testable import Training

/// A scaled identity with a learnable factor a channel, as in ConvNeXt's layer scale: an operation that this package does not know.
private struct LayerScale: TensorOperation {
  var initial = 1.0

  init(initial: Double) { self.initial = initial }

  // What the network has to know of it.
  static let kinds = ["layerScale"]
  var kind: String { "layerScale" }
  static let settingNames = ["initial"]
  private enum CodingKeys: String, CodingKey { case initial }
  init(kind: String, settingsFrom decoder: any Decoder) throws {
    initial = try decoder.container(keyedBy: CodingKeys.self).decode(Double.self, forKey: .initial)
  }
  func encodeSettings(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(initial, forKey: .initial)
  }
  var arity: Arity { .one }
  func output(at site: OperationSite) throws -> Shape {
    guard initial.isFinite else { throw site.failure("its initial factor is \(initial)") }
    return site.input
  }
  var channels: ChannelFlow { .passes }
  func with(outputChannels: Int) -> LayerScale { self }
  var parameters: [ParameterForm] { [ParameterForm("gamma", .normScale, [.output, .fixed(1), .fixed(1)])] }
  var multiplyAccumulates: MultiplyAccumulates { .depthwise(window: 1) }

  // How it is computed.
  var derivativeReadsResult: Bool { false }
  func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    try inputs[0] * parameters[0]
  }
}

/// An operation that nothing computes.
private struct Riddle: OperationDefinition {
  init() {}
  static let kinds = ["riddle"]
  var kind: String { "riddle" }
  static let settingNames: [String] = []
  init(kind: String, settingsFrom decoder: any Decoder) throws {}
  func encodeSettings(to encoder: any Encoder) throws {}
  var arity: Arity { .one }
  func output(at site: OperationSite) throws -> Shape { site.input }
  var channels: ChannelFlow { .passes }
  func with(outputChannels: Int) -> Riddle { self }
  var parameters: [ParameterForm] { [] }
  var multiplyAccumulates: MultiplyAccumulates { .none }
}

/// An operation is added by one file: this one.
@Suite struct ToyOperationTests {
  private func network(_ operation: Networks.Operation) -> Network {
    Network(
      name: "toy", input: Shape(channels: 1, height: 4, width: 4),
      layers: [
        Layer(
          name: "conv", operation: .convolution(.init(outputChannels: 6, kernelSize: 3, padding: 1)), inputs: ["input"]),
        Layer(name: "scale", operation: operation, inputs: ["conv"]),
        Layer(name: "sum", operation: .add, inputs: ["scale", "conv"]),
        Layer(name: "pool", operation: .globalAveragePool, inputs: ["sum"]),
        Layer(name: "fc", operation: .linear(.init(outputFeatures: 3)), inputs: ["pool"]),
      ])
  }

  private var scaled: Network { network(.other(LayerScale(initial: 0.5))) }

  @Test("Shapes, ties, cost and files follow from the definition")
  func definition() throws {
    let resolved = try scaled.resolved()
    #expect(resolved["scale"]?.output == Shape(channels: 6, height: 4, width: 4))
    #expect(resolved.widthGroups.map(\.id) == ["conv"] && resolved["scale"]?.group == "conv")
    // 9 · 16 positions · 6 filters, 16 positions · 6 factors, 6 · 3 weights; 54 + 6 + 18 + 3 learnable numbers.
    #expect(resolved.cost.macs == 864 + 96 + 18 && resolved.cost.parameters == 54 + 6 + 21)
    for model in [CostModel.macs, .parameters] {
      let (counter, polynomial) = (CostCounter(resolved, model), RelaxedCost(resolved, model))
      for width in [1, 4, 6, 20] {
        let cost = try resolved.with(["conv": width]).cost
        let exact = model == .macs ? cost.macs : cost.parameters
        #expect(counter.count([width]) == exact)
        #expect(abs(polynomial.evaluate([Double(width)]) - Double(exact)) < 1e-9)
      }
    }
    let json = try scaled.json()
    #expect(String(decoding: json, as: UTF8.self).contains(#""kind" : "layerScale""#))
    #expect(try Network(json: json, operations: [LayerScale.self]) == scaled)
    #expect(scaled != network(.other(LayerScale(initial: 0.25))) && scaled != network(.other(Riddle())))
    let unknown = #expect(throws: NetworkFailure.self) { try Network(json: json) }
    #expect(unknown?.message.contains("layerScale") == true)
    let broken = #expect(throws: NetworkFailure.self) { try network(.other(LayerScale(initial: .nan))).resolved() }
    #expect(broken?.message.contains("scale") == true)
  }

  @Test("A model has its parameters, trains them, runs narrower, and keeps them in its state dict")
  func model() throws {
    let model = try Model(scaled, seed: 1)
    let gamma = try #require(model.parameters.first { $0.name == "scale.gamma" })
    #expect(gamma.tensor.shape == [6, 1, 1] && gamma.role == .normScale)
    let images = try Tensor.normal([5, 1, 4, 4], generator: Generator(seed: 2))
    let logits = try model.forward(images, ForwardOptions(.training))
    // The factor is one: the sum is twice the convolution's output.
    let expected = try images.conv2d(model.parameters[0].tensor, padding: Size2D(1, 1)).mean([2, 3])
      .linear(model.parameters[2].tensor, bias: model.parameters[3].tensor)
    let difference = try (logits - (expected + expected - model.parameters[3].tensor)).abs().max().item()
    #expect(difference < 1e-5)
    try logits.crossEntropy(Tensor([0, 1, 2, 0, 1] as [Int64])).backward()
    #expect(try #require(gamma.tensor.gradient).abs().max().item() > 0)
    let narrower = try ExecutionPlan(model.plan.resolved.with(["conv": 2]))
    #expect(try model.forward(images, as: narrower, ForwardOptions(.batch)).shape == [5, 3])
    #expect(try model.stateDict().map(\.name).contains("scale.gamma"))
  }

  @Test("An operation that nothing computes is refused before anything runs, by the layer's name")
  func unknown() throws {
    let failure = #expect(throws: NetworkFailure.self) { try Model(network(.other(Riddle())), seed: 0) }
    #expect(failure?.message.contains("scale") == true && failure?.message.contains("riddle") == true)
  }
}
