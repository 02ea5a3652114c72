import Networks
import Support

/// Layers with weights: convolutions, normalizations, linear layers.
extension ONNXTranslation {
  /// The module that a node is: that of its weights, also of those that it reads turned.
  func module(_ node: PBNodeProto) -> String {
    guard node.input.count > 1 else { return ONNXNames.module(of: node) }
    var name = node.input[1]
    switch values[name] {
    case .constant(let tensor)?: if let origin = tensor.origin { name = tensor.alias ?? origin.name }
    case .standardized(let found)?: if let origin = found.weight.origin { name = found.weight.alias ?? origin.name }
    default: break
    }
    return ONNXNames.module(ofWeight: name) ?? ONNXNames.module(of: node)
  }

  func weights(_ node: PBNodeProto, _ place: Int, rank: Int) throws -> ONNXTensor {
    guard case .constant(let tensor) = try value(node, place), tensor.dimensions.count == rank else {
      throw refusal(node, "its weights are computed, or no \(rank) dimensions")
    }
    return tensor
  }

  /// The bias of a node; nil when it has none, or one of zeros that is computed.
  func bias(_ node: PBNodeProto) throws -> ONNXTensor? {
    guard node.input.count > 2, !node.input[2].isEmpty else { return nil }
    guard case .constant(let tensor) = try value(node, 2) else { throw refusal(node, "its bias is computed") }
    return tensor.fill == 0 ? nil : tensor
  }

  /// Notes where a tensor of the state dict comes from.
  mutating func keep(_ tensor: ONNXTensor, as name: String, order: [Int]? = nil) {
    let found = order.map { tensor.arranged($0.map { tensor.dimensions[$0] }, order: $0) } ?? tensor
    if let fill = tensor.fill {
      state[name] = .constant(fill, count: tensor.dimensions.reduce(1, *))
    } else if let origin = found.origin {
      state[name] = .tensor(origin.name, turn: origin.turn)
    }
  }

  /// Refuses weights that two layers share: the width of one would be that of the other. Tensors of equal numbers behind an Identity are
  /// none.
  private mutating func claim(_ node: PBNodeProto, _ layer: String) throws {
    guard node.input.count > 1, file.constants[node.input[1]] != nil else { return }
    try claim(node.input[1], by: layer, node)
  }

  /// Notes who uses a weight.
  mutating func claim(_ weight: String, by layer: String, _ node: PBNodeProto) throws {
    if let other = users[weight], other != layer {
      throw ONNXFault(
        "\(ONNXFile.describe(node)): it shares its weights with \(ONNXFault.shown(other)); layers are given widths of their own here",
        isFinal: true)
    }
    users[weight] = layer
  }

