import Networks
import Support

/// Pools, padding, flattening and dropout.
extension ONNXTranslation {
  mutating func pool(_ node: PBNodeProto) throws {
    var (source, more) = ("", [0, 0, 0, 0])
    if case .padded(let name, let pads) = try value(node, 0), node.opType == "AveragePool" {
      (source, more) = (name, pads)
    } else {
      source = try map(node, 0)
    }
    guard let shape = shapes[source] else { throw refusal(node, "its input has no shape") }
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
    let isMean = node.opType == "AveragePool"
    let counts = !isMean || integer(node, "count_include_pad") ?? 0 == 1
    let name = ONNXNames.path(of: node)
    // What pads to keep sizes keeps those of the map with its zeros.
    let map = Shape(
      channels: shape.channels, height: shape.height + more[0] + more[2], width: shape.width + more[1] + more[3])
    var sides = try padding(node, of: map)
    // Zeros that a Pad adds are numbers as any other; those of a window may be left out of its mean.
    if more.contains(where: { $0 > 0 }) {
      if sides.allSatisfy({ $0 == 0 }) || counts {
        sides = zip(sides, more).map { $0 + $1 }
      } else {
        throw refusal(node, "it counts some of the zeros around its map and others not")
      }
    }
    guard isMean || sides[0] == sides[2] && sides[1] == sides[3] else {
      throw refusal(node, "it pads \(sides), on one side more than on the other, which of a maximum is not read")
    }
    let isUneven = sides[0] != sides[2] || sides[1] != sides[3]
    guard !isUneven || counts || more.contains(where: { $0 > 0 }) else {
      throw refusal(node, "it leaves zeros out of its mean, on one side more than on the other")
    }
    let (read, padding) = try padded(source, sides, node, name: name)
    let pool = Pool(
      kernelSize: kernel, stride: stride, padding: padding, roundsUp: integer(node, "ceil_mode") ?? 0 == 1,
      countsPadding: counts || more.contains { $0 > 0 })
    let made = try emit(isMean ? .averagePool(pool) : .maxPool(pool), [read], path: name)
    if let output = shapes[made] { set(node, .layer(made), .map(output)) }
  }

  mutating func mean(_ node: PBNodeProto) throws {
    let source = try layer(node, 0)
    let layout = layout(node, 0)
    guard let shape = shapes[source], let given = try integers(node, "axes", input: 1) else {
      throw refusal(node, "it does not say over what it takes the mean")
    }
    let axes = try Set(given.map { try axis($0, node, rank: max(1, layout.axes.count)) })
    // Places may stand on two axes, or on one as tokens do.
    let map = ONNXLayout.map(shape)
    let places = map.axes[2] + map.axes[3]
    let isMean =
      layout.channelAxis(shape).map { !axes.contains($0) } ?? false
      && axes.sorted().flatMap { layout.axes[$0] } == places && !axes.contains(0)
    guard isMean else { throw refusal(node, "it takes the mean over something else than height and width") }
    let made = try emit(.globalAveragePool, [source], path: ONNXNames.path(of: node))
    var left = layout
    for axis in axes.sorted(by: >) {
      if integer(node, "keepdims") ?? 1 == 0 { left.axes.remove(at: axis) } else { left.axes[axis] = [] }
    }
    try settle(node, made, left)
  }

  // MARK: - Axes

  mutating func transpose(_ node: PBNodeProto) throws {
    if case .constant(let tensor) = try value(node, 0) {
      let order = integers(node, "perm") ?? Array(tensor.dimensions.indices.reversed())
      guard order.sorted() == Array(tensor.dimensions.indices) else {
        throw refusal(node, "its order \(order) is none of \(tensor.dimensions.count) axes")
      }
      return set(node, .constant(tensor.arranged(order.map { tensor.dimensions[$0] }, order: order)))
    }
    try makeLayer(node, 0)
    let layout = layout(node, 0)
    guard let turned = layout.transposed(integers(node, "perm") ?? Array(layout.axes.indices.reversed())) else {
      throw refusal(node, "its order of axes is none of \(layout.axes.count)")
    }
    try settle(node, turned)
  }

