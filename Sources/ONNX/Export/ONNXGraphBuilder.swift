import Networks
import Support

/// Makes the nodes of a network, layer by layer.
struct ONNXGraphBuilder {
  let network: ResolvedNetwork
  private let values: (String) throws -> [Float]
  var document: ONNXDocument
  /// What each layer's result is called; layers that do nothing in inference have their input's.
  private var names: [String] = []
  /// Whether each layer's result has no place any more: what comes out of a flattening or a linear layer, and what passes it on.
  private var flat: [Bool] = []
  private var constants: [Double: String] = [:]
  /// The normalization that a convolution takes in, by the convolution's position.
  private var folded: [Int: Int] = [:]

  private static let image = "input", result = "output"
  /// Names that are given: a document may call its layers what it likes.
  private var taken: Set<String>

  init(_ network: ResolvedNetwork, folds: Bool, _ values: @escaping (String) throws -> [Float]) {
    self.network = network
    self.values = values
    document = ONNXDocument(name: network.name)
    let layers = network.layers.map(\.layer.name)
    taken = Set(layers + [Self.image, Self.result])
    for layer in network.layers {
      let own = layer.layer.name
      taken.formUnion(layer.layer.operation.definition.parameters.map { $0.name(in: own) })
      taken.formUnion(["\(own).running_mean", "\(own).running_var"])
    }
    guard folds else { return }
    var readers = [Int](repeating: 0, count: network.layers.count)
    for layer in network.layers { for input in layer.inputIndices where input >= 0 { readers[input] += 1 } }
    for (index, layer) in network.layers.enumerated() {
      guard case .batchNorm = layer.layer.operation, let source = layer.inputIndices.first, source >= 0,
        readers[source] == 1, case .convolution = network.layers[source].layer.operation
      else { continue }
      folded[source] = index
    }
  }

  /// The whole graph.
  mutating func build() throws -> ONNXDocument {
    let input = network.input
    document.describe(Self.image, [input.channels, input.height, input.width], as: \.input)
    for index in network.layers.indices { try add(index) }
    guard let last = names.last, let shape = network.layers.last?.output else { return document }
    // A name of its own, whatever the last layer is called, and whether or not it has a node.
    document.add("Identity", [last], to: Self.result, name: inner(Self.result, "Identity"))
    document.describe(
      Self.result, isFlat(network.layers.count - 1) ? [shape.channels] : dimensions(shape), as: \.output)
    return document
  }

  private func dimensions(_ shape: Shape) -> [Int] { [shape.channels, shape.height, shape.width] }

  /// Whether a layer's result has no place any more; the layers before it are known.
  func isFlat(_ index: Int) -> Bool { index >= 0 && flat[index] }

  /// The numbers of a tensor of the state dict.
  func numbers(_ name: String, _ shape: [Int]) throws -> [Float] {
    let numbers = try values(name)
    let wanted = shape.reduce(1, *)
    guard numbers.count == wanted else {
      throw UsageFailure("\(name) has \(numbers.count) numbers, and \(network.name) needs \(wanted)")
    }
    return numbers
  }

  /// A name for a step inside a layer that nothing else has.
  mutating func inner(_ layer: String, _ step: String) -> String {
    var name = "\(layer)/\(step)"
    while !taken.insert(name).inserted { name += "_" }
    return name
  }

  private func name(_ index: Int) -> String { index < 0 ? Self.image : names[index] }

