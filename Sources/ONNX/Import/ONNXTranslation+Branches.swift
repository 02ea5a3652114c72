import Networks
import Support

/// Branches on an axis of their own: stacked results of layers, or the channels of one that fall into equal parts. They are added, share by
/// softmax and are multiplied branch by branch, as selective kernels and split attention do.
extension ONNXTranslation {
  /// The layers that lie side by side along an axis of an input; nil where the axis is none of branches.
  mutating func branches(_ node: PBNodeProto, _ place: Int, axis: Int) throws -> [String]? {
    let layout = layout(node, place)
    guard layout.axes.indices.contains(axis), layout.axes[axis].count == 1,
      case .channels(let count, let stride) = layout.axes[axis][0], (2...64).contains(count)
    else { return nil }
    switch try value(node, place) {
    case .branches(let layers):
      return layers.count == count && layers.first.flatMap({ shapes[$0]?.channels }) == stride ? layers : nil
    case .softmax(let layers, let path):
      guard layers.count == count, layers.first.flatMap({ shapes[$0]?.channels }) == stride else { return nil }
      return try layers.indices.map { try share(of: layers, $0, path: path) }
    case .layer(let name):
      guard let shape = shapes[name], shape.channels == count * stride else { return nil }
      return try parts(of: name, count)
    default: return nil
    }
  }

  /// A layer that was made under this path, or one that is made now.
  private mutating func once(_ operation: Networks.Operation, _ inputs: [String], path: String) throws -> String {
    if let known = branchLayers[path] { return known }
    let made = try emit(operation, inputs, path: path)
    branchLayers[path] = made
    return made
  }

  /// What one branch gets.
  private mutating func share(of layers: [String], _ branch: Int, path: String) throws -> String {
    try once(.other(SoftmaxShare(branch: branch)), layers, path: "\(path).\(branch)")
  }

  /// One branch out of several, as a slice along their axis takes it; nil where it takes something else.
  mutating func branch(_ node: PBNodeProto, axis: Int, _ range: Range<Int>) throws -> String? {
    guard range.count == 1 else { return nil }
    switch try value(node, 0) {
    case .branches(let layers): return layers.indices.contains(range.lowerBound) ? layers[range.lowerBound] : nil
    case .softmax(let layers, let path):
      return layers.indices.contains(range.lowerBound) ? try share(of: layers, range.lowerBound, path: path) : nil
    default: return nil
    }
  }

  /// Whether a product is one of branches.
  func hasBranches(_ node: PBNodeProto) throws -> Bool {
    try node.input.indices.contains { place in
      switch try value(node, place) {
      case .branches, .softmax: true
      default: false
      }
    }
  }

  /// The scores of which an input has the shares.
  func shares(_ node: PBNodeProto) throws -> String? {
    if node.input.count == 2, case .shares(let scores) = try value(node, 1) { scores } else { nil }
  }

  /// Equal parts of a layer's channels.
  private mutating func parts(of name: String, _ count: Int) throws -> [String] {
    let size = (shapes[name]?.channels ?? 0) / count
    return try (0..<count).map { part in
      let range = ChannelPart(start: part * size, end: (part + 1) * size)
      return try once(.other(range), [name], path: "\(name).branch\(part)of\(count)")
    }
  }

  /// Whether a node joins results along an axis that they do not have: what a stack is.
  mutating func isStack(_ node: PBNodeProto) throws -> Bool {
    guard let given = integer(node, "axis"), node.input.count >= 2 else { return false }
    for place in node.input.indices {
      guard case .layer(let name) = try value(node, place), let shape = shapes[name] else { return false }
      let layout = layout(node, place)
      let axis = try axis(given, node, rank: max(1, layout.axes.count))
      guard axis > 0, layout.axes[axis].isEmpty, layout.channelAxis(shape) != nil,
        layout == self.layout(node, 0)
      else { return false }
    }
    return true
  }