  mutating func convolution(_ node: PBNodeProto) throws {
    var (source, more) = ("", [0, 0, 0, 0])
    if case .padded(let name, let pads) = try value(node, 0) {
      (source, more) = (name, pads)
    } else {
      source = try map(node, 0)
    }
    var standardized: ONNXValue.StandardizedWeight?
    if case .standardized(let found) = try value(node, 1), found.weight.dimensions.count == 4 { standardized = found }
    let tensor = try standardized?.weight ?? weights(node, 1, rank: 4)
    let dimensions = tensor.dimensions
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
    let bias = try bias(node)
    if grouping == .depthwise, bias == nil, dilation == 1,
      let filter = try fixedFilter(node, tensor, stride: stride)
    {
      let sides = try padding(node, of: shapes[source] ?? Shape(channels: 1, height: 1, width: 1), kernel: kernel, more)
      var read = source
      if sides.contains(where: { $0 > 0 }) {
        let pad = Padding(onnx: sides)
        read = try emit(.other(pad), [source], path: "\(ONNXNames.path(of: node)).pad")
      }
      let made = try emit(.other(filter), [read], path: ONNXNames.path(of: node))
      return set(node, .layer(made), shapes[made].map { .map($0) })
    }
    let module = self.module(node)
    // Gone from the graph, though the description has it.
    let described = description?.normalizations[module].flatMap { norm in
      file.constants["\(norm.name).weight"] == nil ? norm : nil
    }
    let restores =
      bias != nil && standardized == nil
      && (isFolded(node, behind: source) || described != nil && self.restores == .auto)
    if let bias, let type = bias.type, let own = tensor.type, own != type {
      throw refusal(node, "its weights and its bias are numbers of unlike types")
    }
    let shape = shapes[source] ?? Shape(channels: 1, height: 1, width: 1)
    let (read, padding) = try padded(source, try padding(node, of: shape, kernel: kernel, more), node, name: module)
    let convolution = Convolution(
      outputChannels: dimensions[0], kernelSize: Extent(height: kernel[0], width: kernel[1]), stride: stride,
      padding: padding, dilation: dilation, grouping: grouping,
      hasBias: bias != nil && !restores || restores && described?.followsBias ?? false)
    let made =
      try standardized.map { try standardizedConvolution(convolution, $0, read, node, name: module) }
      ?? emit(.convolution(convolution), [read], path: module)
    guard let output = shapes[made] else { return }
    set(node, .layer(made), .map(output))
    try claim(node, made)
    weightDimensions[made] = dimensions
    keep(tensor, as: "\(made).weight")
    guard let bias else { return }
    guard restores else { return keep(bias, as: "\(made).bias") }
    restored.append(made)
    let norm = described?.norm ?? BatchNorm()
    if described?.followsBias ?? false { state["\(made).bias"] = .constant(0, count: dimensions[0]) }
    let name = try emit(.batchNorm(norm), [made], path: described?.name ?? "\(made).bn")
    set(node, .layer(name), .map(output))
    // In inference exactly what the exporter had: nothing but the shift.
    keep(bias, as: "\(name).bias")
    state["\(name).weight"] = .constant(1, count: dimensions[0])
    state["\(name).running_mean"] = .constant(0, count: dimensions[0])
    state["\(name).running_var"] = .constant(1 - norm.epsilon, count: dimensions[0])
  }

  /// A filter that all channels share, and that is not learnt: the numbers say so, or, where they are not in the file, the name.
  private mutating func fixedFilter(
    _ node: PBNodeProto, _ tensor: ONNXTensor, stride: Extent
  ) throws -> FixedFilter? {
    let (rows, columns) = (tensor.dimensions[2], tensor.dimensions[3])
    guard tensor.dimensions[1] == 1, tensor.dimensions[0] > 1, rows * columns > 1, rows * columns <= 1024 else {
      return nil
    }
    if let numbers = tensor.floats, numbers.count == tensor.dimensions[0] * rows * columns {
      let first = Array(numbers.prefix(rows * columns))
      guard Set(first).count > 1,
        numbers.indices.allSatisfy({ numbers[$0] == first[$0 % (rows * columns)] })
      else { return nil }
      return FixedFilter(
        coefficients: (0..<rows).map { row in first[row * columns..<(row + 1) * columns].map(Self.meant) },
        stride: stride)
    }
    guard node.input[1].hasSuffix(".filt"), rows == columns, rows <= 16 else { return nil }
    var binomial = [1.0]
    for _ in 1..<rows { binomial = zip(binomial + [0], [0] + binomial).map(+) }
    let total = binomial.reduce(0, +)
    remarks.append(
      "the numbers of \(ONNXFault.shown(node.input[1])) are not in the file: it is taken for a binomial filter")
    return FixedFilter(
      coefficients: binomial.map { row in binomial.map { row * $0 / (total * total) } }, stride: stride)
  }

  /// Whether exporters have taken a batch normalization into a convolution: TorchScript's calls its bias `onnx::Conv_123` then, the newer
  /// one names the rule that did it. Where all with a bias are meant: never for gates, which have a bias of their own and no maps, where
  /// one stands already, and at the classifier.
  func isFolded(_ node: PBNodeProto, behind source: String) -> Bool {
    switch restores {
    case .leave: return false
    case .restore:
      func isWeighted(_ node: PBNodeProto) -> Bool { ["Conv", "Gemm", "MatMul"].contains(node.opType) }
      let output = node.output.first ?? ""
      return !pooled.contains(source)
        && !(readers[output] ?? []).contains { file.nodes[$0].opType == "BatchNormalization" }
        && file.nodes.last(where: isWeighted)?.output.first != output
    case .auto:
      if node.metadataProps.contains(where: { $0.key.hasSuffix("rule_name") && $0.value.contains("FuseBatchNorm") }) {
        return true
      }
      let name = node.input.count > 2 ? node.input[2] : ""
      return name.hasPrefix("onnx::Conv_") && Int(name.dropFirst("onnx::Conv_".count)) != nil
    }
  }

