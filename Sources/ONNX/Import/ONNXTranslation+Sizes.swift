import Networks
import Support

/// Computations of shapes, which are folded away.
extension ONNXTranslation {
  func isSizes(_ node: PBNodeProto) throws -> Bool {
    var found = false
    for (place, name) in node.input.enumerated() where !name.isEmpty {
      switch try value(node, place) {
      case .sizes: found = true
      case .constant(let tensor):
        if tensor.integers != nil,
          ["Concat", "Unsqueeze", "Gather", "Reshape", "Mul", "Add", "Sub", "Div"].contains(node.opType)
        {
          found = true
        }
        if tensor.integers == nil { return false }
      default: return false
      }
    }
    return found
  }

  func sizes(_ node: PBNodeProto, _ place: Int) throws -> [ONNXValue.Size]? {
    switch try value(node, place) {
    case .sizes(let sizes): sizes
    case .constant(let tensor): tensor.integers.map { $0.map { .known($0) } }
    default: nil
    }
  }

  mutating func shape(_ node: PBNodeProto) throws {
    let sizes: [ONNXValue.Size]
    switch try value(node, 0) {
    case .constant(let tensor): sizes = tensor.dimensions.map { .known($0) }
    case .sizes(let all): sizes = [.known(all.count)]
    case .numbers(let all): sizes = [.known(all.count)]
    case .layer, .gate, .gelu, .branches, .softmax, .shares: sizes = layout(node, 0).sizes
    case .standardized(let found): sizes = found.weight.dimensions.map { .known($0) }
    case .table, .index, .padded, .response, .sequence, .scaled, .statistic, .passed:
      throw refusal(node, "the shape of what it reads is not known")
    }
    set(node, .sizes(part(of: sizes, node)))
  }

  /// What a Shape gives of all sizes: part of them, since opset 15.
  func part(of sizes: [ONNXValue.Size], _ node: PBNodeProto) -> [ONNXValue.Size] {
    let (start, end) = (integer(node, "start") ?? 0, integer(node, "end") ?? sizes.count)
    func place(_ index: Int) -> Int { min(max(index < 0 ? sizes.count + index : index, 0), sizes.count) }
    return place(start) < place(end) ? Array(sizes[place(start)..<place(end)]) : []
  }

  mutating func gather(_ node: PBNodeProto) throws {
    guard let all = try sizes(node, 0), let places = try sizes(node, 1) else {
      throw refusal(node, "its indices are not known")
    }
    set(
      node,
      .sizes(
        try places.map { place in
          guard case .known(let index) = place, all.indices.contains(index < 0 ? all.count + index : index) else {
            throw refusal(node, "its indices are not known")
          }
          return all[index < 0 ? all.count + index : index]
        }))
  }

  mutating func sliceSizes(_ node: PBNodeProto) throws {
    guard let all = try sizes(node, 0), let start = try integers(node, "starts", input: 1)?.first,
      let end = try integers(node, "ends", input: 2)?.first, try integers(node, "steps", input: 4) ?? [1] == [1]
    else { throw refusal(node, "what it cuts out is not known") }
    func place(_ index: Int) -> Int { min(max(index < 0 ? max(0, all.count + index) : index, 0), all.count) }
    set(node, .sizes(place(start) < place(end) ? Array(all[place(start)..<place(end)]) : []))
  }

