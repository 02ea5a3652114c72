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
    "Conv", "BatchNormalization", "InstanceNormalization", "MaxPool", "AveragePool", "GlobalAveragePool", "Resize",
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
  private func isHead(_ node: PBNodeProto, _ place: Int, _ index: Int) -> Bool {
    guard passed[index].sizes.count == 2, place == 0 else { return false }
    if node.opType == "MatMul", node.input.count == 2, case .constant(let tensor)? = values[node.input[1]] {
      return tensor.dimensions.count == 2
    }
    return ["Softmax", "LogSoftmax"].contains(node.opType) && node.output.first == file.output
  }

  /// Puts a part that is passed to an end as a layer, where the whole network ends.
  mutating func closeOutput() throws {
    guard case .passed(let index)? = values[file.output] else { return }
    guard let (shape, layout) = Self.map(passed[index].sizes),
      let node = file.nodes.last(where: { $0.output.contains(file.output) })
    else { throw ONNXFault("its output is a tensor of \(passed[index].sizes), and numbers for each class are wanted") }
    try close(file.output, index, as: shape, layout, node)
  }

  private static func map(_ sizes: [Int]) -> (Shape, ONNXLayout)? {
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
  private func neighbour(of place: Int, _ index: Int, _ node: PBNodeProto) -> (Shape, ONNXLayout)? {
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

  private mutating func step(_ node: PBNodeProto) throws {
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

  private mutating func finish(_ node: PBNodeProto, _ index: Int, output: Int = 0) throws {
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

  // MARK: - Steps of one node

  private mutating func add(
    _ function: TensorProgram.Function, _ operands: [Int], _ node: PBNodeProto, _ numbers: [Int] = [],
    value: Double? = nil, second: Double? = nil
  ) throws -> Int {
    let step = TensorProgram.Step(function, operands, numbers, value: value, second: second)
    guard let sizes = TensorProgram.sizes(step, operands.map { passed[$0].sizes }), TensorProgram.isPossible(sizes)
    else {
      let texts = operands.map { "\(passed[$0].sizes)" }.joined(separator: " and ")
      throw refusal(node, "it does not fit tensors of \(texts)")
    }
    passed.append(PassedTensor(source: .step(step), sizes: sizes))
    return passed.count - 1
  }

  private mutating func constant(_ value: Double) -> Int {
    passed.append(PassedTensor(source: .constant(.init([], [Float(value)])), sizes: []))
    return passed.count - 1
  }

  private mutating func times(_ index: Int, _ factor: Double, _ node: PBNodeProto) throws -> Int {
    try add(.multiply, [index, constant(factor)], node)
  }

  private mutating func plus(_ index: Int, _ term: Double, _ node: PBNodeProto) throws -> Int {
    try add(.add, [index, constant(term)], node)
  }

  private mutating func reduced(_ node: PBNodeProto, _ first: Int) throws -> Int {
    let rank = passed[first].sizes.count
    let axes = try (integers(node, "axes", input: 1) ?? Array(0..<rank)).map { try axis($0, node, rank: rank) }
    var made: Int
    switch node.opType {
    case "ReduceMean": made = try add(.mean, [first], node, axes)
    case "ReduceMax": made = try add(.largest, [first], node, axes)
    case "ReduceL2":
      made = try add(.norm, [first], node, axes)
    default: made = try add(.sum, [first], node, axes)
    }
    if integer(node, "keepdims") ?? 1 == 0 {
      let left = passed[made].sizes.indices.filter { !axes.contains($0) }.map { passed[made].sizes[$0] }
      made = try add(.reshape, [made], node, left)
    }
    return made
  }

  private mutating func normalized(_ node: PBNodeProto, _ first: Int) throws -> Int {
    let rank = passed[first].sizes.count
    let start = try axis(integer(node, "axis") ?? -1, node, rank: rank)
    let axes = Array(start..<rank)
    let centred = try add(.subtract, [first, try add(.mean, [first], node, axes)], node)
    let variance = try add(.mean, [try add(.multiply, [centred, centred], node)], node, axes)
    let epsilon = Self.meant(number(node, "epsilon") ?? 1e-5)
    var made = try add(.divide, [centred, try add(.sqrt, [try plus(variance, epsilon, node)], node)], node)
    if node.input.count > 1, !node.input[1].isEmpty {
      made = try add(.multiply, [made, try operand(node, 1, use: .factor)], node)
    }
    if node.input.count > 2, !node.input[2].isEmpty {
      made = try add(.add, [made, try operand(node, 2, use: .shift)], node)
    }
    return made
  }

  private func reshapedSizes(_ node: PBNodeProto, _ sizes: [Int]) throws -> [Int] {
    guard let wanted = try self.sizes(node, 1), let total = TensorProgram.count(sizes) else {
      throw refusal(node, "its shape is not known")
    }
    let copies = integer(node, "allowzero") ?? 0 == 0
    var result: [Int?] = try wanted.enumerated().map { place, size in
      switch size {
      case .known(0) where copies:
        guard sizes.indices.contains(place) else { throw refusal(node, "its shape is not known") }
        return sizes[place]
      case .known(-1), .open: return nil
      case .known(let size) where size > 0: return size
      case .batch: return -1
      case .batches(let count): return -count
      case .known: throw refusal(node, "its shape is not known")
      }
    }
    let images = sizes.contains { $0 < 0 }
    var hasImages = result.contains { $0.map { $0 < 0 } ?? false }
    // Written for so many images as the file was made with.
    if images, !hasImages, let made = file.input.dimensions.first.flatMap({ $0 }), made > 0,
      let first = result.first.flatMap({ $0 }),
      first > 0, first % made == 0
    {
      result[0] = -(first / made)
      hasImages = true
    }
    let known = result.compactMap { $0 }
    guard let product = TensorProgram.count(known), product > 0, result.count(where: { $0 == nil }) <= 1 else {
      throw refusal(node, "its shape is not known")
    }
    if let hole = result.firstIndex(where: { $0 == nil }) {
      guard total % product == 0 else { throw refusal(node, "its shape does not fit a tensor of \(sizes)") }
      result[hole] = images && !hasImages ? -(total / product) : total / product
    } else if images, !hasImages {
      throw refusal(node, "its shape does not fit a tensor of \(sizes)")
    }
    return result.compactMap { $0 }
  }

  private func squeezedSizes(_ node: PBNodeProto, _ sizes: [Int]) throws -> [Int] {
    let own = try integers(node, "axes", input: 1)
    if node.opType == "Squeeze" {
      let axes = try own?.map { try axis($0, node, rank: sizes.count) } ?? sizes.indices.filter { sizes[$0] == 1 }
      guard axes.allSatisfy({ sizes[$0] == 1 }) else { throw refusal(node, "it takes an axis away that is no 1") }
      return sizes.indices.filter { !axes.contains($0) }.map { sizes[$0] }
    }
    guard let own, own.count <= 4 else { throw refusal(node, "its axes are not known") }
    let rank = sizes.count + own.count
    let axes = try own.map { try axis($0, node, rank: rank) }
    guard Set(axes).count == axes.count else { throw refusal(node, "its axes are not known") }
    var rest = sizes[...]
    return (0..<rank).map { axes.contains($0) ? 1 : rest.popFirst() ?? 1 }
  }

  private mutating func expanded(_ node: PBNodeProto, _ first: Int) throws -> Int {
    let sizes = passed[first].sizes
    guard let wanted = try self.sizes(node, 1), wanted.count <= 8 else { throw refusal(node, "its shape is not known") }
    let target = try wanted.map { size -> Int in
      switch size {
      case .known(let size) where size > 0: return size
      case .batch: return -1
      case .batches(let count): return -count
      case .known, .open: throw refusal(node, "its shape is not known")
      }
    }
    guard let result = TensorProgram.broadcast(sizes, target) else {
      throw refusal(node, "it does not fit a tensor of \(sizes)")
    }
    return result == sizes ? first : try add(.expand, [first], node, result)
  }

  private mutating func sliced(_ node: PBNodeProto, _ first: Int) throws -> Int {
    let rank = passed[first].sizes.count
    guard let starts = try integers(node, "starts", input: 1), let ends = try integers(node, "ends", input: 2),
      starts.count == ends.count
    else { throw refusal(node, "what it cuts out is not known") }
    let axes = try integers(node, "axes", input: 3) ?? Array(starts.indices)
    let steps = try integers(node, "steps", input: 4) ?? axes.map { _ in 1 }
    guard axes.count == starts.count, steps.count == starts.count else {
      throw refusal(node, "what it cuts out is not known")
    }
    var made = first
    for place in axes.indices {
      let axis = try axis(axes[place], node, rank: rank)
      let size = passed[made].sizes[axis]
      guard size > 0 else { throw refusal(node, "it cuts out images") }
      func bounded(_ value: Int) -> Int { min(max(value < 0 ? value + size : value, 0), size) }
      if starts[place] == 0 && ends[place] >= size && steps[place] == 1 { continue }
      made = try add(.slice, [made], node, [axis, bounded(starts[place]), bounded(ends[place]), steps[place]])
    }
    return made
  }

  private mutating func splitPassed(_ node: PBNodeProto, _ first: Int) throws {
    let sizes = passed[first].sizes
    let axis = try axis(integer(node, "axis") ?? 0, node, rank: sizes.count)
    let count = node.output.count
    let parts: [Int]
    if let given = try integers(node, "split", input: 1) {
      parts = given
    } else {
      guard count > 0, sizes[axis] > 0, sizes[axis] % count == 0 else {
        throw refusal(node, "its parts are not known")
      }
      parts = Array(repeating: sizes[axis] / count, count: count)
    }
    guard parts.count == count, parts.allSatisfy({ (1...max(1, sizes[axis])).contains($0) }) else {
      throw refusal(node, "its parts are not known")
    }
    var start = 0
    for (output, part) in parts.enumerated() {
      try finish(node, try add(.slice, [first], node, [axis, start, start + part, 1]), output: output)
      start += part
    }
  }

  private mutating func gathered(_ node: PBNodeProto, _ first: Int) throws -> Int {
    let sizes = passed[first].sizes
    let axis = try axis(integer(node, "axis") ?? 0, node, rank: sizes.count)
    let found = try self.sizes(node, 1) ?? []
    let places = found.compactMap { if case .known(let place) = $0 { place } else { nil } }
    guard !places.isEmpty, places.count == found.count else { throw refusal(node, "its places are not known") }
    // What was computed as sizes is a row.
    var dimensions = [places.count]
    if case .constant(let tensor) = try value(node, 1), tensor.dimensions.reduce(1, *) == places.count {
      dimensions = tensor.dimensions
    } else if places.count == 1 {
      // A number or a row of one: the axis would go, or stay.
      throw refusal(node, "its place is computed")
    }
    let size = sizes[axis]
    let indices = places.map { $0 < 0 ? $0 &+ size : $0 }
    let made = try add(.gather, [first], node, [axis] + indices)
    guard dimensions.count != 1 else { return made }
    return try add(.reshape, [made], node, Array(sizes[..<axis]) + dimensions + Array(sizes[(axis + 1)...]))
  }

  private mutating func paddedPassed(_ node: PBNodeProto, _ first: Int) throws -> Int {
    guard text(node, "mode") ?? "constant" == "constant", node.input.count < 4 || node.input[3].isEmpty,
      let sides = try integers(node, "pads", input: 1), sides.count == 2 * passed[first].sizes.count,
      sides.allSatisfy({ (-(1 << 14)...1 << 14).contains($0) })
    else { throw refusal(node, "its pads are not known") }
    let value = try number(node, "value", input: 2) ?? 0
    // What is taken away goes first.
    var made = first
    for (axis, size) in passed[first].sizes.enumerated() {
      let (before, behind) = (max(0, -sides[axis]), max(0, -sides[sides.count / 2 + axis]))
      if before + behind > 0 { made = try add(.slice, [made], node, [axis, before, size - behind, 1]) }
    }
    let more = sides.map { max(0, $0) }
    return more.contains { $0 > 0 } ? try add(.pad, [made], node, more, value: value) : made
  }

  // MARK: - Operands

  private mutating func operand(
    _ node: PBNodeProto, _ place: Int, use: TensorProgram.Parameter.Use? = nil
  ) throws -> Int {
    switch try value(node, place) {
    case .passed(let index): return index
    case .constant(let tensor):
      let name = node.input[place]
      if let known = passedConstants[name] { return known }
      let made = try operand(tensor, node, use ?? Self.use(of: tensor, node, place))
      passedConstants[name] = made
      return made
    case .scaled(let tensor, let factor):
      return try times(try operand(tensor, node, Self.use(of: tensor, node, place)), factor, node)
    case .numbers(let numbers):
      guard numbers.count == 1, let number = numbers[0] else { throw refusal(node, "it reads numbers of the image") }
      return constant(number)
    case .sizes(let sizes):
      guard sizes.count == 1, case .known(let size) = sizes[0] else { throw refusal(node, "it reads sizes") }
      return constant(Double(size))
    default:
      let name = try layer(node, place)
      guard let shape = shapes[name] else { throw refusal(node, "its input has no shape") }
      if case .padded = try value(node, place) { return operand(layer: name, shape) }
      return try arranged(name, shape, layout(node, place), node)
    }
  }

  private static func use(of tensor: ONNXTensor, _ node: PBNodeProto, _ place: Int) -> TensorProgram.Parameter.Use {
    switch node.opType {
    case "MatMul": .weight
    case "Mul", "Div": .factor
    default: .shift
    }
  }

  private mutating func operand(layer name: String, _ shape: Shape) -> Int {
    passed.append(PassedTensor(source: .layer(name), sizes: [-1, shape.channels, shape.height, shape.width]))
    return passed.count - 1
  }

  private mutating func operand(
    _ tensor: ONNXTensor, _ node: PBNodeProto, _ use: TensorProgram.Parameter.Use
  ) throws -> Int {
    let count = tensor.dimensions.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
    guard tensor.dimensions.allSatisfy({ $0 > 0 }), tensor.dimensions.count <= 8 else {
      throw refusal(node, "it reads numbers of \(tensor.dimensions)")
    }
    func constant(_ numbers: [Float]) -> Int {
      passed.append(PassedTensor(source: .constant(.init(tensor.dimensions, numbers)), sizes: tensor.dimensions))
      return passed.count - 1
    }
    if let fill = tensor.fill { return constant([Float(fill)]) }
    // What is in the file as a weight is learnt; the numbers of a node, a single one without a module, or what the newer exporter
    // calls `val_12`, are not.
    let name = tensor.alias ?? tensor.origin?.name ?? ""
    let isWeight = tensor.origin.map { file.constants[$0.name] != nil } ?? false
    let isNumber =
      count == 1 ? name.contains("::") || !name.contains(".") : tensor.floats != nil && name.hasPrefix("val_")
    if isWeight, !isNumber, tensor.integers == nil, let origin = tensor.origin {
      let title = name.contains("::") ? "\(ONNXNames.module(of: node)).\(use == .shift ? "bias" : "weight")" : name
      // As the state dict has it; the axes are turned by a step.
      let isTurned = origin.order.map { $0.sorted() == Array(tensor.dimensions.indices) } ?? false
      var sizes = tensor.dimensions
      if let order = origin.order, isTurned {
        for (place, axis) in order.enumerated() { sizes[axis] = tensor.dimensions[place] }
      }
      var plain = ONNXTensor(dimensions: sizes)
      plain.origin = (origin.name, isTurned ? nil : origin.order)
      passed.append(
        PassedTensor(source: .learnable(.init(tensor: plain, key: name, name: title, use: use)), sizes: sizes))
      guard let order = origin.order, isTurned else { return passed.count - 1 }
      return try add(.permute, [passed.count - 1], node, order)
    }
    if let numbers = tensor.floats ?? tensor.integers?.map(Double.init) { return constant(numbers.map { Float($0) }) }
    throw refusal(node, "it reads numbers that are computed, or too many")
  }

  // MARK: - Axes

  /// How the axes of a layout come of a layer's map: the factors of channels, rows and columns as axes, their order, and the sizes of the layout's axes.
  private func arrangement(_ shape: Shape, _ layout: ONNXLayout) -> (split: [Int], order: [Int], sizes: [Int])? {
    let all = layout.axes.flatMap { $0 }
    guard all.count(where: { $0 == .batch }) == 1 else { return nil }
    func rank(_ factor: ONNXLayout.Factor) -> (kind: Int, stride: Int) {
      switch factor {
      case .batch: (0, 0)
      case .channels(_, let stride): (1, -stride)
      case .rows: (2, -1)
      case .rowPart(_, let stride): (2, -stride)
      case .columns: (3, -1)
      case .columnPart(_, let stride): (3, -stride)
      }
    }
    let places = all.indices.sorted {
      (rank(all[$0]).kind, rank(all[$0]).stride, $0) < (rank(all[$1]).kind, rank(all[$1]).stride, $1)
    }
    let split = places.map { all[$0].size ?? -1 }
    // Everything must be there, in the order that makes the map.
    var (products, next) = ([1, 1, 1], [shape.channels, shape.height, shape.width])
    for place in places {
      let kind = rank(all[place]).kind
      guard kind > 0, let size = all[place].size else { continue }
      products[kind - 1] *= size
      guard next[kind - 1] % size == 0 else { return nil }
      next[kind - 1] /= size
      if size > 1, case let stride = -rank(all[place]).stride, stride != next[kind - 1] { return nil }
    }
    guard products == [shape.channels, shape.height, shape.width] else { return nil }
    let order = all.indices.map { place in places.firstIndex(of: place) ?? 0 }
    let sizes = layout.axes.map { axis in axis.reduce(1) { $0 * ($1.size ?? -1) } }
    return (split, order, sizes)
  }

  /// A layer's result with the axes of a layout.
  private mutating func arranged(_ name: String, _ shape: Shape, _ layout: ONNXLayout, _ node: PBNodeProto) throws
    -> Int
  {
    let map = operand(layer: name, shape)
    if layout == .map(shape) || layout.axes.isEmpty { return map }
    guard let (split, order, sizes) = arrangement(shape, layout) else {
      throw refusal(node, "it reads a tensor whose axes are not followed")
    }
    var made = map
    if split != passed[made].sizes { made = try add(.reshape, [made], node, split) }
    if order != Array(order.indices) { made = try add(.permute, [made], node, order) }
    if sizes != passed[made].sizes { made = try add(.reshape, [made], node, sizes) }
    return made
  }

  // MARK: - Out of the part

  /// Makes a layer of the steps that lead to a tensor.
  private mutating func close(
    _ name: String, _ index: Int, as shape: Shape, _ layout: ONNXLayout, _ node: PBNodeProto
  ) throws {
    var end = index
    if layout != .map(shape) {
      guard let (split, order, _) = arrangement(shape, layout) else {
        throw refusal(node, "it reads a tensor whose axes are not followed")
      }
      let apart = order.map { split[$0] }
      if apart != passed[end].sizes { end = try add(.reshape, [end], node, apart) }
      if order != Array(order.indices) {
        end = try add(.permute, [end], node, order.indices.map { place in order.firstIndex(of: place) ?? 0 })
      }
      let map = [-1, shape.channels, shape.height, shape.width]
      if map != passed[end].sizes { end = try add(.reshape, [end], node, map) }
    }
    let (made, tensors, inputs) = try program(endingAt: end, node)
    let names = tensors.map(\.name)
    let common = Self.commonModule(names)
    let path = common.isEmpty ? ONNXNames.path(of: node) : common
    var program = made
    let isCommon = !common.isEmpty && !shapes.keys.contains(common)
    program.learnables = zip(program.learnables, names).map { parameter, name in
      var parameter = parameter
      parameter.name = isCommon ? String(name.dropFirst(common.count + 1)) : name
      return parameter
    }
    let layer = try emit(
      .other(program), inputs, path: isCommon ? path : "\(path).passed")
    for (parameter, tensor) in zip(program.learnables, tensors) {
      keep(tensor.tensor, as: "\(layer).\(parameter.name)")
      try claim(tensor.key, by: layer, node)
    }
    passedLayers.append(layer)
    passedSteps += program.steps.count
    values[name] = .layer(layer)
    layouts[name] = layout
    // Who reads the tensor under another name, or as a part of something else, reads the layer.
    if layout == .map(shape) {
      passed[index].source = .layer(layer)
    } else {
      let again = try arranged(layer, shape, layout, node)
      passed[index].source = .step(.init(.reshape, [again], passed[index].sizes))
    }
  }

  // The tensors that lead to one: each behind those that it is computed from.
  private func ancestors(of end: Int) -> [Int] {
    var found: [Int] = []
    var met: Set<Int> = []
    var open = [(index: end, isLeft: false)]
    while let (index, isLeft) = open.popLast() {
      if isLeft {
        found.append(index)
      } else if met.insert(index).inserted {
        guard met.count <= 4 * TensorProgram.mostSteps else { break }
        open.append((index, true))
        guard case .step(let step) = passed[index].source else { continue }
        open += step.operands.reversed().map { ($0, false) }
      }
    }
    return found
  }

  private func sources(_ all: [Int]) -> [String] {
    var (names, met): ([String], Set<String>) = ([], [])
    for index in all {
      if case .layer(let name) = passed[index].source, met.insert(name).inserted { names.append(name) }
    }
    return names
  }

  private func program(
    endingAt end: Int, _ node: PBNodeProto
  ) throws -> (TensorProgram, [PassedTensor.Learnable], inputs: [String]) {
    let all = ancestors(of: end)
    let inputs = sources(all)
    let inputPlaces = Dictionary(inputs.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    guard !inputs.isEmpty else { throw refusal(node, "it reads nothing of the image") }
    guard case .step = passed[end].source else { throw refusal(node, "it reads a tensor whose axes are not followed") }
    let count = all.count { if case .step = passed[$0].source { true } else { false } }
    guard all.count <= 3 * TensorProgram.mostSteps, count <= TensorProgram.mostSteps,
      passedSteps + count <= 16 * TensorProgram.mostSteps
    else { throw refusal(node, "what leads to it has too many steps that are passed") }
    var numbers: [Int: Int] = [:]
    var learnables: [PassedTensor.Learnable] = []
    var (places, names): ([String: Int], [String: Int]) = ([:], [:])
    var constants: [TensorProgram.Constant] = []
    var constantPlaces: [TensorProgram.Constant: Int] = [:]
    for index in all {
      switch passed[index].source {
      case .layer(let name): numbers[index] = inputPlaces[name]
      case .learnable(var found):
        if let place = places[found.key] {
          // In other dimensions it would be two weights.
          guard learnables[place].tensor.dimensions == found.tensor.dimensions else {
            throw ONNXFault(
              "\(ONNXFault.shown(found.key)) is read in several dimensions, and layers are given weights of their own",
              isFinal: true)
          }
          numbers[index] = inputs.count + place
        } else {
          let name = found.name
          let count = names[name, default: 0]
          names[name] = count + 1
          if count > 0 { found.name = "\(name)_\(count)" }
          places[found.key] = learnables.count
          numbers[index] = inputs.count + learnables.count
          learnables.append(found)
        }
      case .constant, .step: break
      }
    }
    for index in all {
      guard case .constant(let constant) = passed[index].source else { continue }
      let place = constantPlaces[constant] ?? constants.count
      if place == constants.count {
        constantPlaces[constant] = place
        constants.append(constant)
      }
      numbers[index] = inputs.count + learnables.count + place
    }
    var steps: [TensorProgram.Step] = []
    for index in all {
      guard case .step(var step) = passed[index].source else { continue }
      step.operands = step.operands.map { numbers[$0] ?? 0 }
      numbers[index] = inputs.count + learnables.count + constants.count + steps.count
      steps.append(step)
    }
    Self.assignUses(to: &learnables, inputs: inputs.count, constants: constants.count, steps)
    let program = TensorProgram(
      inputs: inputs.compactMap { shapes[$0] },
      learnables: learnables.map { .init($0.name, $0.use, $0.tensor.dimensions) }, constants: constants,
      steps: steps)
    return (program, learnables, inputs)
  }

  // What a weight is for says the first step that computes with it, also where parts of it or other axes are taken first.
  private static func assignUses(
    to learnables: inout [PassedTensor.Learnable], inputs: Int, constants: Int, _ steps: [TensorProgram.Step]
  ) {
    var carried: [Int: Set<Int>] = [:]
    for place in learnables.indices { carried[inputs + place] = [place] }
    var decided: Set<Int> = []
    for (index, step) in steps.enumerated() {
      let found = step.operands.reduce(into: Set<Int>()) { $0.formUnion(carried[$1] ?? []) }
      guard !found.isEmpty else { continue }
      let use: TensorProgram.Parameter.Use
      switch step.function {
      case .reshape, .permute, .slice, .gather, .expand, .concatenate, .pad:
        carried[inputs + learnables.count + constants + index] = found
        continue
      case .matmul: use = .weight
      case .multiply, .divide: use = .factor
      default: use = .shift
      }
      for place in found where decided.insert(place).inserted { learnables[place].use = use }
    }
  }

  // The module that all of these tensors are in.
  private static func commonModule(_ names: [String]) -> String {
    guard let first = names.first else { return "" }
    var parts = first.split(separator: ".").dropLast()
    for name in names.dropFirst() {
      let own = name.split(separator: ".").dropLast()
      parts = zip(parts, own).prefix { $0 == $1 }.map(\.0)[...]
    }
    return parts.joined(separator: ".")
  }
}