  /// Weights that are kept as whole numbers and a factor are weights; their numbers stay in the file.
  mutating func dequantized(_ node: PBNodeProto) throws {
    guard case .constant(let tensor) = try value(node, 0) else {
      throw refusal(node, "it quantizes what layers give; export the network before quantization")
    }
    set(node, .constant(ONNXTensor(dimensions: tensor.dimensions)))
  }

  mutating func normalization(_ node: PBNodeProto) throws {
    let source = try layer(node, 0)
    guard let shape = shapes[source], [.map(shape), .features(shape)].contains(layout(node, 0)) else {
      throw refusal(node, "its input's second axis is not that of all channels")
    }
    let tensors = try (1...4).map { try weights(node, $0, rank: 1) }
    guard node.output.dropFirst().allSatisfy({ $0.isEmpty || readers[$0] == nil }) else {
      throw refusal(node, "its statistics are read by other nodes")
    }
    let epsilon = number(node, "epsilon") ?? 1e-5
    // The share of the old, where PyTorch's is that of the new.
    let momentum = 1 - (number(node, "momentum") ?? 0.9)
    guard epsilon > 0, epsilon < 1 else { throw refusal(node, "its epsilon is \(epsilon)") }
    let made = try emit(
      .batchNorm(BatchNorm(epsilon: Self.meant(epsilon), momentum: (min(1, max(0, momentum)) * 1e6).rounded() / 1e6)),
      [source],
      node,
      name: module(node))
    for (name, tensor) in zip(["weight", "bias", "running_mean", "running_var"], tensors) {
      keep(tensor, as: "\(made).\(name)")
    }
  }

  mutating func layerNormalization(_ node: PBNodeProto) throws {
    let source = try layer(node, 0)
    let layout = layout(node, 0)
    let axis = try axis(integer(node, "axis") ?? -1, node, rank: max(1, layout.axes.count))
    guard let shape = shapes[source], axis == layout.axes.count - 1, layout.channelAxis(shape) == axis else {
      throw refusal(node, "it normalizes over something else than the channels of each place")
    }
    let scale = try weights(node, 1, rank: 1)
    // Zeros that are no weight of the file are none: the format had no normalization without a shift.
    let shift = try bias(node).flatMap { shift in
      let isWeight = shift.origin.map { file.constants[$0.name] != nil && !$0.name.contains("::") } ?? false
      return !isWeight && shift.floats?.allSatisfy { $0 == 0 } ?? false ? nil : shift
    }
    guard shift.map({ $0.dimensions == scale.dimensions }) ?? true, scale.dimensions == [shape.channels] else {
      throw refusal(node, "its scale and shift are not one number for each channel")
    }
    guard node.output.dropFirst().allSatisfy({ $0.isEmpty || readers[$0] == nil }) else {
      throw refusal(node, "its statistics are read by other nodes")
    }
    let epsilon = number(node, "epsilon") ?? 1e-5
    guard epsilon > 0, epsilon < 1 else { throw refusal(node, "its epsilon is \(epsilon)") }
    let made = try emit(
      .other(LayerNorm(epsilon: Self.meant(epsilon), hasBias: shift != nil)), [source], node, name: module(node))
    keep(scale, as: "\(made).weight")
    if let shift { keep(shift, as: "\(made).bias") }
  }