  /// Sums and products of sizes; what they come to is not asked for where a size is not known.
  mutating func arithmetic(_ node: PBNodeProto) throws {
    guard let one = try sizes(node, 0), let other = try sizes(node, 1), !one.isEmpty, !other.isEmpty,
      one.count == other.count || one.count == 1 || other.count == 1
    else { return set(node, .sizes([.open])) }
    let count = max(one.count, other.count)
    set(
      node,
      .sizes(
        (0..<count).map { index in
          let (a, b) = (one[one.count == 1 ? 0 : index], other[other.count == 1 ? 0 : index])
          switch (a, b, node.opType) {
          case (.known(let x), .known(let y), "Mul"): return Self.size(x.multipliedReportingOverflow(by: y))
          case (.known(let x), .known(let y), "Add"): return Self.size(x.addingReportingOverflow(y))
          case (.known(let x), .known(let y), "Sub"): return Self.size(x.subtractingReportingOverflow(y))
          case (.known(let x), .known(let y), "Div") where y != 0: return Self.size(x.dividedReportingOverflow(by: y))
          case (.batch, .known(1), "Mul"), (.known(1), .batch, "Mul"), (.batch, .known(1), "Div"),
            (.batch, .known(0), "Add"), (.known(0), .batch, "Add"):
            return .batch
          case (.batch, .known(let times), "Mul"), (.known(let times), .batch, "Mul"):
            return times > 1 && times <= 1 << 28 ? .batches(times) : .open
          case (.batches(let one), .known(let times), "Mul"), (.known(let times), .batches(let one), "Mul"):
            return times >= 1 && times <= 1 << 28 && one <= 1 << 28 ? .batches(one * times) : .open
          case (.batches(let one), .known(let part), "Div") where part > 0 && one % part == 0:
            return one == part ? .batch : .batches(one / part)
          case (.batches(let one), .batch, "Div"): return .known(one)
          case (.batch, .batch, "Div"): return .known(1)
          default: return .open
          }
        }))
  }

  private static func size(_ result: (partialValue: Int, overflow: Bool)) -> ONNXValue.Size {
    result.overflow ? .open : .known(result.partialValue)
  }

  /// Whether sizes are equal, as 1 and 0; the number of images is never one of the file's.
  mutating func compareSizes(_ node: PBNodeProto) throws {
    guard let one = try sizes(node, 0), let other = try sizes(node, 1), one.count == other.count || other.count == 1
    else { throw refusal(node, "what it compares is not known") }
    set(
      node,
      .sizes(
        one.indices.map { place in
          let (a, b) = (one[place], other[other.count == 1 ? 0 : place])
          return a == .open || b == .open ? .open : .known(a == b ? 1 : 0)
        }))
  }

  /// Sizes where a condition holds, and others elsewhere.
  mutating func chooseSizes(_ node: PBNodeProto) throws {
    guard let condition = try sizes(node, 0), let one = try sizes(node, 1), let other = try sizes(node, 2),
      [1, condition.count].contains(one.count), [1, condition.count].contains(other.count)
    else { throw refusal(node, "what it chooses from is not known") }
    set(
      node,
      .sizes(
        condition.indices.map { place in
          guard condition[place] != .open else { return .open }
          let from = condition[place] == .known(0) ? other : one
          return from[from.count == 1 ? 0 : place]
        }))
  }

  /// Sizes in rows, or as they are.
  mutating func reshapeSizes(_ node: PBNodeProto) throws {
    guard let sizes = try sizes(node, 0), let target = try integers(node, "shape", input: 1) else {
      throw refusal(node, "what it makes of sizes is not followed")
    }
    guard target.count == 2 else {
      guard target.count <= 1 else { throw refusal(node, "what it makes of sizes is not followed") }
      return set(node, .sizes(sizes))
    }
    let columns = target[1] > 0 ? target[1] : target[0] > 0 ? sizes.count / target[0] : 0
    guard columns > 0, sizes.count % columns == 0 else { throw refusal(node, "its shape \(target) cannot be") }
    set(
      node,
      .table(stride(from: 0, to: sizes.count, by: columns).map { Array(sizes[$0..<$0 + columns]) }))
  }

  func isTable(_ node: PBNodeProto) throws -> Bool {
    if case .table = try value(node, 0) { true } else { false }
  }

