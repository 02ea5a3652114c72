import Networks
import Support

/// Layers with weights: convolutions, normalizations, linear layers.
extension ONNXTranslation {
  static func module(_ node: PBNodeProto) -> String {
    ONNXNames.module(ofWeight: node.input[1]) ?? ONNXNames.module(of: node)
  }

  func weights(_ node: PBNodeProto, _ place: Int, rank: Int) throws -> [Int] {
    guard case .constant(let tensor) = try value(node, place), tensor.dimensions.count == rank else {
      throw refusal(node, "its weights are computed, or no \(rank) dimensions")
    }
    return tensor.dimensions
  }

  func hasBias(_ node: PBNodeProto) throws -> Bool {
    guard node.input.count > 2, !node.input[2].isEmpty else { return false }
    guard case .constant = try value(node, 2) else { throw refusal(node, "its bias is computed") }
    return true
  }

  mutating func convolution(_ node: PBNodeProto) throws {
    var (source, more) = ("", [0, 0, 0, 0])
    if case .padded(let name, let pads) = try value(node, 0) {
      (source, more) = (name, pads)
    } else {
      source = try layer(node, 0)
    }
    let dimensions = try weights(node, 1, rank: 4)
    let groups = integer(node, "group") ?? 1
    let kernel = integers(node, "kernel_shape") ?? Array(dimensions[2...])
    guard dimensions.allSatisfy({ (1...1 << 20).contains($0) }), kernel == Array(dimensions[2...]),
      (1...1 << 20).contains(groups),
      dimensions[0] % groups == 0
    else {
      throw refusal(
        node, "its weights are \(dimensions) with \(groups) groups and windows of \(kernel), which cannot be")
    }
    let inputs = dimensions[1] * groups
    let stride = try extent(integers(node, "strides"), node, "strides", default: 1)
    let dilation = try extent(integers(node, "dilations"), node, "dilations", default: 1)
    guard stride.height > 0, stride.width > 0, dilation.height > 0, dilation.width > 0 else {
      throw refusal(node, "a stride or dilation of 0 leads nowhere")
    }
    let grouping: Convolution.Grouping =
      groups == 1 ? .dense : groups == inputs && dimensions[0] == inputs ? .depthwise : .grouped(groups)
    var biased = try hasBias(node)
    let restores = biased && isFolded(node)
    if restores { biased = false }
    let made = try emit(
      .convolution(
        Convolution(
          outputChannels: dimensions[0], kernelSize: Extent(height: kernel[0], width: kernel[1]), stride: stride,
          padding: try padding(node, more), dilation: dilation, grouping: grouping, hasBias: biased)), [source], node,
      name: Self.module(node))
    weightDimensions[made] = dimensions
    guard restores else { return }
    restored.append(made)
    try emit(.batchNorm(BatchNorm()), [made], node, name: "\(made).bn")
  }

  /// Whether exporters have taken a batch normalization into a convolution: TorchScript's calls its bias `onnx::Conv_123` then, the newer
  /// one names the rule that did it. Never for gates, which have a bias of their own and no maps.
  func isFolded(_ node: PBNodeProto) -> Bool {
    switch restores {
    case .leave: return false
    case .restore: return true
    case .auto:
      if node.metadataProps.contains(where: { $0.key.hasSuffix("rule_name") && $0.value.contains("FuseBatchNorm") }) {
        return true
      }
      let name = node.input.count > 2 ? node.input[2] : ""
      return name.hasPrefix("onnx::Conv_") && Int(name.dropFirst("onnx::Conv_".count)) != nil
    }
  }

  mutating func normalization(_ node: PBNodeProto) throws {
    let source = try layer(node, 0)
    _ = try weights(node, 1, rank: 1)
    guard node.output.dropFirst().allSatisfy({ $0.isEmpty || readers[$0] == nil }) else {
      throw refusal(node, "its statistics are read by other nodes")
    }
    let epsilon = number(node, "epsilon") ?? 1e-5
    // The share of the old, where PyTorch's is that of the new.
    let momentum = 1 - (number(node, "momentum") ?? 0.9)
    guard epsilon > 0, epsilon < 1 else { throw refusal(node, "its epsilon is \(epsilon)") }
    try emit(
      .batchNorm(BatchNorm(epsilon: Self.meant(epsilon), momentum: (min(1, max(0, momentum)) * 1e6).rounded() / 1e6)),
      [source],
      node,
      name: Self.module(node))
  }

  // A float32 as the number that was meant: 0.00001 and not 0.0000099999997.
  static func meant(_ value: Double) -> Double { Double("\(Float(value))") ?? value }

  mutating func gemm(_ node: PBNodeProto) throws {
    var dimensions = try weights(node, 1, rank: 2)
    guard (number(node, "alpha") ?? 1) == 1, (number(node, "beta") ?? 1) == 1, (integer(node, "transA") ?? 0) == 0
    else {
      throw refusal(node, "it scales or turns what it reads")
    }
    if integer(node, "transB") ?? 0 == 0 { dimensions.swapAt(0, 1) }
    try linear(node, dimensions, hasBias: hasBias(node))
  }

  mutating func product(_ node: PBNodeProto) throws {
    let dimensions = try weights(node, 1, rank: 2)
    try linear(node, [dimensions[1], dimensions[0]], hasBias: false)
    if case .layer(let made)? = node.output.first.flatMap({ values[$0] }) { set(node, .linear(layer: made)) }
  }

  mutating func linear(_ node: PBNodeProto, _ dimensions: [Int], hasBias: Bool) throws {
    let source = try layer(node, 0)
    guard flat.contains(source) else {
      throw refusal(node, "it multiplies the last dimension of a map; only what is flat is read")
    }
    guard dimensions.allSatisfy({ (1...1 << 28).contains($0) }) else {
      throw refusal(node, "its weights are \(dimensions)")
    }
    let made = try emit(
      .linear(Linear(outputFeatures: dimensions[0], hasBias: hasBias)), [source], node,
      name: Self.module(node))
    weightDimensions[made] = dimensions
  }
}
