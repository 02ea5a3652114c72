import Networks
import Support

/// Parts whose widths cannot be followed: they are passed as they are, as ``Networks/TensorProgram``.
///
/// A node that nothing else knows becomes a step on tensors, and so does what reads its result, until something needs a map: then the steps so far become
/// one layer at fixed widths.
extension ONNXTranslation {
  /// A tensor in a part that is passed.
  struct PassedTensor {
    /// A weight of the file.
    struct Learnable {
      var tensor: ONNXTensor
      /// What its readers know it by: several may be one tensor of the file, where that keeps equal ones once.
      var key: String
      var name: String
      var use: TensorProgram.Parameter.Use
    }

    enum Source {
      case layer(String)
      case learnable(Learnable)
      case constant(TensorProgram.Constant)
      /// Its operands are tensors of ``ONNXTranslation/passed``.
      case step(TensorProgram.Step)
    }

    var source: Source
    /// A negative size is so many times the number of images.
    var sizes: [Int]
  }

  // What needs a map, and makes one.
  private static let closing: Set<String> = [
    "Conv", "BatchNormalization", "InstanceNormalization", "GroupNormalization", "MaxPool", "AveragePool",
    "GlobalAveragePool", "Resize",
    "Upsample", "Gemm",
  ]

  func readsPassed(_ node: PBNodeProto) -> Bool {
    node.input.contains { if case .passed = values[$0] { true } else { false } }
  }

  /// A node that reads a tensor of a part that is passed: the part ends before it, or goes on with it.
  mutating func passOn(_ node: PBNodeProto) throws {
    for (place, name) in node.input.enumerated() {
      guard case .passed(let index)? = values[name] else { continue }
      if Self.closing.contains(node.opType) || isHead(node, place, index) {
        if let (shape, layout) = Self.map(passed[index].sizes) { try close(name, index, as: shape, layout, node) }
      } else if ["Add", "Concat", "Mul"].contains(node.opType), let (shape, layout) = neighbour(of: place, index, node)
      {
        // Back beside a layer of the same kind, as behind a residual branch.
        try close(name, index, as: shape, layout, node)
      }
    }
    if readsPassed(node) { try pass(node) } else { try translateKnown(node) }
  }

  // A matrix of the file behind a vector of features, as in a classifier, and a softmax at the end, which is left out.
  func isHead(_ node: PBNodeProto, _ place: Int, _ index: Int) -> Bool {
    guard passed[index].sizes.count == 2, place == 0 else { return false }
    if node.opType == "MatMul", node.input.count == 2, case .constant(let tensor)? = values[node.input[1]] {
      return tensor.dimensions.count == 2
    }
    return ["Softmax", "LogSoftmax"].contains(node.opType) && node.output.first == end
  }

  /// Puts a part that is passed to an end as a layer, where the whole network ends.
  mutating func closeOutput() throws {
    guard case .passed(let index)? = values[file.output] else { return }
    guard let (shape, layout) = Self.map(passed[index].sizes),
      let node = file.nodes.last(where: { $0.output.contains(file.output) })
    else { throw ONNXFault("its output is a tensor of \(passed[index].sizes), and numbers for each class are wanted") }
    try close(file.output, index, as: shape, layout, node)
  }

  static func map(_ sizes: [Int]) -> (Shape, ONNXLayout)? {
    guard sizes.first == -1, sizes.dropFirst().allSatisfy({ $0 > 0 }) else { return nil }
    if sizes.count == 4 {
      let shape = Shape(channels: sizes[1], height: sizes[2], width: sizes[3])
      return (shape, .map(shape))
    }
    guard sizes.count == 2 else { return nil }
    let shape = Shape(channels: sizes[1], height: 1, width: 1)
    return (shape, .features(shape))
  }

  // A layer beside it whose axes have the same sizes, and all of whose results can be written in these axes.
  func neighbour(of place: Int, _ index: Int, _ node: PBNodeProto) -> (Shape, ONNXLayout)? {
    for (other, name) in node.input.enumerated() where other != place {
      guard case .layer(let layer)? = values[name], let shape = shapes[layer] else { continue }
      let layout = layout(node, other)
      guard arrangement(shape, layout)?.sizes == passed[index].sizes else { continue }
      if node.opType == "Concat" {
        guard layout == .map(shape), integer(node, "axis") == 1 else { continue }
      }
      if node.opType == "Mul" { guard layout == .map(shape) else { continue } }
      return (shape, layout)
    }
    return nil
  }

