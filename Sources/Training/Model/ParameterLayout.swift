import Networks

/// Which parameters a network has, in PyTorch's order and under PyTorch's names.
struct ParameterLayout {
  struct Entry {
    var name: String
    var role: Parameter.Role
    var shape: [Int]
    var layer: Int
  }

  var entries: [Entry] = []
  /// The position of each layer's first parameter.
  var first: [Int] = []

  init(_ resolved: ResolvedNetwork) {
    for (index, layer) in resolved.layers.enumerated() {
      first.append(entries.count)
      let name = layer.layer.name
      func add(_ suffix: String, _ role: Parameter.Role, _ shape: [Int]) {
        entries.append(Entry(name: "\(name).\(suffix)", role: role, shape: shape, layer: index))
      }
      switch layer.layer.operation {
      case .convolution(let convolution):
        let input = layer.inputs[0].channels
        let groups = convolution.groups(inputChannels: input)
        add(
          "weight", .weight,
          [convolution.outputChannels, input / groups, convolution.kernelSize.height, convolution.kernelSize.width])
        if convolution.hasBias { add("bias", .bias, [convolution.outputChannels]) }
      case .batchNorm:
        add("weight", .normScale, [layer.output.channels])
        add("bias", .normShift, [layer.output.channels])
      case .linear(let linear):
        add("weight", .weight, [linear.outputFeatures, layer.inputs[0].channels])
        if linear.hasBias { add("bias", .bias, [linear.outputFeatures]) }
      default: break
      }
    }
  }
}