  mutating func stack(_ node: PBNodeProto) throws {
    let layers = try node.input.indices.map { try layer(node, $0) }
    var layout = layout(node, 0)
    let axis = try axis(integer(node, "axis") ?? 1, node, rank: layout.axes.count)
    guard let channels = shapes[layers[0]]?.channels, layers.count <= 64 else {
      throw refusal(node, "it stacks \(layers.count) maps")
    }
    layout.axes[axis] = [.channels(layers.count, stride: channels)]
    set(node, .branches(layers), layout)
  }

  /// A sum over branches.
  mutating func sum(_ node: PBNodeProto) throws {
    let layout = layout(node, 0)
    guard let given = try integers(node, "axes", input: 1), given.count == 1 else {
      throw refusal(node, "it adds up something else than branches")
    }
    let axis = try axis(given[0], node, rank: max(1, layout.axes.count))
    guard let layers = try branches(node, 0, axis: axis) else {
      throw refusal(node, "it adds up something else than branches")
    }
    let made = try emit(.add, layers, path: ONNXNames.path(of: node))
    var left = layout
    if integer(node, "keepdims") ?? 1 == 0 { left.axes.remove(at: axis) } else { left.axes[axis] = [] }
    set(node, .layer(made), left)
  }

  /// A softmax in the middle of a network: over branches, or over the places of scores that a mean is weighed by.
  mutating func share(_ node: PBNodeProto) throws {
    let layout = layout(node, 0)
    let axis = try axis(integer(node, "axis") ?? (file.opset < 13 ? 1 : -1), node, rank: max(1, layout.axes.count))
    // Of the logarithms nothing is a share; before opset 13 it was over all axes from its own on.
    guard node.opType == "Softmax",
      file.opset >= 13 || axis + 1 >= layout.axes.count || layout.axes[(axis + 1)...].allSatisfy(\.isEmpty)
    else { throw refusal(node, "it is a LogSoftmax, or over several axes") }
    if let layers = try branches(node, 0, axis: axis) {
      return set(node, .softmax(of: layers, path: ONNXNames.path(of: node)), layout)
    }
    if case .layer(let scores) = try value(node, 0), let shape = shapes[scores], shape.channels == 1,
      layout.axes.indices.contains(axis), layout.axes[axis] == layout.places(shape)
    {
      return set(node, .shares(scores), layout)
    }
    throw refusal(node, "a softmax is read at the end, over branches, and over the places of one channel")
  }

  /// The product of what has branches with what has as many.
  mutating func multiplyBranches(_ node: PBNodeProto) throws {
    let (first, second) = (layout(node, 0), layout(node, 1))
    guard
      let axis = first.axes.indices.first(where: { place in
        if case .channels(_, let stride)? = first.axes[place].first {
          return stride > 1 && first.axes[place].count == 1
        }
        return false
      }), first.axes.count == second.axes.count, let ones = try branches(node, 0, axis: axis),
      let others = try branches(node, 1, axis: axis), ones.count == others.count
    else { throw refusal(node, "it multiplies branches by what has others") }
    let isGate = shapes[ones[0]].map { $0.height * $0.width == 1 } ?? false
    let (maps, gates) = isGate ? (others, ones) : (ones, others)
    let path = ONNXNames.path(of: node)
    let made = try zip(maps, gates).enumerated().map { index, pair in
      try emit(.multiply, [pair.0, pair.1], path: "\(path).\(index)")
    }
    set(node, .branches(made), isGate ? second : first)
  }

  /// The mean of a map by shares of its places, which the format spells as a product of matrices.
  mutating func weigh(_ node: PBNodeProto, by scores: String) throws {
    let source = try layer(node, 0)
    var (layout, shares) = (layout(node, 0), layout(node, 1))
    guard let shape = shapes[source], let one = shapes[scores], layout.axes.count == shares.axes.count,
      let axis = layout.channelAxis(shape), axis == layout.axes.count - 2,
      layout.axes.last == layout.places(shape), shares.axes[shares.axes.count - 2] == shares.places(one),
      shares.axes.removeLast().isEmpty || one.channels == 1
    else { throw refusal(node, "it weighs something else than the places of a map") }
    let made = try emit(.other(AttentionPool()), [source, scores], path: ONNXNames.path(of: node))
    layout.axes[layout.axes.count - 1] = []
    set(node, .layer(made), layout)
    pooled.insert(made)
  }
}
