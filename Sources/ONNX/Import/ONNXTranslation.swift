import Networks
import Support

/// Makes layers of nodes, one node after the other.
struct ONNXTranslation {
  private let file: ONNXFile
  private let restores: ONNXImport.BatchNormalization
  private(set) var layers: [Layer] = []
  /// The dimensions that the file's weights have, by layer.
  private(set) var weightDimensions: [String: [Int]] = [:]
  /// Convolutions behind which a batch normalization was put back.
  private(set) var restored: [String] = []
  /// What was left out or put in, for people.
  private(set) var remarks: [String] = []

  private var names = ONNXNames()
  private var values: [String: ONNXValue] = [:]
  /// Layers whose result has no height and width any more.
  private var flat: Set<String> = []
  /// Layers whose result is one place, after a mean over all of them.
  private var pooled: Set<String> = []
  private var readers: [String: [Int]] = [:]

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

  private mutating func translate(_ node: PBNodeProto) throws {
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

  private func refusal(_ node: PBNodeProto, _ reason: String) -> ONNXFault {
    ONNXFault("\(ONNXFile.describe(node)): \(reason)")
  }

  private mutating func set(_ node: PBNodeProto, _ value: ONNXValue) {
    if let name = node.output.first { values[name] = value }
  }

  private func value(_ node: PBNodeProto, _ place: Int) throws -> ONNXValue {
    guard node.input.indices.contains(place), let value = values[node.input[place]] else {
      throw refusal(node, "its input \(place + 1) is missing")
    }
    return value
  }

  private mutating func layer(_ node: PBNodeProto, _ place: Int) throws -> String {
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
  private mutating func emit(
    _ operation: Networks.Operation, _ inputs: [String], _ node: PBNodeProto, name: String? = nil
  ) throws
    -> String
  {
    let made = try emit(operation, inputs, path: name ?? ONNXNames.path(of: node))
    set(node, .layer(made))
    return made
  }

  private mutating func emit(_ operation: Networks.Operation, _ inputs: [String], path: String) throws -> String {
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

  private mutating func activation(_ function: Activation, _ node: PBNodeProto) throws {
    try emit(.activation(function), [try layer(node, 0)], node)
  }

  // MARK: - Attributes

  private func attribute(_ node: PBNodeProto, _ name: String) -> PBAttributeProto? {
    node.attribute.first { $0.name == name }
  }

  private func integer(_ node: PBNodeProto, _ name: String) -> Int? { attribute(node, name).map { Int($0.i) } }

  private func integers(_ node: PBNodeProto, _ name: String) -> [Int]? {
    attribute(node, name).map { $0.ints.map { Int($0) } }
  }

  private func number(_ node: PBNodeProto, _ name: String) -> Double? { attribute(node, name).map { Double($0.f) } }

  /// A setting that was an attribute once and is an input since.
  private func integers(_ node: PBNodeProto, _ name: String, input: Int) throws -> [Int]? {
    if let own = integers(node, name) { return own }
    guard node.input.indices.contains(input), !node.input[input].isEmpty else { return nil }
    guard let sizes = try sizes(node, input) else { return nil }
    return try sizes.map { size in
      guard case .known(let value) = size else { throw refusal(node, "its \(name) follow from the image") }
      return value
    }
  }

  private func number(_ node: PBNodeProto, _ name: String, input: Int) throws -> Double? {
    if let own = number(node, name) { return own }
    guard node.input.indices.contains(input), !node.input[input].isEmpty else { return nil }
    return try scalar(node, input)
  }

  private func scalar(_ node: PBNodeProto, _ place: Int) throws -> Double? {
    guard case .constant(let tensor) = try value(node, place), tensor.dimensions.reduce(1, *) == 1 else { return nil }
    return tensor.floats?.first ?? tensor.integers.flatMap { $0.first.map(Double.init) }
  }

  private func extent(_ values: [Int]?, _ node: PBNodeProto, _ name: String, default fallback: Int) throws -> Extent {
    guard let values else { return Extent(fallback) }
    guard values.count == 2, values.allSatisfy({ $0 >= 0 && $0 <= 1 << 14 }) else {
      throw refusal(node, "its \(name) are \(values); two numbers are wanted, of height and width")
    }
    return Extent(height: values[0], width: values[1])
  }

  /// Padding that is the same on both sides, with what a Pad before it adds.
  private func padding(_ node: PBNodeProto, _ more: [Int] = [0, 0, 0, 0]) throws -> Extent {
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

  // MARK: - Shapes

  private func isSizes(_ node: PBNodeProto) throws -> Bool {
    var found = false
    for (place, name) in node.input.enumerated() where !name.isEmpty {
      switch try value(node, place) {
      case .sizes: found = true
      case .constant(let tensor):
        if tensor.integers != nil, node.opType == "Concat" || node.opType == "Unsqueeze" { found = true }
      default: return false
      }
    }
    return found
  }

  private func sizes(_ node: PBNodeProto, _ place: Int) throws -> [ONNXValue.Size]? {
    switch try value(node, place) {
    case .sizes(let sizes): sizes
    case .constant(let tensor): tensor.integers.map { $0.map { .known($0) } }
    default: nil
    }
  }

  private mutating func shape(_ node: PBNodeProto) throws {
    switch try value(node, 0) {
    case .constant(let tensor): set(node, .sizes(tensor.dimensions.map { .known($0) }))
    case .sizes(let sizes): set(node, .sizes([.known(sizes.count)]))
    default:
      let name = try layer(node, 0)
      set(node, .sizes([.batch] + [ONNXValue.Size](repeating: .open, count: flat.contains(name) ? 1 : 3)))
    }
  }

  private mutating func gather(_ node: PBNodeProto) throws {
    guard let all = try sizes(node, 0), let places = try sizes(node, 1) else {
      throw refusal(node, "its indices are not known")
    }
    set(
      node,
      .sizes(
        try places.map { place in
          guard case .known(let index) = place, all.indices.contains(index < 0 ? all.count + index : index) else {
            throw refusal(node, "its indices are not known")
          }
          return all[index < 0 ? all.count + index : index]
        }))
  }

  private mutating func slice(_ node: PBNodeProto) throws {
    guard let all = try sizes(node, 0), let start = try integers(node, "starts", input: 1)?.first,
      let end = try integers(node, "ends", input: 2)?.first, try integers(node, "steps", input: 4) ?? [1] == [1]
    else { throw refusal(node, "what it cuts out is not known") }
    func place(_ index: Int) -> Int { min(max(index < 0 ? all.count + index : index, 0), all.count) }
    set(node, .sizes(place(start) < place(end) ? Array(all[place(start)..<place(end)]) : []))
  }

  private func constant(_ node: PBNodeProto) throws -> ONNXTensor {
    if let tensor = attribute(node, "value") { return try ONNXTensor(tensor.t) }
    if let value = integer(node, "value_int") { return ONNXTensor(dimensions: [], integers: [value]) }
    if let values = integers(node, "value_ints") { return ONNXTensor(dimensions: [values.count], integers: values) }
    if let value = number(node, "value_float") { return ONNXTensor(dimensions: [], floats: [value]) }
    if let values = attribute(node, "value_floats")?.floats {
      return ONNXTensor(dimensions: [values.count], floats: values.map(Double.init))
    }
    throw refusal(node, "it holds no numbers")
  }

  // MARK: - Layers with weights

  private static func module(_ node: PBNodeProto) -> String {
    ONNXNames.module(ofWeight: node.input[1]) ?? ONNXNames.module(of: node)
  }

  private func weights(_ node: PBNodeProto, _ place: Int, rank: Int) throws -> [Int] {
    guard case .constant(let tensor) = try value(node, place), tensor.dimensions.count == rank else {
      throw refusal(node, "its weights are computed, or no \(rank) dimensions")
    }
    return tensor.dimensions
  }

  private func hasBias(_ node: PBNodeProto) throws -> Bool {
    guard node.input.count > 2, !node.input[2].isEmpty else { return false }
    guard case .constant = try value(node, 2) else { throw refusal(node, "its bias is computed") }
    return true
  }

  private mutating func convolution(_ node: PBNodeProto) throws {
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
  private func isFolded(_ node: PBNodeProto) -> Bool {
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

  private mutating func normalization(_ node: PBNodeProto) throws {
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
  private static func meant(_ value: Double) -> Double { Double("\(Float(value))") ?? value }

  private mutating func gemm(_ node: PBNodeProto) throws {
    var dimensions = try weights(node, 1, rank: 2)
    guard (number(node, "alpha") ?? 1) == 1, (number(node, "beta") ?? 1) == 1, (integer(node, "transA") ?? 0) == 0
    else {
      throw refusal(node, "it scales or turns what it reads")
    }
    if integer(node, "transB") ?? 0 == 0 { dimensions.swapAt(0, 1) }
    try linear(node, dimensions, hasBias: hasBias(node))
  }

  private mutating func product(_ node: PBNodeProto) throws {
    let dimensions = try weights(node, 1, rank: 2)
    try linear(node, [dimensions[1], dimensions[0]], hasBias: false)
    if case .layer(let made)? = node.output.first.flatMap({ values[$0] }) { set(node, .linear(layer: made)) }
  }

  private mutating func linear(_ node: PBNodeProto, _ dimensions: [Int], hasBias: Bool) throws {
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

  // MARK: - Functions

  private mutating func clip(_ node: PBNodeProto) throws {
    let (low, high) = (try number(node, "min", input: 1), try number(node, "max", input: 2))
    switch (low, high) {
    case (0, 6): try activation(.relu6, node)
    case (0, nil): try activation(.relu, node)
    case (0, let most?) where most > 1e30: try activation(.relu, node)
    default:
      throw refusal(
        node,
        "it keeps numbers from \(low.map { "\($0)" } ?? "−∞") to \(high.map { "\($0)" } ?? "∞"); 0 to 6 is read, as ReLU6"
      )
    }
  }

  private mutating func leaky(_ node: PBNodeProto) throws {
    let slope = number(node, "alpha") ?? 0.01
    guard abs(slope - 0.01) < 1e-6 else { throw refusal(node, "its slope is \(slope), and 0.01 is read") }
    try activation(.leakyRelu, node)
  }

  private mutating func gelu(_ node: PBNodeProto) throws {
    let form = attribute(node, "approximate").map { String(decoding: $0.s, as: UTF8.self) } ?? "none"
    guard form == "none" else {
      throw refusal(node, "it is the approximation by \(ONNXFault.shown(form)), and the exact form is read")
    }
    try activation(.gelu, node)
  }

  /// A gate waits for the product with what it was made of, where that is all that reads it.
  private mutating func gate(_ node: PBNodeProto, _ function: Activation) throws {
    if function == .hardSigmoid {
      let (slope, shift) = (number(node, "alpha") ?? 0.2, number(node, "beta") ?? 0.5)
      guard abs(slope - 1.0 / 6) < 1e-4, abs(shift - 0.5) < 1e-6 else {
        throw refusal(node, "its slope is \(slope) and its middle \(shift); a sixth and a half are read")
      }
    }
    let source = try layer(node, 0)
    let those = readers[node.output.first ?? ""] ?? []
    if those.count == 1, let reader = those.first.map({ file.nodes[$0] }), reader.opType == "Mul",
      reader.input.contains(node.input[0])
    {
      set(node, .gate(of: source, isHard: function == .hardSigmoid))
    } else {
      try emit(.activation(function), [source], node)
    }
  }

  private mutating func scaled(_ node: PBNodeProto, divides: Bool) throws {
    guard let by = try scalar(node, 1) ?? (divides ? nil : scalar(node, 0)), by != 0 else {
      throw refusal(node, "it divides by what is no number of the file")
    }
    let factor = divides ? 1 / by : by
    let place = try scalar(node, 1) != nil ? 0 : 1
    if case .gelu(var part) = try value(node, place) {
      guard case .product(let hasSource, false) = part.stage, abs(factor - 0.5) < 1e-6 else {
        throw refusal(node, "it scales by \(factor), which is part of no function that is read")
      }
      part.stage = .product(hasSource: hasSource, hasHalf: true)
      return try finish(part, node)
    }
    let source = try layer(node, place)
    if abs(factor - 0.5.squareRoot()) < 1e-5 {
      set(node, .gelu(.init(source: source, stage: .scaled)))
    } else if abs(factor - 0.5) < 1e-6 {
      set(node, .gelu(.init(source: source, stage: .half)))
    } else {
      throw refusal(node, "it scales by \(factor), which is part of no function that is read")
    }
  }

  private mutating func erf(_ node: PBNodeProto) throws {
    guard case .gelu(let part) = try value(node, 0), part.stage == .scaled else {
      throw refusal(node, "it is read as part of GELU alone")
    }
    set(node, .gelu(.init(source: part.source, stage: .erf)))
  }

  private mutating func finish(_ part: ONNXValue.GELUPart, _ node: PBNodeProto) throws {
    if part.stage == .product(hasSource: true, hasHalf: true) {
      try emit(
        .activation(.gelu), [part.source], node, name: ONNXNames.path(of: node).replacingSuffix(".mul", by: ".gelu"))
    } else {
      set(node, .gelu(part))
    }
  }

  private mutating func multiply(_ node: PBNodeProto) throws {
    if try scalar(node, 0) != nil { return try scaled(node, divides: false) }
    if try scalar(node, 1) != nil { return try scaled(node, divides: false) }
    let (one, other) = (try value(node, 0), try value(node, 1))
    switch (one, other) {
    case (.gate(let source, let isHard), .layer(let x)), (.layer(let x), .gate(let source, let isHard)):
      if source == x {
        try emit(
          .activation(isHard ? .hardSwish : .silu), [x], node,
          name: ONNXNames.path(of: node).replacingSuffix(".mul", by: ""))
        return
      }
    case (.gelu(var part), .layer(let x)), (.layer(let x), .gelu(var part)):
      guard part.source == x, case .product(false, let hasHalf) = part.stage else {
        throw refusal(node, "it is part of no function that is read")
      }
      part.stage = .product(hasSource: true, hasHalf: hasHalf)
      return try finish(part, node)
    case (.gelu(let one), .gelu(let other)):
      // (x · ½) · (1 + erf)
      guard one.source == other.source, one.stage == .half || other.stage == .half,
        [one.stage, other.stage].contains(.product(hasSource: false, hasHalf: false))
      else { throw refusal(node, "it is part of no function that is read") }
      return try finish(.init(source: one.source, stage: .product(hasSource: true, hasHalf: true)), node)
    default: break
    }
    var inputs = [try layer(node, 0), try layer(node, 1)]
    // The map comes first, and its gate second.
    if pooled.contains(inputs[0]), !pooled.contains(inputs[1]) { inputs.swapAt(0, 1) }
    try emit(.multiply, inputs, node)
  }

  private mutating func add(_ node: PBNodeProto) throws {
    for (place, rest) in [(0, 1), (1, 0)] {
      if case .gelu(let part) = try value(node, place), part.stage == .erf, try scalar(node, rest) == 1 {
        set(node, .gelu(.init(source: part.source, stage: .product(hasSource: false, hasHalf: false))))
        return
      }
      // MatMul and Add are one linear layer.
      if case .linear(let made) = try value(node, place), case .constant(let bias) = try value(node, rest),
        let index = layers.lastIndex(where: { $0.name == made }), case .linear(var linear) = layers[index].operation,
        bias.dimensions.last == linear.outputFeatures, bias.dimensions.dropLast().allSatisfy({ $0 == 1 })
      {
        linear.hasBias = true
        layers[index].operation = .linear(linear)
        set(node, .layer(made))
        return
      }
      if case .constant = try value(node, place) {
        throw refusal(node, "it adds numbers of the file, which is no layer that is read")
      }
    }
    let inputs = [try layer(node, 0), try layer(node, 1)]
    try emit(.add, inputs, node)
  }

  private mutating func concatenate(_ node: PBNodeProto) throws {
    guard let axis = integer(node, "axis"), axis == 1 || axis == -3 else {
      throw refusal(node, "it joins along another dimension than channels")
    }
    var inputs: [String] = []
    for place in node.input.indices { inputs.append(try layer(node, place)) }
    if inputs.count == 1 { set(node, .layer(inputs[0])) } else { try emit(.concatenate, inputs, node) }
  }

  // MARK: - Pools and shapes of maps

  private mutating func pool(_ node: PBNodeProto) throws {
    let source = try layer(node, 0)
    let kernel = try extent(integers(node, "kernel_shape"), node, "kernel_shape", default: 1)
    let stride = try extent(integers(node, "strides"), node, "strides", default: 1)
    guard (integers(node, "dilations") ?? [1, 1]).allSatisfy({ $0 == 1 }) else {
      throw refusal(node, "its window is dilated")
    }
    guard stride.height > 0, stride.width > 0, kernel.height > 0, kernel.width > 0 else {
      throw refusal(node, "a stride or window of 0 leads nowhere")
    }
    guard node.output.count == 1 || node.output[1].isEmpty || readers[node.output[1]] == nil else {
      throw refusal(node, "where its largest numbers were is read by another node")
    }
    let pool = Pool(
      kernelSize: kernel, stride: stride, padding: try padding(node), roundsUp: integer(node, "ceil_mode") ?? 0 == 1,
      countsPadding: node.opType == "MaxPool" || integer(node, "count_include_pad") ?? 0 == 1)
    try emit(node.opType == "MaxPool" ? .maxPool(pool) : .averagePool(pool), [source], node)
  }

  private mutating func mean(_ node: PBNodeProto) throws {
    guard let axes = try integers(node, "axes", input: 1), Set(axes.map { $0 < 0 ? $0 + 4 : $0 }) == [2, 3] else {
      throw refusal(node, "it takes the mean over something else than height and width")
    }
    let made = try emit(.globalAveragePool, [try layer(node, 0)], node)
    if integer(node, "keepdims") ?? 1 == 0 { try emit(.flatten, [made], node, name: "\(made).flatten") }
  }

  private mutating func flatten(_ node: PBNodeProto) throws {
    let source = try layer(node, 0)
    guard [1, -3].contains(integer(node, "axis") ?? 1) || flat.contains(source) else {
      throw refusal(node, "it flattens the batch, too")
    }
    if flat.contains(source) { set(node, .layer(source)) } else { try emit(.flatten, [source], node) }
  }

  private mutating func reshape(_ node: PBNodeProto) throws {
    let source = try layer(node, 0)
    guard let sizes = try sizes(node, 1) else { throw refusal(node, "what it makes of a map is not known") }
    let images = file.input.dimensions[0].map { ONNXValue.Size.known($0) }
    let isBatch = [.batch, .known(0), .known(-1), images].contains(sizes.first)
    guard sizes.count == 2, isBatch else {
      throw refusal(
        node, "it regroups a map into \(sizes.count) dimensions, as a channel shuffle does; only flattening is read")
    }
    if flat.contains(source) { set(node, .layer(source)) } else { try emit(.flatten, [source], node) }
  }

  private mutating func squeeze(_ node: PBNodeProto) throws {
    let source = try layer(node, 0)
    let axes = try integers(node, "axes", input: 1) ?? []
    guard Set(axes.map { $0 < 0 ? $0 + 4 : $0 }) == [2, 3], !flat.contains(source) else {
      throw refusal(node, "it takes away other dimensions than height and width")
    }
    try emit(.flatten, [source], node)
  }

  private mutating func pad(_ node: PBNodeProto) throws {
    let mode = attribute(node, "mode").map { String(decoding: $0.s, as: UTF8.self) } ?? "constant"
    guard mode == "constant", try number(node, "value", input: 2) ?? 0 == 0 else {
      throw refusal(node, "it pads with something else than zeros")
    }
    guard let pads = try integers(node, "pads", input: 1), pads.count == 8, [0, 1, 4, 5].allSatisfy({ pads[$0] == 0 })
    else {
      throw refusal(node, "it pads something else than height and width")
    }
    let source = try layer(node, 0)
    if pads.allSatisfy({ $0 == 0 }) { return set(node, .layer(source)) }
    guard (readers[node.output.first ?? ""] ?? []).allSatisfy({ file.nodes[$0].opType == "Conv" }) else {
      throw refusal(node, "only a convolution may read what it pads")
    }
    set(node, .padded(source, [pads[2], pads[3], pads[6], pads[7]]))
  }

  private mutating func dropout(_ node: PBNodeProto) throws {
    let source = try layer(node, 0)
    let ratio = try number(node, "ratio", input: 1) ?? 0.5
    guard ratio > 0, ratio < 1 else { return set(node, .layer(source)) }
    try emit(.dropout(Dropout(probability: (ratio * 1e6).rounded() / 1e6)), [source], node)
  }
}

extension String {
  /// With another ending, where it has this one.
  func replacingSuffix(_ suffix: String, by other: String) -> String {
    hasSuffix(suffix) && count > suffix.count ? dropLast(suffix.count) + other : self
  }
}