  /// Normalization over groups of channels, which the format spells as one by instance of what was regrouped; its factors and shifts follow.
  /// Opset 21's operator, with a factor and a shift for each channel; before it had one for each group, which no exporter writes.
  mutating func groupNormalization(_ node: PBNodeProto) throws {
    let source = try layer(node, 0)
    let groups = integer(node, "num_groups") ?? 0
    guard let shape = shapes[source], layout(node, 0) == .map(shape), groups > 0, shape.channels % groups == 0 else {
      throw refusal(node, "it normalizes something else than groups of channels")
    }
    let (scale, shift) = (try weights(node, 1, rank: 1), try weights(node, 2, rank: 1))
    guard scale.dimensions == [shape.channels], shift.dimensions == [shape.channels] else {
      throw refusal(
        node,
        "it has \(scale.dimensions[0]) factors and \(shift.dimensions[0]) shifts for \(shape.channels) channels; those of opset 21 "
          + "have one for each channel")
    }
    let epsilon = number(node, "epsilon") ?? 1e-5
    guard epsilon > 0, epsilon < 1 else { throw refusal(node, "its epsilon is \(epsilon)") }
    let made = try emit(
      .other(GroupNorm(groups: groups, epsilon: Self.meant(epsilon), hasBias: true)), [source], node,
      name: module(node))
    keep(scale, as: "\(made).weight")
    keep(shift, as: "\(made).bias")
  }

  /// An instance normalization between two changes of axes, which is how exporters write a normalization of groups.
  mutating func normalizationOfGroups(_ node: PBNodeProto) throws {
    let source = try layer(node, 0)
    let layout = layout(node, 0)
    guard let shape = shapes[source], layout.axes.count == 3,
      let groups = layout.axes[1].isEmpty ? 1 : layout.axes[1].count == 1 ? layout.axes[1][0].size : nil,
      groups > 0, shape.channels % groups == 0,
      // All groups as one axis, and all that is in one as the other.
      layout == ONNXLayout.map(shape).reshaped([.batch, .known(groups), .known(-1)], images: nil)
    else { throw refusal(node, "it normalizes something else than groups of channels") }
    let (scale, shift) = (try weights(node, 1, rank: 1), try weights(node, 2, rank: 1))
    guard scale.floats?.allSatisfy({ $0 == 1 }) ?? (scale.fill == 1),
      shift.floats?.allSatisfy({ $0 == 0 }) ?? (shift.fill == 0)
    else { throw refusal(node, "it has factors of its own for each group") }
    let epsilon = number(node, "epsilon") ?? 1e-5
    guard epsilon > 0, epsilon < 1 else { throw refusal(node, "its epsilon is \(epsilon)") }
    let made = try emit(
      .other(GroupNorm(groups: groups, epsilon: Self.meant(epsilon), hasBias: false)), [source], node,
      name: moduleOfFactors(behind: node) ?? ONNXNames.module(of: node))
    // A sum behind it is its shift.
    state["\(made).weight"] = .constant(1, count: shape.channels)
  }

  // The module of the factors that follow a normalization of what was regrouped, by the name of these.
  private func moduleOfFactors(behind node: PBNodeProto) -> String? {
    var name = node.output.first ?? ""
    for _ in 0..<2 {
      guard let next = readers[name], next.count == 1, let output = file.nodes[next[0]].output.first else { return nil }
      let reader = file.nodes[next[0]]
      guard reader.opType == "Mul" else {
        name = output
        continue
      }
      for input in reader.input where input != name {
        // As it is, or with axes for rows and columns, by a node that may come later.
        let writer = writers[input].map { file.nodes[$0] }.flatMap {
          ["Unsqueeze", "Reshape", "Identity"].contains($0.opType) ? $0 : nil
        }
        let source = writer?.input.first ?? input
        guard file.constants[source] != nil else { continue }
        return ONNXNames.module(ofWeight: writer?.opType == "Identity" ? input : source)
      }
      return nil
    }
    return nil
  }

  /// Whether a convolution is one along the channels of a vector, as in efficient channel attention.
  func isAlongChannels(_ node: PBNodeProto) throws -> Bool {
    guard node.input.count >= 2, case .constant(let tensor) = try value(node, 1) else { return false }
    return tensor.dimensions.count == 3
  }

