import Support

/// What the time of a step of a network depends on beside its channel counts: what it computes, and on which size of maps.
///
/// Two layers of one form take the same time at the same widths, so that a table needs each form once. Batch normalizations are
/// left out behind a convolution or a linear layer, into which an inference engine takes them.
public struct LatencyForm: Hashable, Sendable, Codable {
  /// What is computed, one after the other; channel counts are not part of it.
  public var operations: [Operation]
  /// Rows of the input.
  public var height: Int
  /// Columns of the input.
  public var width: Int

  /// Describes a form; channel counts of the operations are put aside.
  public init(_ operations: [Operation], height: Int, width: Int) {
    self.operations = operations.map(Self.withoutChannels)
    self.height = height
    self.width = width
  }

  private static func withoutChannels(_ operation: Operation) -> Operation {
    if case .convolution(var convolution) = operation {
      convolution.outputChannels = 1
      convolution.derivedChannels = nil
      return .convolution(convolution)
    }
    return Operation(operation.definition.with(outputChannels: 1).with(slice: 0..<1))
  }

  private enum CodingKeys: String, CodingKey, CaseIterable { case operations, height, width }

  /// Reads a form.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(withOnly: CodingKeys.self, of: "a form")
    self.init(
      try values.decode([Operation].self, forKey: .operations), height: try values.decode(Int.self, forKey: .height),
      width: try values.decode(Int.self, forKey: .width))
    let sides = 1...1_000_000
    guard (1...8).contains(operations.count), sides.contains(height), sides.contains(width) else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath,
          debugDescription: "a form has one to eight operations and a size of at least 1x1"))
    }
  }

  /// Rows and columns together.
  var positions: Int { height * width }

  /// Whether the time depends on the input's channels beside the output's.
  public var hasOwnChannels: Bool {
    switch operations[0].definition.channels {
    case .produces: true
    case .passes, .passesFirst, .filters, .ties, .joins, .repeats, .spreads, .slices, .shuffles, .groups, .fixes: false
    }
  }

  /// What channel counts must be multiples of.
  public var step: Int {
    operations.reduce(1) { step, operation in
      switch operation.definition.channels {
      case .produces(let multiple, _): leastCommonMultiple(step, multiple)
      case .shuffles(let parts), .groups(let parts), .repeats(let parts): leastCommonMultiple(step, parts)
      case .joins: leastCommonMultiple(step, 2)
      case .passes, .passesFirst, .filters, .ties, .spreads, .slices, .fixes: step
      }
    }
  }

  /// The learnable numbers at some channels; without own channels, those of the input are the output's.
  func parameters(input: Int, output: Int) -> Double {
    var source = hasOwnChannels ? input : output
    return operations.reduce(0) { total, operation in
      defer { source = output }
      return operation.definition.parameters.reduce(total) { total, parameter in
        total + parameter.shape(input: source, output: output).reduce(1) { $0 * Double($1) }
      }
    }
  }

  /// For people: `conv 3x3/2 + relu on 56x56`.
  public var words: String {
    let names = operations.map { operation -> String in
      guard case .convolution(let convolution) = operation else { return operation.kind }
      let stride = convolution.stride == 1 ? "" : "/\(convolution.stride.height)"
      let kernel = "\(convolution.kernelSize.height)x\(convolution.kernelSize.width)\(stride)"
      switch convolution.grouping {
      case .dense: return "convolution \(kernel)"
      case .depthwise: return "depthwise \(kernel)"
      case .grouped(let groups): return "convolution \(kernel) in \(groups) groups"
      }
    }
    return names.joined(separator: " + ") + " on \(height)x\(width)"
  }

  /// A network of this form alone, as it is measured.
  ///
  /// - Parameters:
  ///   - input: Channels of the image; where the form has no channels of its own, those of the output.
  ///   - output: Channels that it puts out.
  /// - Throws: ``NetworkFailure`` for channel counts that the form cannot have.
  public func network(input: Int, output: Int) throws -> ResolvedNetwork {
    let first = operations[0].definition
    if let program = first as? TensorProgram { return try network(of: program) }
    let source = hasOwnChannels ? input : output
    var channels = source
    var inputs = [Network.inputName]
    switch first.channels {
    case .ties: inputs = [Network.inputName, Network.inputName]
    case .joins:
      inputs = [Network.inputName, Network.inputName]
      channels = source / 2
    case .repeats(let count): channels = source / count
    case .produces, .passes, .passesFirst, .filters, .spreads, .slices, .shuffles, .groups, .fixes: break
    }
    if first.arity == .two { inputs = [Network.inputName, Network.inputName] }
    var layers: [Layer] = []
    if let share = first as? SoftmaxShare {
      inputs = Array(repeating: Network.inputName, count: max(2, share.branch + 1))
    }
    if first is VectorAddition {
      layers.append(Layer(name: "vector", operation: .globalAveragePool, inputs: [Network.inputName]))
      inputs = [Network.inputName, "vector"]
    }
    if first.channels == .passesFirst {
      layers.append(
        Layer(name: "scores", operation: .other(ChannelPart(start: 0, end: 1)), inputs: [Network.inputName]))
      inputs = [Network.inputName, "scores"]
    }
    for (index, operation) in operations.enumerated() {
      let definition = operation.definition.with(outputChannels: output).with(slice: 0..<source)
      layers.append(
        Layer(
          name: "step\(index)", operation: Operation(definition),
          inputs: index == 0 ? inputs : ["step\(index - 1)"]))
    }
    return try Network(
      name: "form", input: Shape(channels: channels, height: height, width: width), layers: layers
    ).resolved()
  }

  // A part that is passed has one size, and its maps are parts of one image here; smaller ones are means of it, which take little time.
  private func network(of program: TensorProgram) throws -> ResolvedNetwork {
    let sizes = program.inputs
    let image = Shape(
      channels: sizes.map(\.channels).max() ?? 1, height: sizes.map(\.height).max() ?? 1,
      width: sizes.map(\.width).max() ?? 1)
    var layers: [Layer] = []
    var maps: [String] = []
    for (place, shape) in sizes.enumerated() {
      let name = "map\(place)"
      layers.append(
        Layer(name: name, operation: .other(ChannelPart(start: 0, end: shape.channels)), inputs: [Network.inputName]))
      maps.append(name)
      guard shape.height != image.height || shape.width != image.width else { continue }
      let mean = Operation.adaptiveAveragePool(AdaptivePool(height: shape.height, width: shape.width))
      layers.append(Layer(name: "\(name).mean", operation: mean, inputs: [name]))
      maps[place] = "\(name).mean"
    }
    layers.append(Layer(name: "step0", operation: operations[0], inputs: maps))
    for (index, operation) in operations.enumerated().dropFirst() {
      layers.append(Layer(name: "step\(index)", operation: operation, inputs: ["step\(index - 1)"]))
    }
    return try Network(name: "form", input: image, layers: layers).resolved()
  }
}