  mutating func reshape(_ node: PBNodeProto) throws {
    guard let sizes = try sizes(node, 1) else { throw refusal(node, "what it makes of a map is not known") }
    let copies = integer(node, "allowzero") ?? 0 == 0
    if case .constant(let tensor) = try value(node, 0) {
      return set(node, .constant(tensor.arranged(try whole(sizes, of: tensor, node, copies: copies))))
    }
    try makeLayer(node, 0)
    if sizes == [.known(-1)], layout(node, 0).axes.first == [.batch] {
      // All in one row, images too; somebody will take it apart again.
      return set(node, try value(node, 0), ONNXLayout(axes: [layout(node, 0).axes.flatMap { $0 }]))
    }
    guard let regrouped = layout(node, 0).reshaped(sizes, images: file.input.dimensions[0], zeroCopies: copies) else {
      throw refusal(node, "it regroups a map into \(sizes.count) dimensions in a way that is not followed")
    }
    try settle(node, regrouped)
  }

  /// The dimensions of a constant that is reshaped.
  func whole(
    _ sizes: [ONNXValue.Size], of tensor: ONNXTensor, _ node: PBNodeProto, copies: Bool
  ) throws -> [Int] {
    func count(_ sizes: [Int]) -> Int? {
      // Zeros make the rest no smaller: whoever regroups it multiplies that.
      let (product, overflows) = sizes.filter { $0 != 0 }.reduce((1, false)) { result, size in
        let (product, overflows) = result.0.multipliedReportingOverflow(by: size)
        return (product, result.1 || overflows)
      }
      return overflows ? nil : sizes.contains(0) ? 0 : product
    }
    guard let total = count(tensor.dimensions) else { throw refusal(node, "its sizes are impossible") }
    var known = try sizes.enumerated().map { index, size -> Int in
      guard case .known(let value) = size, value >= -1, value <= 1 << 28 else {
        throw refusal(node, "its shape is not known")
      }
      if value == 0, copies { return tensor.dimensions.indices.contains(index) ? tensor.dimensions[index] : 0 }
      return value
    }
    if let open = known.firstIndex(of: -1), let product = count(known.filter { $0 != -1 }), product > 0,
      total % product == 0
    {
      known[open] = total / product
    }
    guard known.allSatisfy({ $0 >= 0 }), count(known) == total else {
      throw refusal(node, "it makes \(known) of \(tensor.dimensions)")
    }
    return known
  }

  mutating func flatten(_ node: PBNodeProto) throws {
    try makeLayer(node, 0)
    let layout = layout(node, 0)
    guard try axis(integer(node, "axis") ?? 1, node, rank: max(1, layout.axes.count)) == 1,
      let flat = layout.reshaped([.batch, .known(-1)], images: nil)
    else { throw refusal(node, "it flattens the batch, too, or a map whose axes are not followed") }
    try settle(node, flat)
  }

  /// Takes axes of one place away, or puts them in.
  mutating func squeeze(_ node: PBNodeProto) throws {
    let given = try integers(node, "axes", input: 1)
    if case .constant(let tensor) = try value(node, 0) {
      var dimensions = tensor.dimensions
      if node.opType == "Squeeze" {
        let axes = try given.map { try Set($0.map { try axis($0, node, rank: dimensions.count) }) }
        dimensions = dimensions.indices.filter { !(axes?.contains($0) ?? (dimensions[$0] == 1)) }.map { dimensions[$0] }
      } else {
        let rank = dimensions.count + (given?.count ?? 0)
        guard rank <= 8 else { throw refusal(node, "it makes \(rank) axes") }
        for place in try (given ?? []).map({ try axis($0, node, rank: rank) }).sorted() {
          dimensions.insert(1, at: min(place, dimensions.count))
        }
      }
      return set(node, .constant(tensor.arranged(dimensions)))
    }
    try makeLayer(node, 0)
    var layout = layout(node, 0)
    guard let given, given.count <= 4 else { throw refusal(node, "it does not say which axes") }
    let rank = layout.axes.count + (node.opType == "Unsqueeze" ? given.count : 0)
    let axes = try given.map { try axis($0, node, rank: max(1, rank)) }.sorted()
    if node.opType == "Unsqueeze" {
      for place in axes { layout.axes.insert([], at: min(place, layout.axes.count)) }
    } else {
      for place in axes.reversed() {
        guard layout.axes[place].isEmpty else {
          throw refusal(node, "it takes away an axis that has more than one place")
        }
        layout.axes.remove(at: place)
      }
    }
    try settle(node, layout)
  }

