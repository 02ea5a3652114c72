import Networks
import Support

extension ONNXGraphBuilder {
  /// A convolution whose filters are standardized, as PyTorch's exporter writes timm's: a batch normalization of the filters in training mode.
  mutating func add(
    _ standardized: StandardizedConvolution, _ layer: ResolvedLayer, _ input: String, _ output: String
  ) throws {
    let own = layer.layer.name
    let convolution = standardized.convolution
    let (inputs, outputs) = (layer.inputs[0].channels, layer.output.channels)
    let groups = convolution.groups(inputChannels: inputs)
    let shape = [outputs, inputs / groups, convolution.kernelSize.height, convolution.kernelSize.width]
    document.add(try numbers("\(own).weight", shape), shape: shape, name: "\(own).weight")
    let names = ["rows", "factors", "standardized", "mean", "variance", "filters"].map { inner(own, $0) }
    let rows = whole([1, outputs, -1], own, "row shape")
    document.add("Reshape", ["\(own).weight", rows], to: names[0], name: names[0])
    let factor = standardized.gamma.map { $0 / Double(shape.dropFirst().reduce(1, *)).squareRoot() }
    if standardized.initialGain != nil {
      document.add(try numbers("\(own).gain", [outputs, 1, 1, 1]), shape: [outputs, 1, 1, 1], name: "\(own).gain")
      let scaled = inner(own, "scaled gain")
      document.add("Mul", ["\(own).gain", constant(factor ?? 1)], to: scaled, name: scaled)
      document.add("Reshape", [scaled, whole([-1], own, "one row")], to: names[1], name: names[1])
    } else {
      document.add([Float](repeating: Float(factor ?? 1), count: outputs), shape: [outputs], name: names[1])
    }
    let (zeros, ones) = (inner(own, "zeros"), inner(own, "ones"))
    document.add([Float](repeating: 0, count: outputs), shape: [outputs], name: zeros)
    document.add([Float](repeating: 1, count: outputs), shape: [outputs], name: ones)
    document.add(
      "BatchNormalization", [names[0], names[1], zeros, zeros, ones], to: names[2], and: Array(names[3...4]),
      name: names[2],
      [.float("epsilon", standardized.epsilon), .float("momentum", 1), .int("training_mode", 1)])
    document.add("Reshape", [names[2], whole(shape, own, "filter shape")], to: names[5], name: names[5])
    var read = [input, names[5]]
    if convolution.hasBias {
      document.add(try numbers("\(own).bias", [outputs]), shape: [outputs], name: "\(own).bias")
      read.append("\(own).bias")
    }
    document.add("Conv", read, to: output, name: own, Self.attributes(convolution, groups: groups))
  }
}