  mutating func channelConvolution(_ node: PBNodeProto) throws {
    let source = try layer(node, 0)
    let layout = layout(node, 0)
    let tensor = try weights(node, 1, rank: 3)
    let kernel = tensor.dimensions[2]
    guard let shape = shapes[source], layout.axes.count == 3, layout.axes[1].isEmpty, layout.channelAxis(shape) == 2,
      tensor.dimensions[0] == 1, tensor.dimensions[1] == 1, try bias(node) == nil, kernel % 2 == 1,
      integers(node, "pads") ?? [0, 0] == [kernel / 2, kernel / 2], (integers(node, "strides") ?? [1]) == [1],
      (integers(node, "dilations") ?? [1]) == [1]
    else { throw refusal(node, "it is no convolution of the channels of a vector with one output and an odd window") }
    let made = try emit(.other(ChannelConvolution(kernelSize: kernel)), [source], node, name: module(node))
    keep(tensor, as: "\(made).weight")
  }

  // A float32 as the number that was meant: 0.00001 and not 0.0000099999997.
  static func meant(_ value: Double) -> Double { Double("\(Float(value))") ?? value }

  mutating func gemm(_ node: PBNodeProto) throws {
    let tensor = try weights(node, 1, rank: 2)
    guard (number(node, "alpha") ?? 1) == 1, (number(node, "beta") ?? 1) == 1, (integer(node, "transA") ?? 0) == 0
    else {
      throw refusal(node, "it scales or turns what it reads")
    }
    let turns = integer(node, "transB") ?? 0 == 0
    let made = try linear(node, tensor, turns: turns)
    guard let bias = try bias(node) else { return }
    try setBias(of: made, bias, node)
  }

  mutating func product(_ node: PBNodeProto) throws {
    _ = try linear(node, try weights(node, 1, rank: 2), turns: true)
  }

  /// A linear layer without bias, by a matrix that has a row for each input (`turns`) or for each output.
  private mutating func linear(_ node: PBNodeProto, _ tensor: ONNXTensor, turns: Bool) throws -> String {
    let source = try layer(node, 0)
    let dimensions = turns ? [tensor.dimensions[1], tensor.dimensions[0]] : tensor.dimensions
    guard dimensions.allSatisfy({ (1...1 << 28).contains($0) }) else {
      throw refusal(node, "its weights are \(dimensions)")
    }
    guard let shape = shapes[source] else { throw refusal(node, "its input has no shape") }
    let layout = layout(node, 0)
    let made: String
    if layout == .features(shape) {
      made = try emit(
        .linear(Linear(outputFeatures: dimensions[0], hasBias: false)), [source], node, name: module(node))
    } else if layout.channelAxis(shape) == layout.axes.count - 1, node.opType == "MatMul" {
      made = try emit(
        .other(PointwiseLinear(outputFeatures: dimensions[0], hasBias: false)), [source], node,
        name: module(node))
    } else {
      throw refusal(node, "it multiplies another axis of a map than that of its channels")
    }
    try claim(node, made)
    weightDimensions[made] = dimensions
    keep(tensor, as: "\(made).weight", order: turns ? [1, 0] : nil)
    return made
  }

  /// Gives the last layer, a linear one or a convolution without bias, the bias that is added to what it gives.
  func canTakeBias(_ name: String) -> Bool {
    guard let layer = layers.last, layer.name == name else { return false }
    switch layer.operation {
    case .linear(let linear): return !linear.hasBias
    case .convolution(let convolution): return !convolution.hasBias
    case .other(let other): return (other.definition as? PointwiseLinear).map { !$0.hasBias } ?? false
    default: return false
    }
  }

  mutating func setBias(of name: String, _ bias: ONNXTensor, _ node: PBNodeProto) throws {
    guard canTakeBias(name), let shape = shapes[name], bias.dimensions.reduce(1, *) == shape.channels,
      bias.dimensions.contains(shape.channels)
    else { throw refusal(node, "its bias is not one number for each output") }
    let last = layers.count - 1
    switch layers[last].operation {
    case .linear(var linear):
      linear.hasBias = true
      layers[last].operation = .linear(linear)
    case .convolution(var convolution):
      convolution.hasBias = true
      layers[last].operation = .convolution(convolution)
    case .other(let other):
      guard var linear = other.definition as? PointwiseLinear else { return }
      linear.hasBias = true
      layers[last].operation = .other(linear)
    default: return
    }
    keep(bias, as: "\(name).bias")
  }
}
