import Networks
import Support

/// Makes layers of nodes, one node after the other.
struct ONNXTranslation {
  let file: ONNXFile
  let restores: ONNXImport.BatchNormalization
  let description: ONNXDescription?
  var layers: [Layer] = []
  /// The dimensions that the file's weights have, by layer.
  var weightDimensions: [String: [Int]] = [:]
  /// Where the tensors of the state dict come from.
  var state: [String: ONNXWeight] = [:]
  /// Convolutions behind which a batch normalization was put back.
  var restored: [String] = []
  /// What was left out or put in, for people.
  var remarks: [String] = []

  var names = ONNXNames()
  var values: [String: ONNXValue] = [:]
  /// What the axes stand for, of tensors that are results of layers.
  var layouts: [String: ONNXLayout] = [:]
  /// The shapes of the layers' results.
  var shapes: [String: Shape] = [:]
  /// Layers whose result has no height and width any more.
  var flat: Set<String> = []
  /// Layers whose result is one place, after a mean over all of them.
  var pooled: Set<String> = []
  /// Adaptive pools of which the first of two products has been read, by what it gives.
  var adaptivePools: [String: (source: String, pool: AdaptivePool)] = [:]
  /// What the output is but for its type: nothing follows but identities.
  var end: String
  var readers: [String: [Int]] = [:]
  /// The node that each tensor is the result of.
  var writers: [String: Int] = [:]
  /// Parts and shares of branches, by the path that they were made under: others ask for the same.
  var branchLayers: [String: String] = [:]
  /// The layer that each weight of the file is used by.
  var users: [String: String] = [:]
  /// The tensors of parts that are passed, and the layers that came of these.
  var passed: [PassedTensor] = []
  var passedLayers: [String] = []
  /// What became of numbers of the file there, by their names.
  var passedConstants: [String: Int] = [:]
  /// The steps of all layers that came of these.
  var passedSteps = 0
  /// Layers that multiply and shift all numbers alike, with what they read.
  var rescaled: [String: String] = [:]
  /// What was done to the images first, where it is no part of the network.
  var preprocessing: ONNXPreprocessing?
  var waiting: Waiting

  init(
    _ file: ONNXFile, image: Shape, restores: ONNXImport.BatchNormalization, description: ONNXDescription? = nil
  ) throws {
    self.file = file
    self.description = description
    self.restores = restores
    waiting = Waiting(end: file.input.name)
    end = file.output
    for (index, node) in file.nodes.enumerated() {
      // Of what a CastLike casts like, the type alone is read.
      let read = node.opType == "CastLike" ? node.input.prefix(1) : node.input[...]
      for name in read where !name.isEmpty { readers[name, default: []].append(index) }
      for name in node.output where !name.isEmpty { writers[name] = index }
    }
    // As converters of precision leave it.
    while let writer = writers[end].map({ file.nodes[$0] }), let source = writer.input.first,
      ["Identity", "Cast", "CastLike"].contains(writer.opType)
    {
      end = source
    }
    for (name, tensor) in file.constants {
      var tensor = tensor
      tensor.origin = (name, nil)
      values[name] = .constant(tensor)
    }
    values[file.input.name] = .layer(Network.inputName)
    layouts[file.input.name] = file.isChannelsLast ? .last(image) : .map(image)
    shapes[Network.inputName] = image
    for node in file.nodes where try !putsOff(node) { try translate(node) }
    try closeOutput()
    gatherApproximations()
    // What was put off to see whether it is part of something larger is none, at the end.
    guard let value = values[file.output], let last = try made(value, path: file.output) else {
      throw ONNXFault("what its output \(ONNXFault.shown(file.output)) is was not understood")
    }
    guard layers.last?.name == last else {
      throw ONNXFault("its output is not what its last layer gives")
    }
  }

  // MARK: - One node

