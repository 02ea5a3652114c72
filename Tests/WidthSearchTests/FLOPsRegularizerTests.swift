import Methods
import Networks
import Testing

@testable import WidthSearch

@Suite struct FLOPsRegularizerTests {
  private func conv(
    _ name: String, _ channels: Int, kernel: Int = 3, stride: Int = 1, depthwise: Bool = false, from input: String
  ) -> [Layer] {
    [
      Layer(
        name: name,
        operation: .convolution(
          Convolution(
            outputChannels: channels, kernelSize: Extent(kernel), stride: Extent(stride), padding: Extent(kernel / 2),
            grouping: depthwise ? .depthwise : .dense)), inputs: [input]),
      Layer(name: "\(name).bn", operation: .batchNorm(BatchNorm()), inputs: [name]),
    ]
  }

  private func head(_ classes: Int, from input: String) -> [Layer] {
    [
      Layer(name: "pool", operation: .globalAveragePool, inputs: [input]),
      Layer(name: "fc", operation: .linear(Linear(outputFeatures: classes)), inputs: ["pool"]),
    ]
  }

  // Worked by hand.
  private func example() throws -> FLOPsRegularizer {
    let network = Network(
      name: "example", input: Shape(channels: 3, height: 8, width: 8),
      layers: conv("conv1", 4, from: "input") + conv("conv2", 2, from: "conv1.bn") + head(10, from: "conv2.bn"))
    return FLOPsRegularizer(try RelaxedCost(network))
  }

  private let scales: [[[Double]]] = [[[1, 0.5, 0.005, 0.2]], [[0.3, 0.008]]]