  /// Notes what the axes of a node's input stand for behind it. Branches and shares of places wait for what comes.
  private mutating func settle(_ node: PBNodeProto, _ layout: ONNXLayout) throws {
    guard case .layer(let source) = try value(node, 0) else { return set(node, try value(node, 0), layout) }
    try settle(node, source, layout)
  }

  /// Makes a layer of an input that waits for something else than a change of its axes.
  private mutating func makeLayer(_ node: PBNodeProto, _ place: Int) throws {
    switch try value(node, place) {
    case .branches, .softmax, .shares: break
    default: values[node.input[place]] = .layer(try layer(node, place))
    }
  }

  /// Notes what the axes of a result stand for now. A flattening and a shuffle become layers as soon as they can be told; anything else
  /// waits for what comes.
  mutating func settle(_ node: PBNodeProto, _ source: String, _ layout: ONNXLayout) throws {
    guard let shape = shapes[source] else { return }
    let name = ONNXNames.path(of: node)
    if layout.isFlattened(shape) {
      if flat.contains(source) { return set(node, .layer(source), layout) }
      let made = try emit(.flatten, [source], path: node.opType == "ReduceMean" ? "\(source).flatten" : name)
      return set(node, .layer(made), shapes[made].map { .features($0) })
    }
    if let side = layout.squares(shape) {
      let made = try emit(.other(SpaceToDepth(blockSize: side)), [source], path: name)
      return set(node, .layer(made), shapes[made].map { .map($0) })
    }
    if let parts = layout.shuffle(shape) {
      let made = try emit(.other(ChannelShuffle(groups: parts)), [source], path: name)
      return set(node, .layer(made), .map(shape))
    }
    set(node, .layer(source), layout)
  }

  // MARK: - Parts

  /// Cuts channels out of a map.
  private mutating func part(
    _ source: String, _ range: Range<Int>, _ layout: ONNXLayout, name: String
  ) throws -> (String, ONNXLayout)? {
    guard let shape = shapes[source] else { return nil }
    if range == 0..<shape.channels { return (source, layout) }
    let made = try emit(.other(ChannelPart(start: range.lowerBound, end: range.upperBound)), [source], path: name)
    guard let cut = shapes[made], let result = layout.replaced(shape, by: cut) else { return nil }
    return (made, result)
  }

  mutating func split(_ node: PBNodeProto) throws {
    let source = try layer(node, 0)
    let layout = layout(node, 0)
    let isSequence = node.opType == "SplitToSequence"
    guard let shape = shapes[source],
      try axis(integer(node, "axis") ?? 0, node, rank: max(1, layout.axes.count)) == layout.channelAxis(shape)
    else { throw refusal(node, "it splits another axis than that of the channels") }
    let channels = shape.channels
    var sizes = try integers(node, "split", input: 1)
    if isSequence, let each = sizes, each.count == 1, let size = each.first, size > 0,
      channels / size <= 1024
    {
      // One number is the size of all.
      sizes = stride(from: 0, to: channels, by: size).map { min(size, channels - $0) }
    }
    if sizes == nil {
      let count = integer(node, "num_outputs") ?? (isSequence ? channels : node.output.count)
      guard count > 0, count <= min(channels, 1024) else {
        throw refusal(node, "it makes \(count) parts of \(channels) channels")
      }
      let each = (channels + count - 1) / count
      sizes = (0..<count).map { max(0, min(each, channels - $0 * each)) }
    }
    guard let sizes, sizes.allSatisfy({ $0 > 0 && $0 <= channels }), sizes.count <= 1024,
      sizes.reduce(0, +) == channels, isSequence || sizes.count == node.output.count
    else { throw refusal(node, "its parts \(sizes ?? []) are not the \(channels) channels") }
    var start = 0
    let parts = sizes.map { size in
      defer { start += size }
      return start..<start + size
    }
    let path = ONNXNames.path(of: node)
    if isSequence { return set(node, .sequence(.init(source: source, layout: layout, parts: parts, path: path))) }
    for (index, range) in parts.enumerated() {
      let output = node.output[index]
      guard readers[output] != nil || output == file.output else { continue }
      guard let (made, cut) = try part(source, range, layout, name: "\(path).\(index)") else {
        throw refusal(node, "the axes of its parts are not followed")
      }
      values[output] = .layer(made)
      layouts[output] = cut
    }
  }

