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
        if tensor.integers != nil, node.opType == "Concat" || node.opType == "Unsqueeze" { found = true }
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
    switch try value(node, 0) {
    case .constant(let tensor): set(node, .sizes(tensor.dimensions.map { .known($0) }))
    case .sizes(let sizes): set(node, .sizes([.known(sizes.count)]))
    default:
      let name = try layer(node, 0)
      set(node, .sizes([.batch] + [ONNXValue.Size](repeating: .open, count: flat.contains(name) ? 1 : 3)))
    }
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

  mutating func slice(_ node: PBNodeProto) throws {
    guard let all = try sizes(node, 0), let start = try integers(node, "starts", input: 1)?.first,
      let end = try integers(node, "ends", input: 2)?.first, try integers(node, "steps", input: 4) ?? [1] == [1]
    else { throw refusal(node, "what it cuts out is not known") }
    func place(_ index: Int) -> Int { min(max(index < 0 ? all.count + index : index, 0), all.count) }
    set(node, .sizes(place(start) < place(end) ? Array(all[place(start)..<place(end)]) : []))
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