  private mutating func add(_ index: Int) throws {
    let layer = network.layers[index]
    let own = layer.layer.name
    // The two names that the graph itself has.
    let isTensor = layer.layer.operation.definition.parameters.contains { $0.name.isEmpty }
    let output = isTensor || [Self.image, Self.result].contains(own) ? inner(own, "value") : own
    var inputs = layer.inputIndices.map(name)
    let flatInputs = layer.inputIndices.map(isFlat)
    if layer.needsMaps(flatInputs) {
      for (place, isFlat) in flatInputs.enumerated() where isFlat {
        let (map, axes) = (inner(own, "input \(place)"), inner(own, "axes of input \(place)"))
        document.add([2, 3], name: axes)
        document.add("Unsqueeze", [inputs[place], axes], to: map, name: map)
        inputs[place] = map
      }
    }
    let first = inputs.first ?? Self.image
    names.append(output)
    flat.append(layer.leavesFlat(flatInputs))
    switch layer.layer.operation {
    case .convolution(let convolution): try add(convolution, index, first, output)
    case .batchNorm(let norm):
      if let source = layer.inputIndices.first, folded[source] == index {
        names[index] = first
        return
      }
      let parameters = ["weight", "bias", "running_mean", "running_var"].map { "\(own).\($0)" }
      for parameter in parameters {
        document.add(try values(parameter), shape: [layer.output.channels], name: parameter)
      }
      document.add(
        "BatchNormalization", [first] + parameters, to: output, name: own, [.float("epsilon", norm.epsilon)])
    case .activation(let function): add(function, first, output, own)
    case .add:
      // The format's operator takes two.
      var sum = first
      for (place, input) in inputs.enumerated().dropFirst() {
        let isLast = place == inputs.count - 1
        let partial = isLast ? output : inner(own, "\(place)")
        document.add("Add", [sum, input], to: partial, name: isLast ? own : partial)
        sum = partial
      }
    case .multiply: document.add("Mul", inputs, to: output, name: own)
    case .concatenate: document.add("Concat", inputs, to: output, name: own, [.int("axis", 1)])
    case .maxPool(let pool): document.add("MaxPool", [first], to: output, name: own, Self.attributes(pool))
    case .averagePool(let pool):
      document.add(
        "AveragePool", [first], to: output, name: own,
        Self.attributes(pool) + [.int("count_include_pad", pool.countsPadding ? 1 : 0)])
    case .adaptiveAveragePool: add(adaptive: layer, first, output, own)
    case .globalAveragePool: document.add("GlobalAveragePool", [first], to: output, name: own)
    case .flatten: document.add("Flatten", [first], to: output, name: own, [.int("axis", 1)])
    case .linear(let linear): try add(linear, index, first, output)
    case .dropout, .stochasticDepth:
      names[index] = first
      return
    case .other(let other): try add(other.definition, index, inputs, output)
    }
    document.describe(output, isFlat(index) ? [layer.output.channels] : dimensions(layer.output), as: \.valueInfo)
  }

  // MARK: - Layers with weights

  private mutating func add(
    _ convolution: Convolution, _ index: Int, _ input: String, _ output: String
  ) throws {
    let layer = network.layers[index]
    let own = layer.layer.name
    let channels = layer.inputs[0].channels
    let groups =
      switch convolution.grouping {
      case .dense: 1
      case .depthwise: channels
      case .grouped(let groups): groups
      }
    let kernel = convolution.kernelSize
    let shape = [layer.output.channels, channels / groups, kernel.height, kernel.width]
    var weights = try numbers("\(own).weight", shape)
    var bias = convolution.hasBias ? try numbers("\(own).bias", [layer.output.channels]) : nil
    if let norm = folded[index] { (weights, bias) = try fold(norm, weights, bias) }
    document.add(weights, shape: shape, name: "\(own).weight")
    var inputs = [input, "\(own).weight"]
    if let bias {
      document.add(bias, shape: [bias.count], name: "\(own).bias")
      inputs.append("\(own).bias")
    }
    document.add("Conv", inputs, to: output, name: own, Self.attributes(convolution, groups: groups))
  }

  static func attributes(_ convolution: Convolution, groups: Int) -> [PBAttributeProto] {
    [
      .ints("kernel_shape", sides(convolution.kernelSize)), .ints("strides", sides(convolution.stride)),
      .ints("pads", sides(convolution.padding) + sides(convolution.padding)),
      .ints("dilations", sides(convolution.dilation)), .int("group", groups),
    ]
  }

  /// γ/√(σ² + ε) times the filters, and β + (b − μ) γ/√(σ² + ε), in double precision.
  private func fold(_ index: Int, _ weights: [Float], _ bias: [Float]?) throws -> ([Float], [Float]) {
    let layer = network.layers[index]
    guard case .batchNorm(let norm) = layer.layer.operation else { return (weights, bias ?? []) }
    let own = layer.layer.name
    let shape = [layer.output.channels]
    let (scale, shift) = (try numbers("\(own).weight", shape), try numbers("\(own).bias", shape))
    let (mean, variance) = (try numbers("\(own).running_mean", shape), try numbers("\(own).running_var", shape))
    let factors = zip(scale, variance).map { Double($0) / (Double($1) + norm.epsilon).squareRoot() }
    let size = weights.count / max(1, factors.count)
    let filters = weights.indices.map { Float(Double(weights[$0]) * factors[$0 / size]) }
    let shifts = factors.indices.map { channel in
      let before = (bias.map { Double($0[channel]) } ?? 0) - Double(mean[channel])
      return Float(Double(shift[channel]) + before * factors[channel])
    }
    return (filters, shifts)
  }

