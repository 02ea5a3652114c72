import Networks
import Support

/// What the steps of a part that is passed read: results of layers with their axes, weights and numbers of the file.
extension ONNXTranslation {
  mutating func operand(
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

  static func use(of tensor: ONNXTensor, _ node: PBNodeProto, _ place: Int) -> TensorProgram.Parameter.Use {
    switch node.opType {
    case "MatMul": .weight
    case "Mul", "Div": .factor
    default: .shift
    }
  }

  mutating func operand(layer name: String, _ shape: Shape) -> Int {
    passed.append(PassedTensor(source: .layer(name), sizes: [-1, shape.channels, shape.height, shape.width]))
    return passed.count - 1
  }

  mutating func operand(
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
      let sizes = origin.turn?.dimensions ?? tensor.dimensions
      var plain = ONNXTensor(dimensions: sizes)
      plain.origin = (origin.name, nil)
      passed.append(
        PassedTensor(source: .learnable(.init(tensor: plain, key: name, name: title, use: use)), sizes: sizes))
      guard let turn = origin.turn else { return passed.count - 1 }
      return try add(.permute, [passed.count - 1], node, turn.order)
    }
    if let numbers = tensor.floats ?? tensor.integers?.map(Double.init) { return constant(numbers.map { Float($0) }) }
    throw refusal(node, "it reads numbers that are computed, or too many")
  }

  // MARK: - Axes

  /// How the axes of a layout come of a layer's map: the factors of channels, rows and columns as axes, their order, and the sizes of the layout's axes.
  func arrangement(_ shape: Shape, _ layout: ONNXLayout) -> (split: [Int], order: [Int], sizes: [Int])? {
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
  mutating func arranged(_ name: String, _ shape: Shape, _ layout: ONNXLayout, _ node: PBNodeProto) throws
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
}
