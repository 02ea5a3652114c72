import Networks
import Testing
import Torch

@testable import Training

@Suite("Operations that can be their input itself")
struct IdentityOperationTests {
  // conv, what may change nothing, a ReLU that could work in place, and the convolution's own result added.
  private func model(_ operation: Networks.Operation?) throws -> Model {
    let convolution = Networks.Operation.convolution(Convolution(outputChannels: 4, kernelSize: 3, padding: 1))
    var layers = [Layer(name: "c", operation: convolution, inputs: ["input"])]
    if let operation { layers.append(Layer(name: "r", operation: operation, inputs: ["c"])) }
    layers += [
      Layer(name: "a", operation: .activation(.relu), inputs: [operation == nil ? "c" : "r"]),
      Layer(name: "s", operation: .add, inputs: ["a", "c"]),
      Layer(name: "pool", operation: .globalAveragePool, inputs: ["s"]),
      Layer(name: "fc", operation: .linear(Linear(outputFeatures: 3)), inputs: ["pool"]),
    ]
    return try Model(
      Network(name: "n", input: Shape(channels: 2, height: 6, width: 6), layers: layers).resolved(), seed: 5)
  }

  @Test(
    "What follows them does not write into their input",
    arguments: [
      Networks.Operation.other(Rescaling(factor: 1, shift: 0)), .other(ChannelShuffle(groups: 1)),
      .other(SpaceToDepth(blockSize: 1)),
    ])
  func aliases(operation: Networks.Operation) throws {
    let (plain, with) = (try model(nil), try model(operation))
    let images = try noise([3, 2, 6, 6]).contiguous(.channelsLast)
    for options in [ForwardOptions(.evaluation), ForwardOptions(.training)] {
      let outputs: [[Float]] = try [plain, with].map { model in
        try Tensor.clearGradients(model.tensors)
        let output = try model.forward(images, options)
        try output.sum().backward()
        return try output.array() + #require(model.tensors[0].gradient).array()
      }
      #expect(outputs[0] == outputs[1])
    }
  }
}