  // MARK: - Into the part

  /// Makes a step of a node; what was refused for another reason is refused for that one where it is none.
  mutating func pass(_ node: PBNodeProto, because fault: ONNXFault? = nil) throws {
    do {
      try step(node)
    } catch let own as ONNXFault {
      throw own.isFinal ? own : fault ?? own
    }
  }

  /// Whether a node that was refused may be a step of a part that is passed.
  func mayPass(_ node: PBNodeProto) -> Bool {
    // What is done to the images before anything else is a normalization, or nothing that a network should keep.
    let readsImages = node.input.contains { name in
      guard case .layer(var layer)? = values[name] else { return false }
      while let found = rescaled[layer] { layer = found }
      return layer == Network.inputName
    }
    // Numbers for each channel that are taken away or divided by are the statistics of a normalization, which training would not know.
    if ["Sub", "Div"].contains(node.opType), node.input.count == 2,
      case .constant(let numbers)? = values[node.input[1]],
      case .layer(let source)? = values[node.input[0]], let shape = shapes[source],
      numbers.dimensions.contains(where: { $0 > 1 }),
      isOnChannels(numbers, layout(node, 0), shape)
    {
      return false
    }
    return (node.domain.isEmpty || node.domain == "ai.onnx") && Self.passable.contains(node.opType) && !readsImages
      && node.output.first.map { !$0.isEmpty } ?? false
  }

  private static let passable: Set<String> = [
    "Add", "Sub", "Mul", "Div", "Max", "Min", "Pow", "MatMul", "Neg", "Exp", "Log", "Sqrt", "Reciprocal", "Abs", "Erf",
    "Tanh", "Sigmoid", "Relu", "Softplus", "HardSwish", "HardSigmoid", "Gelu", "Clip", "LeakyRelu", "Softmax",
    "ReduceMean", "ReduceSum", "ReduceMax", "ReduceL2", "LayerNormalization", "Reshape", "Flatten", "Squeeze",
    "Unsqueeze", "Transpose", "Expand", "Slice", "Split", "Concat", "Gather", "Pad", "Identity", "Cast", "CastLike",
    "Dropout", "Shape", "GlobalAveragePool",
  ]

  private static let unary: [String: TensorProgram.Function] = [
    "Neg": .negative, "Exp": .exp, "Log": .log, "Sqrt": .sqrt, "Reciprocal": .reciprocal, "Abs": .abs, "Erf": .erf,
    "Tanh": .tanh, "Sigmoid": .sigmoid, "Relu": .relu, "Softplus": .softplus, "HardSwish": .hardSwish,
  ]
  private static let binary: [String: TensorProgram.Function] = [
    "Add": .add, "Sub": .subtract, "Mul": .multiply, "Div": .divide, "Max": .maximum, "Min": .minimum,
    "MatMul": .matmul,
  ]