  @Test("The specification's example: value, cost, slopes")
  func value() throws {
    let regularizer = try example()
    let found = regularizer.evaluate(scales)
    expectClose(found.value, 8927.248)
    expectClose(found.cost, 13844)
    #expect(found.aliveCounts == [3, 1])
    expectClose(found.slopes, [4608, 3476])
    expectClose(FLOPsRegularizer.operations * regularizer.polynomial.evaluate([4, 2]), 23080)
    expectClose(try #require(regularizer.polynomial.scale(matching: 23080 / 2, widths: [3, 1])), 1.486576)
  }

  @Test("The slope holds for dead channels too: it is the derivative by every magnitude")
  func derivative() throws {
    let regularizer = try example()
    let slopes = regularizer.evaluate(scales).slopes
    for (group, channels) in [(0, 4), (1, 2)] {
      for channel in 0..<channels {
        var more = scales
        more[group][0][channel] += 1e-4
        let difference = regularizer.evaluate(more).value - regularizer.evaluate(scales).value
        expectClose(difference / 1e-4, slopes[group], tolerance: 1e-6)
      }
    }
  }

  @Test("Of tied scales the largest counts, and alone receives the derivative; signs are kept")
  func grouping() throws {
    var regularizer = try example()
    let tied: [[[Double]]] = [[[0.5, 0.001], [0.002, -0.3]]]
    #expect(regularizer.magnitudeGradient(tied) == [[[1, 0], [0, -1]]])
    regularizer = FLOPsRegularizer(try depthwiseExample())
    let value = regularizer.evaluate(tied)
    #expect(value.magnitudes == [[0.5, 0.3]] && value.alive == [[true, true]])
    regularizer.grouping = .norm
    expectClose(regularizer.evaluate([[[0.3, 0], [0.4, 0]]]).magnitudes[0], [0.5, 0])
    expectClose(regularizer.magnitudeGradient([[[0.3, 0], [0.4, 0]]])[0][0], [0.6, 0])
    #expect(regularizer.magnitudeGradient([[[0, 0]]]) == [[[0, 0]]])
  }

  @Test("A depthwise layer counts its cost's derivative, or twice that as in the public code")
  func depthwise() throws {
    // Σ r = 0.8, C = 10, two alive: the depthwise layer's share is the specification's 16 with the public code's factor,
    // and its cost 20. The layer before it costs 10 a channel, the classifier 2.
    let scales = [[[0.5, 0.3], [0.1, 0.02]]]
    func value(_ factor: Double) throws -> FLOPsRegularizer.Value {
      FLOPsRegularizer(try depthwiseExample(), depthwiseFactor: factor).evaluate(scales)
    }
    #expect(try depthwiseExample().depthwise == [5])
    expectClose(try value(2).value - value(0).value, 16)
    expectClose(try value(1).value, (10 + 10 + 2) * 0.8)
    for factor in [0.0, 1, 2] { expectClose(try value(factor).cost, 20 + 2 * (10 + 2)) }
  }

  /// A pointwise layer from one channel to two on five pixels, a depthwise layer and one class.
  private func depthwiseExample() throws -> RelaxedCost {
    try RelaxedCost(
      Network(
        name: "depthwise", input: Shape(channels: 1, height: 1, width: 5),
        layers: conv("expand", 2, kernel: 1, from: "input")
          + conv("dw", 2, kernel: 1, depthwise: true, from: "expand.bn")
          + head(1, from: "dw.bn")))
  }

  // The regularizer of google-research/morph-net on the same networks, run under TensorFlow.
  @Test("Value, cost and gradients are those of the public code", arguments: Reference.all.morphnet.cases.list.indices)
  func reference(index: Int) throws {
    let reference = Reference.all.morphnet.cases.list[index]
    let (network, members) = try Self.network(reference)
    let polynomial = try RelaxedCost(network)
    let regularizer = FLOPsRegularizer(polynomial, threshold: reference.threshold.number, depthwiseFactor: 2)
    let scales = polynomial.groups.map { group in
      members[group, default: []].map { reference.gammas[$0].numbers }
    }
    let found = regularizer.evaluate(scales)
    // A depthwise layer on the image has channels of a fixed number, which no width group holds: its cost is a constant.
    let fixed = network.name == "depthwise on the image"
    if !fixed {
      expectClose(found.value, reference.regularization.number, "\(network.name) regularization")
      expectClose(found.cost, reference.cost.number, "\(network.name) cost")
      let whole = polynomial.groups.map { Double(reference.gammas[members[$0, default: []][0]].numbers.count) }
      expectClose(2 * polynomial.evaluate(whole), reference.initial_cost.number, "\(network.name) initial cost")
    }
    let directions = regularizer.magnitudeGradient(scales)
    for (position, group) in polynomial.groups.enumerated() {
      for (member, layer) in members[group, default: []].enumerated() {
        #expect(found.alive[position] == reference.alive[layer].flags, "\(network.name) \(layer)")
        expectClose(found.magnitudes[position], reference.magnitudes[layer].numbers, "\(network.name) \(layer)")
        if !fixed {
          expectClose(
            directions[position][member].map { $0 * found.slopes[position] }, reference.gradients[layer].numbers,
            "\(network.name) gradient of \(layer)")
        }
      }
    }
  }

  /// The network of a reference case, and the layers whose scales belong to each of its groups.
  private static func network(_ reference: Reference) throws -> (Network, members: [String: [String]]) {
    var layers: [Layer] = []
    // Residual sums are described by which layers share a unit: those that read the same first operand after an addition.
    var streams: [String: String] = [:]
    let all = reference.layers.list
    func source(_ name: String) -> String { name == "image" ? "input" : streams[name] ?? "\(name).bn" }
    let suite = FLOPsRegularizerTests()
    let additions = Self.additions[reference.name.text] ?? [:]
    var side = 0
    for layer in all {
      let name = layer.name.text
      if layer.kind.text == "linear" {
        layers += suite.head(layer.out_channels.integer, from: source(layer.input.text))
        continue
      }
      let stride = layer.stride.integer
      if side == 0 { side = layer.height.integer * stride }
      layers += suite.conv(
        name, layer.out_channels.integer, kernel: layer.kernel.integer, stride: stride,
        depthwise: layer.kind.text == "depthwise", from: source(layer.input.text))
      if let other = additions[name] {
        layers.append(Layer(name: "\(name).add", operation: .add, inputs: ["\(name).bn", source(other)]))
        streams[other] = "\(name).add"
        streams[name] = "\(name).add"
      }
    }
    let network = Network(
      name: reference.name.text, input: Shape(channels: 3, height: side, width: side), layers: layers)
    let resolved = try network.resolved()
    var members: [String: [String]] = [:]
    for layer in all where layer.kind.text != "linear" {
      guard let group = resolved[layer.name.text]?.group else { continue }
      members[group, default: []].append(layer.name.text)
    }
    return (network, members)
  }

  // Which layer's result is added to which other's: what "tied" means in the reference's description.
  private static let additions: [String: [String: String]] = [
    "residual": ["block1.conv2": "stem", "block2.projection": "block2.conv2"],
    "depthwise": ["block2.project": "block1.project"],
  ]
}
