import Networks
import Support

/// What a file does to its images before the network proper: differences and quotients by numbers for each channel, as people put
/// them in front of a network that is to take pixels.
///
/// Data come normalized here, so that this is no part of the network. It is kept as what it is, the normalization of the data that
/// the weights were made for.
public struct ONNXPreprocessing: Equatable, Sendable {
  /// The mean that is taken off each channel, of pixels from 0 to 1.
  public let mean: [Float]
  /// What each channel is divided by then.
  public let std: [Float]

  /// Puts a factor and a summand for each channel as mean and deviation of pixels from 0 to 1.
  ///
  /// - Parameter isWhole: Whether the file takes whole numbers from 0 to 255. One that takes fractions may mean either range, and what
  ///   it takes off and divides by tells which: of pixels up to 1 neither is above 2.
  init?(factors: [Double], summands: [Double], isWhole: Bool) {
    guard factors.allSatisfy({ $0 > 0 && $0.isFinite }), summands.allSatisfy(\.isFinite) else { return nil }
    let means = zip(factors, summands).map { -$1 / $0 }
    let isBytes = isWhole || means.contains { abs($0) > 2 } || factors.contains { 1 / $0 > 2 }
    let unit: Double = isBytes ? 255 : 1
    mean = means.map { Float($0 / unit) }
    std = factors.map { Float(1 / ($0 * unit)) }
    guard std.allSatisfy({ $0 > 0 && $0.isFinite }), mean.allSatisfy(\.isFinite) else { return nil }
  }
}

extension ONNXTranslation {
  /// Nodes right behind the images that may be preprocessing, until one comes that is not.
  struct Waiting {
    /// The tensor that the last of them wrote.
    var end: String
    var nodes: [PBNodeProto] = []
    var isOver = false
  }

  /// Puts a node off that may be preprocessing; with the first that is not, decides what the nodes before it were.
  ///
  /// A product of all channels with one number may as well be a part of the network, and stays one, unless numbers for each channel
  /// or images of whole numbers say that it is not.
  mutating func putsOff(_ node: PBNodeProto) throws -> Bool {
    // The images' sizes are read by others, too, and are those of what comes of them.
    func readsSizes(_ node: PBNodeProto) -> Bool { node.opType == "Shape" && waiting.end == file.input.name }
    guard !waiting.isOver, node.input.contains(waiting.end), !readsSizes(node) else { return false }
    if readers[waiting.end]?.count(where: { !readsSizes(file.nodes[$0]) }) == 1,
      node.opType == "Cast" || arithmetic(node) != nil || node.opType == "Transpose",
      let output = node.output.first, output != file.output
    {
      waiting.nodes.append(node)
      waiting.end = output
      return true
    }
    waiting.isOver = true
    try settle()
    return false
  }

  private mutating func settle() throws {
    let nodes = waiting.nodes
    let isEach = nodes.contains { arithmetic($0)?.numbers.dimensions.contains { $0 > 1 } ?? false }
    // A file of this program's has its layers in its description, and nothing in front of them.
    guard description == nil, file.input.isWhole || isEach, let found = try normalization(nodes) else {
      guard !file.input.isWhole else {
        throw ONNXFault(
          "it takes bytes, and what it does to them first is no normalization: numbers for each channel, above 0 where they multiply, behind "
            + "a Cast to fractions")
      }
      for node in nodes { try translate(node) }
      return
    }
    for node in nodes {
      if let (place, _) = arithmetic(node) {
        set(node, .layer(Network.inputName), layouts[node.input[place]])
      } else {
        try translate(node)
      }
    }
    preprocessing = found
    func text(_ values: [Float]) -> String { Format.list(values.map { Format.fixed(Double($0), 3) }, most: 4) }
    remarks.append(
      "the normalization inside it (mean \(text(found.mean)), standard deviation \(text(found.std)), of pixels from 0 to 1) is no "
        + "layer here: data come normalized, and what `export` writes takes normalized images")
  }

  /// What the nodes do together; nil when it is no normalization.
  private func normalization(_ nodes: [PBNodeProto]) throws -> ONNXPreprocessing? {
    guard let shape = shapes[Network.inputName] else { return nil }
    var layout = layouts[file.input.name] ?? ONNXLayout(axes: [])
    var factors = Array(repeating: 1.0, count: shape.channels)
    var summands = Array(repeating: 0.0, count: shape.channels)
    var isFraction = !file.input.isWhole
    for node in nodes {
      if node.opType == "Cast" {
        isFraction = [1, 10, 11, 16].contains(integer(node, "to") ?? 0) || !file.input.isWhole
      }
      if node.opType == "Transpose" {
        guard let order = integers(node, "perm"), Set(order) == Set(layout.axes.indices) else { return nil }
        layout = ONNXLayout(axes: order.map { layout.axes[$0] })
      }
      guard let (_, numbers) = arithmetic(node) else { continue }
      // Differences and quotients of bytes are other ones.
      guard isFraction, numbers.dimensions.allSatisfy({ $0 == 1 }) || isOnChannels(numbers, layout, shape),
        let values = numbers.fill.map({ [$0] }) ?? numbers.floats ?? numbers.integers?.map(Double.init),
        values.count == 1 || values.count == shape.channels
      else { return nil }
      for channel in factors.indices {
        let value = values.count == 1 ? values[0] : values[channel]
        switch node.opType {
        case "Add": summands[channel] += value
        case "Sub": summands[channel] -= value
        default:
          let factor = node.opType == "Mul" ? value : 1 / value
          factors[channel] *= factor
          summands[channel] *= factor
        }
      }
    }
    return ONNXPreprocessing(factors: factors, summands: summands, isWhole: file.input.isWhole)
  }

  // A sum, difference, product or quotient of a tensor with numbers of the file: where the tensor stands, and the numbers.
  private func arithmetic(_ node: PBNodeProto) -> (place: Int, numbers: ONNXTensor)? {
    guard ["Add", "Sub", "Mul", "Div"].contains(node.opType), ["", "ai.onnx"].contains(node.domain),
      node.input.count == 2
    else { return nil }
    for place in [0, 1] where place == 0 || ["Add", "Mul"].contains(node.opType) {
      if case .constant(let numbers)? = values[node.input[1 - place]] { return (place, numbers) }
    }
    return nil
  }
}