  private mutating func add(_ linear: Linear, _ index: Int, _ input: String, _ output: String) throws {
    let layer = network.layers[index]
    let own = layer.layer.name
    var first = input
    if !isFlat(layer.inputIndices.first ?? -1) {
      first = inner(own, "flat")
      document.add("Flatten", [input], to: first, name: first, [.int("axis", 1)])
    }
    let entries = layer.inputs[0].channels * layer.inputs[0].height * layer.inputs[0].width
    let shape = [linear.outputFeatures, entries]
    document.add(try numbers("\(own).weight", shape), shape: shape, name: "\(own).weight")
    var inputs = [first, "\(own).weight"]
    if linear.hasBias {
      let shape = [linear.outputFeatures]
      document.add(try numbers("\(own).bias", shape), shape: shape, name: "\(own).bias")
      inputs.append("\(own).bias")
    }
    document.add("Gemm", inputs, to: output, name: own, [.int("transB", 1)])
  }

  // MARK: - Layers without

  /// A number that nodes read; there once, whoever reads it.
  mutating func constant(_ value: Double) -> String {
    if let name = constants[value] { return name }
    let name = inner("constant", "\(constants.count)")
    constants[value] = name
    document.add([Float(value)], shape: [], name: name)
    return name
  }

  private mutating func add(_ function: Activation, _ input: String, _ output: String, _ own: String) {
    switch function {
    case .relu: document.add("Relu", [input], to: output, name: own)
    case .relu6:
      let bounds = [constant(0), constant(6)]
      document.add("Clip", [input] + bounds, to: output, name: own)
    case .sigmoid: document.add("Sigmoid", [input], to: output, name: own)
    case .silu:
      let gate = inner(own, "gate")
      document.add("Sigmoid", [input], to: gate, name: gate)
      document.add("Mul", [input, gate], to: output, name: own)
    case .hardSwish: document.add("HardSwish", [input], to: output, name: own)
    case .hardSigmoid:
      document.add("HardSigmoid", [input], to: output, name: own, [.float("alpha", 1.0 / 6), .float("beta", 0.5)])
    case .leakyRelu: document.add("LeakyRelu", [input], to: output, name: own, [.float("alpha", 0.01)])
    case .gelu:
      let root = constant(0.5.squareRoot())
      let (one, half) = (constant(1), constant(0.5))
      var value = input
      for (step, operation, more) in [
        ("scaled", "Mul", [root]), ("erf", "Erf", []), ("shifted", "Add", [one]), ("gate", "Mul", [half]),
      ] {
        let name = inner(own, step)
        document.add(operation, [value] + more, to: name, name: name)
        value = name
      }
      document.add("Mul", [input, value], to: output, name: own)
    }
  }

  /// Means over windows that divide the map, or, where they overlap, products with two matrices of weights: the pool is linear in
  /// rows and in columns. The format has no operator for it; the matrices are constants, since nothing in them is learnt.
  private mutating func add(adaptive layer: ResolvedLayer, _ input: String, _ output: String, _ own: String) {
    let (from, to) = (layer.inputs[0], layer.output)
    if (from.height, from.width) == (to.height, to.width) {
      document.add("Identity", [input], to: output, name: own)
    } else if (to.height, to.width) == (1, 1) {
      document.add("GlobalAveragePool", [input], to: output, name: own)
    } else if from.height % to.height == 0, from.width % to.width == 0 {
      let window = [from.height / to.height, from.width / to.width]
      document.add(
        "AveragePool", [input], to: output, name: own, [.ints("kernel_shape", window), .ints("strides", window)])
    } else {
      let rows = Self.means(from.height, to.height)
      let columns = Self.means(from.width, to.width)
      let (left, right, narrowed) = (inner(own, "rows"), inner(own, "columns"), inner(own, "narrowed"))
      document.add(constant: rows.flatMap { $0 }, shape: [to.height, from.height], name: left)
      let turned = (0..<from.width).flatMap { column in columns.map { $0[column] } }
      document.add(constant: turned, shape: [from.width, to.width], name: right)
      document.add("MatMul", [input, right], to: narrowed, name: narrowed)
      document.add("MatMul", [left, narrowed], to: output, name: own)
    }
  }

  /// The weights of the means of `AdaptiveAvgPool2d`: place i is the mean from ⌊i n / m⌋ up to ⌈(i + 1) n / m⌉.
  static func means(_ count: Int, _ places: Int) -> [[Float]] {
    (0..<places).map { place in
      let (start, end) = (place * count / places, ((place + 1) * count + places - 1) / places)
      return (0..<count).map { start <= $0 && $0 < end ? 1 / Float(end - start) : 0 }
    }
  }

  private static func sides(_ extent: Extent) -> [Int] { [extent.height, extent.width] }

  private static func attributes(_ pool: Pool) -> [PBAttributeProto] {
    [
      .ints("kernel_shape", sides(pool.kernelSize)), .ints("strides", sides(pool.stride)),
      .ints("pads", sides(pool.padding) + sides(pool.padding)), .int("ceil_mode", pool.roundsUp ? 1 : 0),
    ]
  }
}
