import Networks
import Support

/// Makes layers of nodes, one node after the other.
struct ONNXTranslation {
  let file: ONNXFile
  let restores: ONNXImport.BatchNormalization
  var layers: [Layer] = []
  /// The dimensions that the file's weights have, by layer.
  var weightDimensions: [String: [Int]] = [:]
  /// Convolutions behind which a batch normalization was put back.
  var restored: [String] = []
  /// What was left out or put in, for people.
  var remarks: [String] = []

  var names = ONNXNames()
  var values: [String: ONNXValue] = [:]
  /// Layers whose result has no height and width any more.
  var flat: Set<String> = []
  /// Layers whose result is one place, after a mean over all of them.
  var pooled: Set<String> = []
  var readers: [String: [Int]] = [:]

  init(_ file: ONNXFile, restores: ONNXImport.BatchNormalization) throws {
    self.file = file
    self.restores = restores
    for (index, node) in file.nodes.enumerated() {
      for name in node.input where !name.isEmpty { readers[name, default: []].append(index) }
    }
    for (name, tensor) in file.constants { values[name] = .constant(tensor) }
    values[file.input.name] = .layer("input")
    for node in file.nodes { try translate(node) }
    guard case .layer(let last)? = values[file.output] else {
      throw ONNXFault("what its output \(ONNXFault.shown(file.output)) is was not understood")
    }
    guard layers.last?.name == last else {
      throw ONNXFault("its output is not what its last layer gives")
    }
  }

  // MARK: - One node

  mutating func translate(_ node: PBNodeProto) throws {
    guard node.domain.isEmpty || node.domain == "ai.onnx" else {
      throw refusal(
        node,
        "it is an operator of \(ONNXFault.shown(node.domain)); give the file as it was before a runtime optimized it")
    }
    switch node.opType {
    case "Constant": set(node, .constant(try constant(node)))
    case "Identity", "Cast", "CastLike": set(node, try value(node, 0))
    case "Dropout": try dropout(node)
    case "Shape": try shape(node)
    case "Gather" where try isSizes(node): try gather(node)
    case "Unsqueeze" where try isSizes(node), "Squeeze" where try isSizes(node): set(node, try value(node, 0))
    case "Concat" where try isSizes(node):
      set(node, .sizes(try node.input.indices.flatMap { try sizes(node, $0) ?? [.open] }))
    case "Slice" where try isSizes(node): try slice(node)
    case "Mul" where try isSizes(node), "Add" where try isSizes(node), "Sub" where try isSizes(node),
      "Div" where try isSizes(node):
      set(node, .sizes([.open]))
    case "Conv": try convolution(node)
    case "BatchNormalization": try normalization(node)
    case "Gemm": try gemm(node)
    case "MatMul": try product(node)
    case "Relu": try activation(.relu, node)
    case "Clip": try clip(node)
    case "HardSwish": try activation(.hardSwish, node)
    case "Gelu": try gelu(node)
    case "LeakyRelu": try leaky(node)
    case "Sigmoid": try gate(node, .sigmoid)
    case "HardSigmoid": try gate(node, .hardSigmoid)
    case "Erf": try erf(node)
    case "Div": try scaled(node, divides: true)
    case "Mul": try multiply(node)
    case "Add": try add(node)
    case "Concat": try concatenate(node)
    case "MaxPool", "AveragePool": try pool(node)
    case "GlobalAveragePool": try emit(.globalAveragePool, [try layer(node, 0)], node)
    case "ReduceMean": try mean(node)
    case "Flatten": try flatten(node)
    case "Reshape": try reshape(node)
    case "Squeeze": try squeeze(node)
    case "Pad": try pad(node)
    case "Softmax", "LogSoftmax":
      guard node.output.first == file.output else { throw refusal(node, "only the last layer may be one") }
      remarks.append("the \(node.opType) at the end is left out: the loss has its own")
      set(node, try value(node, 0))
    default:
      throw refusal(
        node,
        "this operator is not read. Networks of convolutions, normalizations, pools, linear layers, additions, gates and concatenations are"
      )
    }
  }

  // MARK: - Values

  func refusal(_ node: PBNodeProto, _ reason: String) -> ONNXFault {
    ONNXFault("\(ONNXFile.describe(node)): \(reason)")
  }

  mutating func set(_ node: PBNodeProto, _ value: ONNXValue) {
    if let name = node.output.first { values[name] = value }
  }

  func value(_ node: PBNodeProto, _ place: Int) throws -> ONNXValue {
    guard node.input.indices.contains(place), let value = values[node.input[place]] else {
      throw refusal(node, "its input \(place + 1) is missing")
    }
    return value
  }

  mutating func layer(_ node: PBNodeProto, _ place: Int) throws -> String {
    switch try value(node, place) {
    case .layer(let name), .linear(let name): return name
    case .gate(let source, let isHard):
      // Met before what it was waiting for: a gate of its own after all.
      return try emit(.activation(isHard ? .hardSigmoid : .sigmoid), [source], path: node.input[place])
    case .constant, .sizes, .padded, .gelu:
      throw refusal(node, "its input \(place + 1) is not the result of a layer, which only some operators may have")
    }
  }

