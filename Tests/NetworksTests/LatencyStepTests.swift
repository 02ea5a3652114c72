import Support
import Testing

@testable import Networks

@Suite struct LatencyStepTests {
  private static let names = ["resnet20", "mobilenet_v2_cifar", "efficientnet_b0", "vgg11_bn", "resnet50"]

  @Test("Every layer that takes time is in one step, and only what follows alone is taken in", arguments: names)
  func steps(name: String) throws {
    let network = try NetworkZoo.resolved(named: name)
    let steps = network.latencySteps
    let covered = steps.flatMap(\.layers)
    #expect(Set(covered).count == covered.count)
    for (index, layer) in network.layers.enumerated() {
      switch layer.layer.operation {
      case .dropout, .stochasticDepth, .flatten: #expect(!covered.contains(index))
      default: #expect(covered.contains(index), "\(layer.layer.name)")
      }
    }
    // Convolutions of these networks are all normalized, and inference has no normalization left.
    for step in steps {
      #expect(!step.form.operations.contains { if case .batchNorm = $0 { true } else { false } })
      #expect(step.layers == step.layers.sorted())
    }
  }

  @Test("What follows a flattening of several places is no part of the convolution's step")
  func flattened() throws {
    let network = try Network(
      name: "flat", input: Shape(channels: 3, height: 4, width: 4),
      layers: [
        Layer(name: "conv", operation: .convolution(Convolution(outputChannels: 8, kernelSize: 1)), inputs: ["input"]),
        Layer(name: "flat", operation: .flatten, inputs: ["conv"]),
        Layer(name: "relu", operation: .activation(.relu), inputs: ["flat"]),
        Layer(name: "fc", operation: .linear(Linear(outputFeatures: 2)), inputs: ["relu"]),
      ]
    ).resolved()
    #expect(network.latencySteps.map(\.layers) == [[0], [2], [3]])
  }

  @Test("Folded, a network computes the same with a bias for each normalization", arguments: names)
  func folded(name: String) throws {
    let network = try NetworkZoo.resolved(named: name)
    let folded = try network.withoutFoldedNormalizations()
    var (scales, biases) = (0, 0)
    for layer in network.layers {
      if case .batchNorm = layer.layer.operation { scales += layer.output.channels }
    }
    for layer in network.layers {
      if case .convolution(let convolution) = layer.layer.operation, convolution.hasBias,
        convolution.derivedChannels == nil,
        network.latencySteps.contains(where: { step in
          step.layers.contains { network.layers[$0].layer.name == layer.layer.name } && step.layers.count > 1
            && step.layers.dropFirst().contains {
              if case .batchNorm = network.layers[$0].layer.operation { true } else { false }
            }
        })
      {
        biases += layer.output.channels
      }
    }
    #expect(folded.cost.macs == network.cost.macs)
    // Scale and shift become one bias; VGG's convolutions have one already.
    #expect(folded.cost.parameters == network.cost.parameters - scales - biases)
    #expect(folded.layers.last?.output == network.layers.last?.output)
    #expect(folded.widthGroups.map(\.width).sorted() == network.widthGroups.map(\.width).sorted())
    #expect(folded.latencySteps.map(\.form) == network.latencySteps.map(\.form))
  }

  @Test("A form alone has the step's operations and any channels", arguments: names)
  func alone(name: String) throws {
    let network = try NetworkZoo.resolved(named: name)
    for step in network.latencySteps {
      let layer = network.layers[step.layers[0]]
      let (input, output) = (layer.inputs[0].channels, network.layers[step.output].output.channels)
      let alone = try step.form.network(input: input, output: output)
      #expect(alone.cost.macs == layer.cost.macs, "\(step.form.words)")
      #expect(alone.layers.last?.output == network.layers[step.output].output, "\(step.form.words)")
    }
  }
}