  /// Rows from the last to the first, rows as columns, and all in one: what becomes of a Pad's numbers.
  mutating func arrangeTable(_ node: PBNodeProto) throws {
    guard case .table(let rows) = try value(node, 0) else { return }
    let columns = rows.first?.count ?? 0
    switch node.opType {
    case "Transpose" where integers(node, "perm") ?? [1, 0] == [1, 0]:
      set(node, .table((0..<columns).map { column in rows.map { $0[column] } }))
    case "Reshape" where try integers(node, "shape", input: 1)?.count == 1: set(node, .sizes(rows.flatMap { $0 }))
    case "Slice":
      guard try integers(node, "axes", input: 3) ?? [0] == [0], try integers(node, "steps", input: 4) == [-1],
        let start = try integers(node, "starts", input: 1), start == [-1] || start == [rows.count - 1],
        let end = try integers(node, "ends", input: 2)?.first, end < -rows.count
      else { throw refusal(node, "what it cuts out is not known") }
      set(node, .table(rows.reversed()))
    default: throw refusal(node, "what it makes of sizes is not followed")
    }
  }

  /// One size for each of several axes; several stay as they are.
  mutating func expandSizes(_ node: PBNodeProto) throws {
    guard let sizes = try sizes(node, 0), let target = try integers(node, "shape", input: 1), target.count <= 1,
      (0...8).contains(target.first ?? 1), sizes.count == 1 || sizes.count == target.first
    else { throw refusal(node, "what it makes of sizes is not followed") }
    set(node, .sizes(sizes.count == 1 ? Array(repeating: sizes[0], count: target.first ?? 1) : sizes))
  }

  /// Tensors that are made of one number: the newer exporter writes a bias of zeros so where there is none.
  mutating func filled(_ node: PBNodeProto) throws {
    if node.opType == "ConstantOfShape" {
      guard let dimensions = try integers(node, "", input: 0) else { throw refusal(node, "its shape is not known") }
      let tensor = try attribute(node, "value").map { try ONNXTensor($0.t) }
      let number = tensor?.floats?.first ?? tensor?.integers?.first.map(Double.init) ?? 0
      if tensor?.dimensions != nil, tensor?.floats == nil, dimensions.count == 1, (0...64).contains(dimensions[0]) {
        return set(node, .sizes(Array(repeating: .known(tensor?.integers?.first ?? 0), count: dimensions[0])))
      }
      return set(node, .constant(try fill(node, dimensions, number)))
    }
    if case .layer = try value(node, 0) {
      // A gate as large as its map is the gate: its product with the map says all.
      let places = layout(node, 0).axes.filter(\.isEmpty).count
      guard places > 0, (readers[node.output.first ?? ""] ?? []).allSatisfy({ file.nodes[$0].opType == "Mul" }) else {
        throw refusal(node, "it repeats a map")
      }
      return try alias(node)
    }
    guard let number = try scalar(node, 0), let dimensions = try integers(node, "", input: 1) else {
      throw refusal(node, "it repeats something else than one number of the file")
    }
    set(node, .constant(try fill(node, dimensions, number)))
  }

  private func fill(_ node: PBNodeProto, _ dimensions: [Int], _ number: Double) throws -> ONNXTensor {
    var count = 1
    for size in dimensions {
      let (product, overflows) = count.multipliedReportingOverflow(by: size)
      count = overflows || size < 0 ? Int.max : product
    }
    guard dimensions.count <= 8, count <= 1 << 28 else {
      throw refusal(node, "its shape \(dimensions) cannot be")
    }
    var tensor = ONNXTensor(dimensions: dimensions)
    tensor.fill = number
    return tensor
  }

  func constant(_ node: PBNodeProto) throws -> ONNXTensor {
    if let tensor = attribute(node, "value") { return try ONNXTensor(tensor.t) }
    if let value = integer(node, "value_int") { return ONNXTensor(dimensions: [], integers: [value]) }
    if let values = integers(node, "value_ints") { return ONNXTensor(dimensions: [values.count], integers: values) }
    if let value = number(node, "value_float") { return ONNXTensor(dimensions: [], floats: [value]) }
    if let values = attribute(node, "value_floats")?.floats {
      return ONNXTensor(dimensions: [values.count], floats: values.map(Double.init))
    }
    throw refusal(node, "it holds no numbers")
  }
}