  @discardableResult
  mutating func emit(
    _ operation: Networks.Operation, _ inputs: [String], _ node: PBNodeProto, name: String? = nil
  ) throws
    -> String
  {
    let made = try emit(operation, inputs, path: name ?? ONNXNames.path(of: node))
    set(node, .layer(made))
    return made
  }

  mutating func emit(_ operation: Networks.Operation, _ inputs: [String], path: String) throws -> String {
    let name = names.unique(path)
    layers.append(Layer(name: name, operation: operation, inputs: inputs))
    switch operation {
    case .globalAveragePool: pooled.insert(name)
    case .convolution, .activation, .batchNorm, .dropout:
      if inputs.first.map(pooled.contains) ?? false { pooled.insert(name) }
    default: break
    }
    switch operation {
    case .flatten, .linear: flat.insert(name)
    case .activation, .dropout, .add, .multiply, .concatenate, .batchNorm:
      if inputs.first.map(flat.contains) ?? false { flat.insert(name) }
    default: break
    }
    return name
  }

  mutating func activation(_ function: Activation, _ node: PBNodeProto) throws {
    try emit(.activation(function), [try layer(node, 0)], node)
  }

  // MARK: - Attributes

  func attribute(_ node: PBNodeProto, _ name: String) -> PBAttributeProto? {
    node.attribute.first { $0.name == name }
  }

  func integer(_ node: PBNodeProto, _ name: String) -> Int? { attribute(node, name).map { Int($0.i) } }

  func integers(_ node: PBNodeProto, _ name: String) -> [Int]? {
    attribute(node, name).map { $0.ints.map { Int($0) } }
  }

  func number(_ node: PBNodeProto, _ name: String) -> Double? { attribute(node, name).map { Double($0.f) } }

  /// A setting that was an attribute once and is an input since.
  func integers(_ node: PBNodeProto, _ name: String, input: Int) throws -> [Int]? {
    if let own = integers(node, name) { return own }
    guard node.input.indices.contains(input), !node.input[input].isEmpty else { return nil }
    guard let sizes = try sizes(node, input) else { return nil }
    return try sizes.map { size in
      guard case .known(let value) = size else { throw refusal(node, "its \(name) follow from the image") }
      return value
    }
  }

  func number(_ node: PBNodeProto, _ name: String, input: Int) throws -> Double? {
    if let own = number(node, name) { return own }
    guard node.input.indices.contains(input), !node.input[input].isEmpty else { return nil }
    return try scalar(node, input)
  }

  func scalar(_ node: PBNodeProto, _ place: Int) throws -> Double? {
    guard case .constant(let tensor) = try value(node, place), tensor.dimensions.reduce(1, *) == 1 else { return nil }
    return tensor.floats?.first ?? tensor.integers.flatMap { $0.first.map(Double.init) }
  }

  func extent(_ values: [Int]?, _ node: PBNodeProto, _ name: String, default fallback: Int) throws -> Extent {
    guard let values else { return Extent(fallback) }
    guard values.count == 2, values.allSatisfy({ $0 >= 0 && $0 <= 1 << 14 }) else {
      throw refusal(node, "its \(name) are \(values); two numbers are wanted, of height and width")
    }
    return Extent(height: values[0], width: values[1])
  }

  /// Padding that is the same on both sides, with what a Pad before it adds.
  func padding(_ node: PBNodeProto, _ more: [Int] = [0, 0, 0, 0]) throws -> Extent {
    if let text = attribute(node, "auto_pad").map({ String(decoding: $0.s, as: UTF8.self) }), text != "NOTSET",
      text != "VALID"
    {
      let kernel = integers(node, "kernel_shape") ?? []
      // The same on both sides where the stride is one and the window is odd.
      guard (integers(node, "strides") ?? [1, 1]).allSatisfy({ $0 == 1 }), kernel.count == 2,
        kernel.allSatisfy({ $0 % 2 == 1 }), more.allSatisfy({ $0 == 0 })
      else { throw refusal(node, "it pads by \(ONNXFault.shown(text)), on one side more than on the other") }
      let dilations = integers(node, "dilations") ?? [1, 1]
      guard dilations.count == 2 else { throw refusal(node, "its dilations are \(dilations)") }
      return Extent(height: (kernel[0] - 1) * dilations[0] / 2, width: (kernel[1] - 1) * dilations[1] / 2)
    }
    let own = integers(node, "pads") ?? [0, 0, 0, 0]
    guard own.count == 4, own.allSatisfy({ (0...1 << 14).contains($0) }) else {
      throw refusal(node, "its pads are \(own); four numbers are wanted")
    }
    let all = zip(own, more).map { $0 + $1 }
    guard all[0] == all[2], all[1] == all[3] else {
      throw refusal(
        node,
        "it pads \(all[0]) above and \(all[2]) below, \(all[1]) left and \(all[3]) right; only equal sides are read")
    }
    return Extent(height: all[0], width: all[1])
  }
}
