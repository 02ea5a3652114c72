@testable import Networks

/// One network of each shape of graph: the zoo without the larger EfficientNets, which differ in size alone.
let representativeNames = NetworkZoo.names.filter { name in
  !["b1", "b2", "b4", "b5", "b6", "b7"].contains { name.hasPrefix("efficientnet_\($0)") }
}

/// A network that is small enough to break in every place.
func smallNetwork() -> Network {
  Network(
    name: "small", input: Shape(channels: 3, height: 8, width: 8),
    layers: [
      Layer(
        name: "conv", operation: .convolution(Convolution(outputChannels: 4, kernelSize: 3, padding: 1)),
        inputs: ["input"]),
      Layer(name: "bn", operation: .batchNorm(BatchNorm()), inputs: ["conv"]),
      Layer(name: "relu", operation: .activation(.relu), inputs: ["bn"]),
      Layer(name: "pool", operation: .globalAveragePool, inputs: ["relu"]),
      Layer(name: "fc", operation: .linear(Linear(outputFeatures: 10)), inputs: ["pool"]),
    ],
    stages: [Stage(name: "body", blocks: [Block(name: "conv", layers: ["conv", "bn", "relu"])])])
}