  mutating func step(_ node: PBNodeProto) throws {
    guard mayPass(node) else { throw refusal(node, "this operator is not read behind a part that is passed as it is") }
    if node.opType == "Shape", case .passed(let index) = try value(node, 0) {
      let sizes = passed[index].sizes.map { $0 == -1 ? ONNXValue.Size.batch : $0 < 0 ? .batches(-$0) : .known($0) }
      return set(node, .sizes(part(of: sizes, node)))
    }
    if let function = Self.binary[node.opType] {
      guard node.input.count == 2 else { throw refusal(node, "it has \(node.input.count) inputs; two are read") }
      return try finish(node, try add(function, [try operand(node, 0), try operand(node, 1)], node))
    }
    let first = try operand(node, 0)
    let sizes = passed[first].sizes
    if let function = Self.unary[node.opType] { return try finish(node, try add(function, [first], node)) }
    switch node.opType {
    case "Identity", "Cast", "CastLike", "Dropout": try finish(node, first)
    case "HardSigmoid":
      let alpha = Self.meant(number(node, "alpha") ?? 0.2)
      guard abs(alpha - 1.0 / 6) < 1e-6, number(node, "beta") ?? 0.5 == 0.5 else {
        throw refusal(node, "its slope is not the usual one")
      }
      try finish(node, try add(.hardSigmoid, [first], node))
    case "Pow":
      guard let exponent = try scalar(node, 1) else { throw refusal(node, "its exponent is no number of the file") }
      try finish(node, try add(.power, [first], node, value: exponent))
    case "Gelu":
      guard text(node, "approximate") ?? "none" == "none" else { throw refusal(node, "it is approximated") }
      let error = try add(.erf, [try times(first, 0.5.squareRoot(), node)], node)
      try finish(node, try times(try add(.multiply, [first, try plus(error, 1, node)], node), 0.5, node))
    case "LeakyRelu":
      let slope = Self.meant(number(node, "alpha") ?? 0.01)
      guard (0...1).contains(slope) else { throw refusal(node, "its slope is \(slope)") }
      try finish(node, try add(.maximum, [first, try times(first, slope, node)], node))
    case "Clip":
      let least = try number(node, "min", input: 1) ?? -.infinity
      let most = try number(node, "max", input: 2) ?? .infinity
      try finish(node, try add(.clamp, [first], node, value: least, second: most))
    case "Softmax":
      let axis = try axis(integer(node, "axis") ?? (file.opset < 13 ? 1 : -1), node, rank: sizes.count)
      // Once it was over all axes from that one on.
      guard file.opset >= 13 || sizes[(axis + 1)...].allSatisfy({ $0 == 1 }) else {
        throw refusal(node, "it is over several axes")
      }
      try finish(node, try add(.softmax, [first], node, [axis]))
    case "ReduceMean", "ReduceSum", "ReduceMax", "ReduceL2": try finish(node, try reduced(node, first))
    case "GlobalAveragePool":
      guard sizes.count > 2 else { throw refusal(node, "it has no places") }
      try finish(node, try add(.mean, [first], node, Array(2..<sizes.count)))
    case "LayerNormalization": try finish(node, try normalized(node, first))
    case "Reshape":
      try finish(node, try add(.reshape, [first], node, try reshapedSizes(node, sizes)))
    case "Flatten":
      let axis = integer(node, "axis") ?? 1
      guard (0...sizes.count).contains(axis) else { throw refusal(node, "it has no axis \(axis)") }
      let parts = [Array(sizes[..<axis]), Array(sizes[axis...])].map { part in
        (TensorProgram.count(part) ?? 0) * (part.contains { $0 < 0 } ? -1 : 1)
      }
      try finish(node, try add(.reshape, [first], node, parts))
    case "Squeeze", "Unsqueeze": try finish(node, try add(.reshape, [first], node, try squeezedSizes(node, sizes)))
    case "Transpose":
      let order = integers(node, "perm") ?? Array(sizes.indices.reversed())
      try finish(node, try add(.permute, [first], node, order))
    case "Expand": try finish(node, try expanded(node, first))
    case "Slice": try finish(node, try sliced(node, first))
    case "Split": try splitPassed(node, first)
    case "Concat":
      let axis = try axis(integer(node, "axis") ?? 0, node, rank: sizes.count)
      try finish(node, try add(.concatenate, try node.input.indices.map { try operand(node, $0) }, node, [axis]))
    case "Gather": try finish(node, try gathered(node, first))
    case "Pad": try finish(node, try paddedPassed(node, first))
    default: throw refusal(node, "this operator is not read behind a part that is passed as it is")
    }
  }

  mutating func finish(_ node: PBNodeProto, _ index: Int, output: Int = 0) throws {
    guard node.output.indices.contains(output) else { return }
    let name = node.output[output]
    guard !name.isEmpty else { return }
    if case .layer(let layer) = passed[index].source, let shape = shapes[layer] {
      // Nothing was done to it.
      values[name] = .layer(layer)
      layouts[name] = .map(shape)
      return
    }
    values[name] = .passed(index)
    layouts[name] = nil
    // A map that several read is a layer for all of them: weights that lead to it are in one place.
    let count = readers[name]?.count { file.nodes[$0].opType != "Shape" } ?? 0
    guard count > 1, case .step = passed[index].source,
      let (shape, layout) = Self.map(passed[index].sizes),
      layout == .map(shape)
    else { return }
    try close(name, index, as: shape, layout, node)
  }
}