  /// Makes a layer of a node; where none is known, a step of a part that is passed as it is.
  mutating func translate(_ node: PBNodeProto) throws {
    if try poolsAdaptively(node) { return }
    if readsPassed(node) { return try passOn(node) }
    let before = layers.count
    let inputs = node.input.map { ($0, values[$0]) }
    do {
      try translateKnown(node)
    } catch let fault as ONNXFault where !fault.isFinal && mayPass(node) {
      // Layers that were begun for it are not wanted.
      let removed = Set(layers[before...].map(\.name))
      layers.removeLast(layers.count - before)
      for name in removed { shapes[name] = nil }
      for (name, value) in inputs { values[name] = value }
      users = users.filter { !removed.contains($0.value) }
      try pass(node, because: fault)
    }
  }

  mutating func translateKnown(_ node: PBNodeProto) throws {
    guard node.opType != "If" else {
      throw refusal(node, "its condition is no constant of the file; export the network with the branch that it takes")
    }
    guard node.domain.isEmpty || node.domain == "ai.onnx" else {
      throw refusal(
        node,
        "it is an operator of \(ONNXFault.shown(node.domain)); give the file as it was before a runtime optimized it")
    }
    if try isFraction(node) { return try computeFraction(node) }
    if try isResponse(node) { return try respond(node) }
    if try isOnWeights(node) { return try computeWeights(node) }
    switch node.opType {
    case "Constant":
      var tensor = try constant(node)
      if let name = node.output.first { tensor.origin = (name, nil) }
      set(node, .constant(tensor))
    case "Identity", "Cast", "CastLike": try alias(node)
    case "DequantizeLinear": try dequantized(node)
    case "Dropout": try dropout(node)
    case "Shape": try shape(node)
    case "Reshape" where try isSizes(node): try reshapeSizes(node)
    case "Slice" where try isTable(node), "Transpose" where try isTable(node), "Reshape" where try isTable(node):
      try arrangeTable(node)
    case "Expand" where try sizes(node, 0) != nil: try expandSizes(node)
    case "ConstantOfShape", "Expand": try filled(node)
    case "Range": try range(node)
    case "Unsqueeze" where try isIndex(node), "Mul" where try isIndex(node), "Add" where try isIndex(node):
      try computeIndex(node)
    case "Gather" where try isIndex(node): try gatherAll(node)
    case "Slice" where try index(node, 0) != nil: try sliceIndex(node)
    case "ScatterND": try replaceAll(node)
    case "Gather" where try isSizes(node): try gather(node)
    case "Unsqueeze" where try sizes(node, 0) != nil, "Squeeze" where try sizes(node, 0) != nil:
      set(node, try value(node, 0))
    case "Concat" where try isSizes(node):
      let all = try node.input.indices.map { try sizes(node, $0) ?? [.open] }
      guard all.reduce(0, { $0 + $1.count }) <= ONNXTensor.mostIntegers else {
        throw refusal(node, "it makes too many sizes")
      }
      set(node, .sizes(all.flatMap { $0 }))
    case "Slice" where try isSizes(node): try sliceSizes(node)
    case "Mul" where try isSizes(node), "Add" where try isSizes(node), "Sub" where try isSizes(node),
      "Div" where try isSizes(node):
      try arithmetic(node)
    case "ReduceProd" where try sizes(node, 0) != nil:
      let all = try sizes(node, 0) ?? []
      let product = all.reduce(ONNXValue.Size.known(1)) { sum, size in
        guard case .known(let one) = sum, case .known(let other) = size,
          case let (value, overflows) = one.multipliedReportingOverflow(by: other), !overflows
        else { return .open }
        return .known(value)
      }
      set(node, .sizes([product]))
    case "Equal" where try sizes(node, 0) != nil: try compareSizes(node)
    case "Where" where try sizes(node, 0) != nil: try chooseSizes(node)
    case "Concat" where try isStack(node): try stack(node)
    case "Mul" where try hasBranches(node): try multiplyBranches(node)
    case "MatMul" where try shares(node) != nil: try weigh(node, by: try shares(node) ?? "")
    case "ReduceSum": try sum(node)
    case "SpaceToDepth":
      let side = integer(node, "blocksize") ?? 0
      try emit(.other(SpaceToDepth(blockSize: side)), [try map(node, 0)], node)
    case "Concat" where try areNumbers(node): try concatenateNumbers(node)
    case "Conv" where try isAlongChannels(node): try channelConvolution(node)
    case "Conv": try convolution(node)
    case "InstanceNormalization": try normalizationOfGroups(node)
    case "GroupNormalization": try groupNormalization(node)
    case "Resize", "Upsample": try resize(node)
    case "BatchNormalization": try normalization(node)
    case "LayerNormalization": try layerNormalization(node)
    case "Gemm": try gemm(node)
    case "MatMul": try product(node)
    case "Relu": try activation(.relu, node)
    case "Clip": try clip(node)
    case "HardSwish": try activation(.hardSwish, node)
    case "Gelu": try gelu(node)
    case "LeakyRelu": try leaky(node)
    case "PRelu": try learnedSlope(node)
    case "Pow": try power(node)
    case "Tanh": try function(ElementFunction.tanh, node)
    case "Elu", "Celu":
      let alpha = Self.meant(number(node, "alpha") ?? 1)
      try function(ExponentialUnit(alpha: alpha, isContinuous: node.opType == "Celu"), node)
    case "Selu": try selu(node)
    case "Softplus": try function(ElementFunction.softplus, node)
    case "Softsign": try function(ElementFunction.softsign, node)
    case "Mish": try mish(node)
    case "Sigmoid": try gate(node, .sigmoid)
    case "HardSigmoid": try gate(node, .hardSigmoid)
    case "Erf": try erf(node)
    case "Div": try scaled(node, divides: true)
    case "Mul": try multiply(node)
    case "Add": try add(node)
    case "Sub": try subtract(node)
    case "Concat": try concatenate(node)
    case "Split": try split(node)
    case "SplitToSequence": try split(node)
    case "SequenceAt": try element(node)
    case "Slice": try slice(node)
    case "Transpose": try transpose(node)
    case "MaxPool", "AveragePool": try pool(node)
    case "GlobalAveragePool": try emit(.globalAveragePool, [try map(node, 0)], node)
    case "ReduceMean": try mean(node)
    case "Flatten": try flatten(node)
    case "Reshape": try reshape(node)
    case "Squeeze", "Unsqueeze": try squeeze(node)
    case "Pad": try pad(node)
    case "Softmax", "LogSoftmax":
      guard node.output.first == end else { return try share(node) }
      remarks.append("the \(node.opType) at the end is left out: the loss has its own")
      try alias(node)
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

  mutating func set(_ node: PBNodeProto, _ value: ONNXValue, _ layout: ONNXLayout? = nil) {
    guard let name = node.output.first else { return }
    values[name] = value
    layouts[name] = layout
  }

  /// The node does nothing: its output is its first input.
  mutating func alias(_ node: PBNodeProto) throws {
    var found = try value(node, 0)
    // Of a network that is not trained, many tensors are equal: exporters keep one, and the others' names are those of an Identity.
    if node.opType == "Identity", case .constant(var tensor) = found, let name = node.output.first,
      !name.contains("::"), !name.contains("/")
    {
      tensor.alias = name
      found = .constant(tensor)
    }
    set(node, found, layouts[node.input[0]])
  }

  func value(_ node: PBNodeProto, _ place: Int) throws -> ONNXValue {
    guard node.input.indices.contains(place), let value = values[node.input[place]] else {
      throw refusal(node, "its input \(place + 1) is missing")
    }
    return value
  }

  /// The layer whose result an input is, whatever its axes are.
  mutating func layer(_ node: PBNodeProto, _ place: Int) throws -> String {
    let value = try value(node, place)
    if let made = try made(value, path: node.input[place]) {
      // Met before what it was waiting for: it is a layer after all. Padding may go with another convolution, too.
      if case .padded = value { return made }
      values[node.input[place]] = .layer(made)
      return made
    }
    switch value {
    case .branches(let layers):
      // Seen as one again: side by side.
      guard let shape = shapes[layers[0]],
        case let whole = Shape(channels: shape.channels * layers.count, height: shape.height, width: shape.width),
        [ONNXLayout.map(whole), .features(whole)].contains(layout(node, place))
      else { fallthrough }
      let made = try emit(.concatenate, layers, path: node.input[place])
      values[node.input[place]] = .layer(made)
      return made
    default:
      throw refusal(node, "its input \(place + 1) is not the result of a layer, which only some operators may have")
    }
  }

  /// The layer that a value is, or becomes when nothing larger comes of it; nil when it is none.
  mutating func made(_ value: ONNXValue, path: String) throws -> String? {
    switch value {
    case .layer(let name): return name
    case .gate(let source, let isHard):
      return try emit(.activation(isHard ? .hardSigmoid : .sigmoid), [source], path: path)
    case .padded(let source, let sides): return try emit(.other(Padding(onnx: sides)), [source], path: path)
    case .gelu(let part) where part.isProduct:
      // No part of the function after all, but a product with a number.
      let factor = part.stage == .half ? 0.5 : 0.5.squareRoot()
      return try emit(.other(Rescaling(factor: factor)), [part.source], path: path)
    default: return nil
    }
  }

  /// What the axes of an input stand for; the layer's own when nothing was done to them.
  func layout(_ node: PBNodeProto, _ place: Int) -> ONNXLayout {
    guard node.input.indices.contains(place) else { return ONNXLayout(axes: []) }
    return layouts[node.input[place]] ?? ONNXLayout(axes: [])
  }

  /// The layer whose result an input is, as batch, channels, rows and columns.
  mutating func map(_ node: PBNodeProto, _ place: Int) throws -> String {
    let layout = layout(node, place)
    let name = try layer(node, place)
    if case .padded = try value(node, place) { return name }
    guard let shape = shapes[name], layout == .map(shape) else {
      throw refusal(
        node, "its input \(place + 1) does not have the axes batch, channels, rows and columns, in this order")
    }
    return name
  }

  /// A layer that computes with each element, or with the channels of each place: the axes stay as they are.
  @discardableResult
  mutating func emit(
    _ operation: Networks.Operation, _ inputs: [String], _ node: PBNodeProto, name: String? = nil,
    reading place: Int = 0
  ) throws
    -> String
  {
    let before = layout(node, place)
    let made = try emit(operation, inputs, path: name ?? ONNXNames.path(of: node))
    guard let from = inputs.first.flatMap({ shapes[$0] }), let to = shapes[made],
      let layout = before.replaced(from, by: to) ?? (before.axes.isEmpty ? .map(to) : nil)
    else { throw refusal(node, "it changes a tensor whose axes are not followed that far") }
    set(node, .layer(made), layout)
    return made
  }

  mutating func emit(_ operation: Networks.Operation, _ inputs: [String], path: String) throws -> String {
    let name = names.unique(path)
    let layer = Layer(name: name, operation: operation, inputs: inputs)
    shapes[name] = try layer.output(of: inputs.compactMap { shapes[$0] })
    layers.append(layer)
    if case .other(let other) = operation, other.definition is Rescaling { rescaled[name] = inputs.first }
    switch operation {
    case .globalAveragePool: pooled.insert(name)
    case .convolution, .batchNorm, .multiply:
      if inputs.allSatisfy(pooled.contains) { pooled.insert(name) }
    default:
      if operation.isElementwise, inputs.allSatisfy(pooled.contains) { pooled.insert(name) }
    }
    switch operation {
    case .flatten, .linear: flat.insert(name)
    case .add, .multiply, .concatenate, .batchNorm:
      if inputs.first.map(flat.contains) ?? false { flat.insert(name) }
    default:
      if operation.isElementwise, inputs.first.map(flat.contains) ?? false { flat.insert(name) }
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

  func text(_ node: PBNodeProto, _ name: String) -> String? {
    attribute(node, name).map { String(decoding: $0.s, as: UTF8.self) }
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
    guard let found = try scalar(node, input) else { throw refusal(node, "its \(name) is computed") }
    return found
  }

  func scalar(_ node: PBNodeProto, _ place: Int) throws -> Double? {
    guard case .constant(let tensor) = try value(node, place), tensor.dimensions.allSatisfy({ $0 == 1 }) else {
      return nil
    }
    return tensor.fill ?? tensor.floats?.first ?? tensor.integers.flatMap { $0.first.map(Double.init) }
  }

  /// An axis, counted from the end when it is negative.
  func axis(_ value: Int, _ node: PBNodeProto, rank: Int) throws -> Int {
    guard (-rank..<rank).contains(value) else { throw refusal(node, "it has no axis \(value) among \(rank)") }
    return value < 0 ? value + rank : value
  }

  func extent(_ values: [Int]?, _ node: PBNodeProto, _ name: String, default fallback: Int) throws -> Extent {
    guard let values else { return Extent(fallback) }
    guard values.count == 2, values.allSatisfy({ $0 >= 0 && $0 <= 1 << 14 }) else {
      throw refusal(node, "its \(name) are \(values); two numbers are wanted, of height and width")
    }
    return Extent(height: values[0], width: values[1])
  }

  /// The padding of a window, with what a Pad before it adds: above, left, below and right.
  func padding(
    _ node: PBNodeProto, of shape: Shape, kernel given: [Int]? = nil, _ more: [Int] = [0, 0, 0, 0]
  ) throws -> [Int] {
    if let text = text(node, "auto_pad"), text != "NOTSET",
      text != "VALID"
    {
      guard text == "SAME_UPPER" || text == "SAME_LOWER" else {
        throw refusal(node, "it pads by \(ONNXFault.shown(text)), which is no rule of the format")
      }
      let kernel = given ?? integers(node, "kernel_shape") ?? []
      let strides = integers(node, "strides") ?? [1, 1]
      let dilations = integers(node, "dilations") ?? [1, 1]
      guard kernel.count == 2, strides.count == 2, dilations.count == 2,
        (kernel + strides + dilations).allSatisfy({ (1...1 << 14).contains($0) })
      else { throw refusal(node, "its window, strides or dilations are no two numbers each") }
      var sides = [0, 0, 0, 0]
      for (place, size) in [shape.height + more[0] + more[2], shape.width + more[1] + more[3]].enumerated() {
        let steps = (size + strides[place] - 1) / strides[place]
        let total = max(0, (steps - 1) * strides[place] + (kernel[place] - 1) * dilations[place] + 1 - size)
        let small = total / 2
        sides[place] = text == "SAME_UPPER" ? small : total - small
        sides[place + 2] = total - sides[place]
      }
      return zip(sides, more).map { $0 + $1 }
    }
    let own = integers(node, "pads") ?? [0, 0, 0, 0]
    guard own.count == 4, own.allSatisfy({ (0...1 << 14).contains($0) }) else {
      throw refusal(node, "its pads are \(own); four numbers are wanted")
    }
    return zip(own, more).map { $0 + $1 }
  }

  /// The padding that a window can have, and the layer that it reads: what is more on one side is a layer of its own.
  mutating func padded(
    _ source: String, _ sides: [Int], _ node: PBNodeProto, name: String
  ) throws -> (source: String, padding: Extent) {
    if sides[0] == sides[2], sides[1] == sides[3] {
      return (source, Extent(height: sides[0], width: sides[1]))
    }
    let pad = Padding(onnx: sides)
    return (try emit(.other(pad), [source], path: "\(name).pad"), 0)
  }
}
