import Networks
import Support

/// Makes the nodes of a network, layer by layer.
struct ONNXGraphBuilder {
  private let network: ResolvedNetwork
  private let values: (String) throws -> [Float]
  private var document: ONNXDocument
  /// What each layer's result is called; layers that do nothing in inference have their input's.
  private var names: [String] = []
  /// Whether each layer's result has no place any more: what comes out of a flattening or a linear layer, and what passes it on.
  private var flat: [Bool] = []
  /// The normalization that a convolution takes in, by the convolution's position.
  private var folded: [Int: Int] = [:]

  private static let image = "input", result = "output"

  init(_ network: ResolvedNetwork, folds: Bool, _ values: @escaping (String) throws -> [Float]) {
    self.network = network
    self.values = values
    document = ONNXDocument(name: network.name)
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
    document.add("Identity", [last], to: Self.result, name: Self.result)
    document.describe(
      Self.result, isFlat(network.layers.count - 1) ? [shape.channels] : dimensions(shape), as: \.output)
    return document
  }

  private func dimensions(_ shape: Shape) -> [Int] { [shape.channels, shape.height, shape.width] }

  /// Whether a layer's result has no place any more; the layers before it are known.
  private func isFlat(_ index: Int) -> Bool { index >= 0 && flat[index] }

  private func name(_ index: Int) -> String { index < 0 ? Self.image : names[index] }

  private mutating func add(_ index: Int) throws {
    let layer = network.layers[index]
    let own = layer.layer.name
    // The two names that the graph itself has.
    let output = [Self.image, Self.result].contains(own) ? own + "_" : own
    let inputs = layer.inputIndices.map(name)
    let first = inputs.first ?? Self.image
    names.append(output)
    flat.append(layer.leavesFlat(layer.inputIndices.first.map(isFlat) ?? false))
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
        let partial = isLast ? output : "\(own).\(place)"
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
    case .other(let other):
      throw UsageFailure(
        "\(own): \(other.definition.kind) has no ONNX form here; `format` pytorch or safetensors may do")
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
    var weights = try values("\(own).weight")
    var bias = convolution.hasBias ? try values("\(own).bias") : nil
    if let norm = folded[index] { (weights, bias) = try fold(norm, weights, bias) }
    document.add(
      weights, shape: [layer.output.channels, channels / groups, kernel.height, kernel.width], name: "\(own).weight")
    var inputs = [input, "\(own).weight"]
    if let bias {
      document.add(bias, shape: [bias.count], name: "\(own).bias")
      inputs.append("\(own).bias")
    }
    document.add(
      "Conv", inputs, to: output, name: own,
      [
        .ints("kernel_shape", Self.sides(kernel)), .ints("strides", Self.sides(convolution.stride)),
        .ints("pads", Self.sides(convolution.padding) + Self.sides(convolution.padding)),
        .ints("dilations", Self.sides(convolution.dilation)), .int("group", groups),
      ])
  }

  /// γ/√(σ² + ε) times the filters, and β + (b − μ) γ/√(σ² + ε), in double precision.
  private func fold(_ index: Int, _ weights: [Float], _ bias: [Float]?) throws -> ([Float], [Float]) {
    let layer = network.layers[index]
    guard case .batchNorm(let norm) = layer.layer.operation else { return (weights, bias ?? []) }
    let own = layer.layer.name
    let (scale, shift) = (try values("\(own).weight"), try values("\(own).bias"))
    let (mean, variance) = (try values("\(own).running_mean"), try values("\(own).running_var"))
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
      first = "\(own).flat"
      document.add("Flatten", [input], to: first, name: first, [.int("axis", 1)])
    }
    let entries = layer.inputs[0].channels * layer.inputs[0].height * layer.inputs[0].width
    document.add(try values("\(own).weight"), shape: [linear.outputFeatures, entries], name: "\(own).weight")
    var inputs = [first, "\(own).weight"]
    if linear.hasBias {
      document.add(try values("\(own).bias"), shape: [linear.outputFeatures], name: "\(own).bias")
      inputs.append("\(own).bias")
    }
    document.add("Gemm", inputs, to: output, name: own, [.int("transB", 1)])
  }

  // MARK: - Layers without

  private mutating func add(_ function: Activation, _ input: String, _ output: String, _ own: String) {
    func constant(_ value: Float, _ name: String) -> String {
      document.add([value], shape: [], name: name)
      return name
    }
    switch function {
    case .relu: document.add("Relu", [input], to: output, name: own)
    case .relu6:
      let bounds = [constant(0, "constant.0"), constant(6, "constant.6")]
      document.add("Clip", [input] + bounds, to: output, name: own)
    case .sigmoid: document.add("Sigmoid", [input], to: output, name: own)
    case .silu:
      document.add("Sigmoid", [input], to: "\(own).gate", name: "\(own).gate")
      document.add("Mul", [input, "\(own).gate"], to: output, name: own)
    case .hardSwish: document.add("HardSwish", [input], to: output, name: own)
    case .hardSigmoid:
      document.add("HardSigmoid", [input], to: output, name: own, [.float("alpha", 1.0 / 6), .float("beta", 0.5)])
    case .leakyRelu: document.add("LeakyRelu", [input], to: output, name: own, [.float("alpha", 0.01)])
    case .gelu:
      let root = constant(Float(0.5.squareRoot()), "constant.sqrt_half")
      let (one, half) = (constant(1, "constant.1"), constant(0.5, "constant.half"))
      document.add("Mul", [input, root], to: "\(own).scaled", name: "\(own).scaled")
      document.add("Erf", ["\(own).scaled"], to: "\(own).erf", name: "\(own).erf")
      document.add("Add", ["\(own).erf", one], to: "\(own).shifted", name: "\(own).shifted")
      document.add("Mul", ["\(own).shifted", half], to: "\(own).gate", name: "\(own).gate")
      document.add("Mul", [input, "\(own).gate"], to: output, name: own)
    }
  }

  /// Means over windows that divide the map, or, where they overlap, products with two matrices of weights: the pool is linear in
  /// rows and in columns. The format has no operator for it.
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
      document.add(rows.flatMap { $0 }, shape: [to.height, from.height], name: "\(own).rows")
      let turned = (0..<from.width).flatMap { column in columns.map { $0[column] } }
      document.add(turned, shape: [from.width, to.width], name: "\(own).columns")
      document.add("MatMul", [input, "\(own).columns"], to: "\(own).narrowed", name: "\(own).narrowed")
      document.add("MatMul", ["\(own).rows", "\(own).narrowed"], to: output, name: own)
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