  mutating func element(_ node: PBNodeProto) throws {
    guard case .sequence(let sequence) = try value(node, 0),
      let place = try scalar(node, 1).flatMap({ Int(exactly: $0) }),
      case let index = place < 0 ? sequence.parts.count + place : place, sequence.parts.indices.contains(index)
    else { throw refusal(node, "which part it takes is not known") }
    let name = "\(node.input[0])#\(index)"
    if values[name] == nil {
      guard
        let (made, cut) = try part(
          sequence.source, sequence.parts[index], sequence.layout, name: "\(sequence.path).\(index)")
      else { throw refusal(node, "the axes of its parts are not followed") }
      values[name] = .layer(made)
      layouts[name] = cut
    }
    set(node, values[name] ?? .sizes([]), layouts[name])
  }

  mutating func slice(_ node: PBNodeProto) throws {
    let layout = layout(node, 0)
    if try isWhole(node, layout) { return try alias(node) }
    if try hasBranches(node), let starts = try integers(node, "starts", input: 1), starts.count == 1, starts[0] >= 0,
      let ends = try integers(node, "ends", input: 2), ends.count == 1, starts[0] < ends[0],
      let axes = try integers(node, "axes", input: 3), axes.count == 1,
      case let axis = try axis(axes[0], node, rank: max(1, layout.axes.count)),
      layout.axes.indices.contains(axis), layout.axes[axis].count == 1,
      let found = try branch(node, axis: axis, starts[0]..<ends[0])
    {
      var one = layout
      one.axes[axis] = []
      return set(node, .layer(found), one)
    }
    let source = try layer(node, 0)
    guard let starts = try integers(node, "starts", input: 1), let ends = try integers(node, "ends", input: 2),
      starts.count == 1, ends.count == 1, try integers(node, "steps", input: 4) ?? [1] == [1],
      let shape = shapes[source],
      try (integers(node, "axes", input: 3) ?? [0]).map({ try axis($0, node, rank: max(1, layout.axes.count)) })
        == [layout.channelAxis(shape) ?? -1]
    else { throw refusal(node, "it cuts out something else than neighbouring channels") }
    let channels = shape.channels
    func place(_ index: Int) -> Int { min(max(index < 0 ? max(-1, channels + index) : index, 0), channels) }
    let (start, end) = (place(starts[0]), place(ends[0]))
    guard start < end,
      let (made, cut) = try part(source, start..<end, layout, name: ONNXNames.path(of: node))
    else { throw refusal(node, "it cuts out no channels") }
    set(node, .layer(made), cut)
  }

  /// Whether a slice takes all of every axis that it names.
  private func isWhole(_ node: PBNodeProto, _ layout: ONNXLayout) throws -> Bool {
    guard let starts = try integers(node, "starts", input: 1), let ends = try integers(node, "ends", input: 2),
      starts.count == ends.count, try integers(node, "steps", input: 4)?.allSatisfy({ $0 == 1 }) ?? true,
      starts.allSatisfy({ $0 == 0 })
    else { return false }
    let axes = try integers(node, "axes", input: 3) ?? Array(starts.indices)
    guard axes.count == ends.count else { return false }
    return try zip(axes, ends).allSatisfy { given, end in
      if end >= 1 << 31 - 1 { return true }
      let axis = try axis(given, node, rank: max(1, layout.axes.count))
      guard layout.sizes.indices.contains(axis), case .known(let size) = layout.sizes[axis] else { return false }
      return end >= size
    }
  }

