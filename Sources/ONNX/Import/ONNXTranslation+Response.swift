import Networks
import Support

/// Global response normalization, which no operator of the format is: `GlobalResponseNorm` spelled out.
extension ONNXTranslation {
  /// Whether a node is the next step of a normalization that has begun.
  func isResponse(_ node: PBNodeProto) throws -> Bool {
    if node.opType == "ReduceL2" { return true }
    return try node.input.indices.contains { place in
      guard !node.input[place].isEmpty, case .response = try value(node, place) else { return false }
      return true
    }
  }

  mutating func respond(_ node: PBNodeProto) throws {
    if node.opType == "ReduceL2" { return try beginResponse(node) }
    guard let place = try node.input.indices.first(where: { try response(node, $0) != nil }),
      var part = try response(node, place)
    else { return }
    guard node.input.count <= 2 else { throw noResponse(node) }
    let rest = 1 - place
    switch (node.opType, part.stage) {
    case ("ReduceMean", .norms) where place == 0:
      let layout = layout(node, 0)
      guard let axes = try integers(node, "axes", input: 1), axes.count == 1, integer(node, "keepdims") ?? 1 == 1,
        let shape = shapes[part.source],
        try axis(axes[0], node, rank: layout.axes.count) == layout.channelAxis(shape)
      else { throw refusal(node, "it takes the mean of norms over something else than channels") }
      part.stage = .mean
    case ("Add", .mean):
      guard let number = try scalar(node, rest), number > 0, number < 1 else { throw noResponse(node) }
      (part.stage, part.epsilon) = (.shifted, Self.meant(number))
    case ("Div", .norms):
      guard place == 0, let other = try response(node, 1), other.stage == .shifted, other.source == part.source else {
        throw noResponse(node)
      }
      (part.stage, part.epsilon) = (.share, other.epsilon)
    case ("Mul", .share):
      guard case .layer(part.source) = try value(node, rest) else { throw noResponse(node) }
      part.stage = .product
    case ("Mul", .product), ("Mul", .weighted):
      if try scalar(node, rest) == 1 { break }
      guard part.weight == nil, let weight = try perChannel(node, rest, part) else { throw noResponse(node) }
      (part.stage, part.weight) = (.weighted, weight)
    case ("Add", .weighted):
      guard let bias = try perChannel(node, rest, part) else { throw noResponse(node) }
      (part.stage, part.bias) = (.moved, bias)
    case ("Add", .moved):
      guard case .layer(part.source) = try value(node, rest), let weight = part.weight, let bias = part.bias else {
        throw noResponse(node)
      }
      let made = try emit(
        .other(GlobalResponseNorm(epsilon: part.epsilon)), [part.source], node, name: ONNXNames.module(of: node),
        reading: rest)
      keep(weight, as: "\(made).weight")
      return keep(bias, as: "\(made).bias")
    default: throw noResponse(node)
    }
    // The axes are those of what x is, with one place where the norm was taken.
    let before = layouts[node.input[place]]
    set(node, .response(part), part.stage == .product ? layouts[node.input[rest]] : before)
  }

  private mutating func beginResponse(_ node: PBNodeProto) throws {
    let source = try layer(node, 0)
    var layout = layout(node, 0)
    guard let shape = shapes[source], let given = try integers(node, "axes", input: 1),
      integer(node, "keepdims") ?? 1 == 1
    else { throw noResponse(node) }
    let axes = try Set(given.map { try axis($0, node, rank: max(1, layout.axes.count)) })
    let map = ONNXLayout.map(shape)
    guard axes.sorted().flatMap({ layout.axes[$0] }) == map.axes[2] + map.axes[3], layout.channelAxis(shape) != nil
    else { throw refusal(node, "it takes norms over something else than height and width") }
    for axis in axes { layout.axes[axis] = [] }
    set(node, .response(.init(source: source, stage: .norms)), layout)
  }

  private func response(_ node: PBNodeProto, _ place: Int) throws -> ONNXValue.ResponsePart? {
    guard node.input.indices.contains(place), !node.input[place].isEmpty,
      case .response(let part) = try value(node, place)
    else { return nil }
    return part
  }

  /// Numbers of the file, one for each channel of x.
  private func perChannel(
    _ node: PBNodeProto, _ place: Int, _ part: ONNXValue.ResponsePart
  ) throws -> ONNXTensor? {
    guard case .constant(let tensor) = try value(node, place), let shape = shapes[part.source],
      isOnChannels(tensor, layout(node, 1 - place), shape)
    else { return nil }
    return tensor
  }

  private func noResponse(_ node: PBNodeProto) -> ONNXFault {
    refusal(node, "norms over places are read as parts of a global response normalization alone")
  }
}