  /// Larger maps, by whole factors.
  mutating func resize(_ node: PBNodeProto) throws {
    let source = try map(node, 0)
    guard let shape = shapes[source] else { throw refusal(node, "its input has no shape") }
    let isOld = node.opType == "Upsample"
    func given(_ place: Int) -> Bool { node.input.indices.contains(place) && !node.input[place].isEmpty }
    if !isOld, try resizeLike(node, source, shape) { return }
    var factors: [Double] = attribute(node, "scales").map { $0.floats.map(Double.init) } ?? []
    let place = isOld || file.opset < 11 ? 1 : 2
    if factors.isEmpty, given(place), case .constant(let tensor) = try value(node, place) {
      factors = tensor.floats ?? []
    }
    if factors.isEmpty, !isOld, given(3), let sizes = try sizes(node, 3), sizes.count == 4,
      case .known(let height) = sizes[2], case .known(let width) = sizes[3]
    {
      factors = [1, 1, Double(height) / Double(shape.height), Double(width) / Double(shape.width)]
    }
    guard factors.count == 4, factors[0] == 1, factors[1] == 1, factors.allSatisfy({ $0 >= 1 && $0 <= 16384 }),
      factors.allSatisfy({ $0 == $0.rounded() })
    else { throw refusal(node, "it makes maps larger by \(factors), and whole factors of height and width are read") }
    let mode = text(node, "mode") ?? "nearest"
    // Before opset 11 there was no other way.
    let hasPlaces = !isOld && file.opset >= 11
    let places = text(node, "coordinate_transformation_mode") ?? (hasPlaces ? "half_pixel" : "asymmetric")
    let isNearest =
      mode == "nearest"
      && (places == "asymmetric" && (!hasPlaces || (text(node, "nearest_mode") ?? "round_prefer_floor") == "floor")
        || places.hasSuffix("half_pixel") && (text(node, "nearest_mode") ?? "round_prefer_floor").hasPrefix("round"))
    let isBilinear = mode == "linear" && ["half_pixel", "pytorch_half_pixel"].contains(places)
    guard isNearest || isBilinear else {
      throw refusal(
        node,
        "it makes maps larger by the rule \(ONNXFault.shown(mode)) with \(ONNXFault.shown(places)); nearest, and linear with half_pixel, are read"
      )
    }
    if factors.allSatisfy({ $0 == 1 }) { return try alias(node) }
    try emit(
      .other(Upsample(factor: Extent(height: Int(factors[2]), width: Int(factors[3])), isBilinear: isBilinear)),
      [source],
      node)
  }

  /// A size that was given, not a factor, where the map that is met next has it: a gate that follows its map to any resolution.
  private mutating func resizeLike(_ node: PBNodeProto, _ source: String, _ shape: Shape) throws -> Bool {
    guard node.input.indices.contains(3), !node.input[3].isEmpty, let sizes = try sizes(node, 3), sizes.count == 4,
      case .known(let height) = sizes[2], case .known(let width) = sizes[3],
      text(node, "mode") ?? "nearest" == "nearest",
      text(node, "coordinate_transformation_mode") == "asymmetric", text(node, "nearest_mode") == "floor",
      (height, width) != (shape.height, shape.width)
    else { return false }
    let partners = (readers[node.output.first ?? ""] ?? []).flatMap { file.nodes[$0].input }.compactMap {
      name -> String? in
      if case .layer(let layer)? = values[name] { layer } else { nil }
    }
    guard
      let partner = (partners + layers.reversed().map(\.name)).first(where: {
        shapes[$0].map { $0.height == height && $0.width == width } ?? false
      })
    else { return false }
    try emit(.other(ResizeLike()), [source, partner], node)
    return true
  }

  mutating func pad(_ node: PBNodeProto) throws {
    let mode = text(node, "mode") ?? "constant"
    let reflects = mode == "reflect"
    guard try reflects || mode == "constant" && number(node, "value", input: 2) ?? 0 == 0 else {
      throw refusal(node, "it pads with something else than zeros and the map's own rows, mirrored")
    }
    guard let pads = try integers(node, "pads", input: 1), pads.count == 8, [0, 1, 4, 5].allSatisfy({ pads[$0] == 0 })
    else {
      throw refusal(node, "it pads something else than height and width")
    }
    if pads.allSatisfy({ $0 == 0 }) { return try alias(node) }
    guard pads.allSatisfy({ (0...1 << 14).contains($0) }) else { throw refusal(node, "its pads are \(pads)") }
    let source = try map(node, 0)
    let sides = [pads[2], pads[3], pads[6], pads[7]]
    if !reflects,
      (readers[node.output.first ?? ""] ?? []).allSatisfy({ ["Conv", "AveragePool"].contains(file.nodes[$0].opType) })
    {
      // What a window adds by itself.
      return set(node, .padded(source, sides))
    }
    try emit(.other(Padding(onnx: sides, isReflected: reflects)), [source], node)
  }

  mutating func dropout(_ node: PBNodeProto) throws {
    let source = try layer(node, 0)
    let ratio = try number(node, "ratio", input: 1) ?? 0.5
    guard ratio > 0, ratio < 1 else { return try alias(node) }
    try emit(.dropout(Dropout(probability: (ratio * 1e6).rounded() / 1e6)), [source], node)
  }
}
