import Networks
import Support

/// The steps that single nodes become in a part that is passed.
extension ONNXTranslation {
  mutating func add(
    _ function: TensorProgram.Function, _ operands: [Int], _ node: PBNodeProto, _ numbers: [Int] = [],
    value: Double? = nil, second: Double? = nil
  ) throws -> Int {
    let step = TensorProgram.Step(function, operands, numbers, value: value, second: second)
    guard let sizes = TensorProgram.sizes(step, operands.map { passed[$0].sizes }), TensorProgram.isPossible(sizes)
    else {
      let texts = operands.map { "\(passed[$0].sizes)" }.joined(separator: " and ")
      throw refusal(node, "it does not fit tensors of \(texts)")
    }
    passed.append(PassedTensor(source: .step(step), sizes: sizes))
    return passed.count - 1
  }

  mutating func constant(_ value: Double) -> Int {
    passed.append(PassedTensor(source: .constant(.init([], [Float(value)])), sizes: []))
    return passed.count - 1
  }

  mutating func times(_ index: Int, _ factor: Double, _ node: PBNodeProto) throws -> Int {
    try add(.multiply, [index, constant(factor)], node)
  }

  mutating func plus(_ index: Int, _ term: Double, _ node: PBNodeProto) throws -> Int {
    try add(.add, [index, constant(term)], node)
  }

  mutating func reduced(_ node: PBNodeProto, _ first: Int) throws -> Int {
    let rank = passed[first].sizes.count
    let axes = try (integers(node, "axes", input: 1) ?? Array(0..<rank)).map { try axis($0, node, rank: rank) }
    var made: Int
    switch node.opType {
    case "ReduceMean": made = try add(.mean, [first], node, axes)
    case "ReduceMax": made = try add(.largest, [first], node, axes)
    case "ReduceL2":
      made = try add(.norm, [first], node, axes)
    default: made = try add(.sum, [first], node, axes)
    }
    if integer(node, "keepdims") ?? 1 == 0 {
      let left = passed[made].sizes.indices.filter { !axes.contains($0) }.map { passed[made].sizes[$0] }
      made = try add(.reshape, [made], node, left)
    }
    return made
  }

  mutating func normalized(_ node: PBNodeProto, _ first: Int) throws -> Int {
    let rank = passed[first].sizes.count
    let start = try axis(integer(node, "axis") ?? -1, node, rank: rank)
    let axes = Array(start..<rank)
    let centred = try add(.subtract, [first, try add(.mean, [first], node, axes)], node)
    let variance = try add(.mean, [try add(.multiply, [centred, centred], node)], node, axes)
    let epsilon = Self.meant(number(node, "epsilon") ?? 1e-5)
    var made = try add(.divide, [centred, try add(.sqrt, [try plus(variance, epsilon, node)], node)], node)
    if node.input.count > 1, !node.input[1].isEmpty {
      made = try add(.multiply, [made, try operand(node, 1, use: .factor)], node)
    }
    if node.input.count > 2, !node.input[2].isEmpty {
      made = try add(.add, [made, try operand(node, 2, use: .shift)], node)
    }
    return made
  }

  func reshapedSizes(_ node: PBNodeProto, _ sizes: [Int]) throws -> [Int] {
    guard let wanted = try self.sizes(node, 1), let total = TensorProgram.count(sizes) else {
      throw refusal(node, "its shape is not known")
    }
    let copies = integer(node, "allowzero") ?? 0 == 0
    var result: [Int?] = try wanted.enumerated().map { place, size in
      switch size {
      case .known(0) where copies:
        guard sizes.indices.contains(place) else { throw refusal(node, "its shape is not known") }
        return sizes[place]
      case .known(-1), .open: return nil
      case .known(let size) where size > 0: return size
      case .batch: return -1
      case .batches(let count): return -count
      case .known: throw refusal(node, "its shape is not known")
      }
    }
    let images = sizes.contains { $0 < 0 }
    var hasImages = result.contains { $0.map { $0 < 0 } ?? false }
    // Written for so many images as the file was made with.
    if images, !hasImages, let made = file.input.dimensions.first.flatMap({ $0 }), made > 0,
      let first = result.first.flatMap({ $0 }),
      first > 0, first % made == 0
    {
      result[0] = -(first / made)
      hasImages = true
    }
    let known = result.compactMap { $0 }
    guard let product = TensorProgram.count(known), product > 0, result.count(where: { $0 == nil }) <= 1 else {
      throw refusal(node, "its shape is not known")
    }
    if let hole = result.firstIndex(where: { $0 == nil }) {
      guard total % product == 0 else { throw refusal(node, "its shape does not fit a tensor of \(sizes)") }
      result[hole] = images && !hasImages ? -(total / product) : total / product
    } else if images, !hasImages {
      throw refusal(node, "its shape does not fit a tensor of \(sizes)")
    }
    return result.compactMap { $0 }
  }

  func squeezedSizes(_ node: PBNodeProto, _ sizes: [Int]) throws -> [Int] {
    let own = try integers(node, "axes", input: 1)
    if node.opType == "Squeeze" {
      let axes = try own?.map { try axis($0, node, rank: sizes.count) } ?? sizes.indices.filter { sizes[$0] == 1 }
      guard axes.allSatisfy({ sizes[$0] == 1 }) else { throw refusal(node, "it takes an axis away that is no 1") }
      return sizes.indices.filter { !axes.contains($0) }.map { sizes[$0] }
    }
    guard let own, own.count <= 4 else { throw refusal(node, "its axes are not known") }
    let rank = sizes.count + own.count
    let axes = try own.map { try axis($0, node, rank: rank) }
    guard Set(axes).count == axes.count else { throw refusal(node, "its axes are not known") }
    var rest = sizes[...]
    return (0..<rank).map { axes.contains($0) ? 1 : rest.popFirst() ?? 1 }
  }

  mutating func expanded(_ node: PBNodeProto, _ first: Int) throws -> Int {
    let sizes = passed[first].sizes
    guard let wanted = try self.sizes(node, 1), wanted.count <= 8 else { throw refusal(node, "its shape is not known") }
    let target = try wanted.map { size -> Int in
      switch size {
      case .known(let size) where size > 0: return size
      case .batch: return -1
      case .batches(let count): return -count
      case .known, .open: throw refusal(node, "its shape is not known")
      }
    }
    guard let result = TensorProgram.broadcast(sizes, target) else {
      throw refusal(node, "it does not fit a tensor of \(sizes)")
    }
    return result == sizes ? first : try add(.expand, [first], node, result)
  }

  mutating func sliced(_ node: PBNodeProto, _ first: Int) throws -> Int {
    let rank = passed[first].sizes.count
    guard let starts = try integers(node, "starts", input: 1), let ends = try integers(node, "ends", input: 2),
      starts.count == ends.count
    else { throw refusal(node, "what it cuts out is not known") }
    let axes = try integers(node, "axes", input: 3) ?? Array(starts.indices)
    let steps = try integers(node, "steps", input: 4) ?? axes.map { _ in 1 }
    guard axes.count == starts.count, steps.count == starts.count else {
      throw refusal(node, "what it cuts out is not known")
    }
    var made = first
    for place in axes.indices {
      let axis = try axis(axes[place], node, rank: rank)
      let size = passed[made].sizes[axis]
      guard size > 0 else { throw refusal(node, "it cuts out images") }
      func bounded(_ value: Int) -> Int { min(max(value < 0 ? value + size : value, 0), size) }
      if starts[place] == 0 && ends[place] >= size && steps[place] == 1 { continue }
      made = try add(.slice, [made], node, [axis, bounded(starts[place]), bounded(ends[place]), steps[place]])
    }
    return made
  }

  mutating func splitPassed(_ node: PBNodeProto, _ first: Int) throws {
    let sizes = passed[first].sizes
    let axis = try axis(integer(node, "axis") ?? 0, node, rank: sizes.count)
    let count = node.output.count
    let parts: [Int]
    if let given = try integers(node, "split", input: 1) {
      parts = given
    } else {
      guard count > 0, sizes[axis] > 0, sizes[axis] % count == 0 else {
        throw refusal(node, "its parts are not known")
      }
      parts = Array(repeating: sizes[axis] / count, count: count)
    }
    guard parts.count == count, parts.allSatisfy({ (1...max(1, sizes[axis])).contains($0) }) else {
      throw refusal(node, "its parts are not known")
    }
    var start = 0
    for (output, part) in parts.enumerated() {
      try finish(node, try add(.slice, [first], node, [axis, start, start + part, 1]), output: output)
      start += part
    }
  }

  mutating func gathered(_ node: PBNodeProto, _ first: Int) throws -> Int {
    let sizes = passed[first].sizes
    let axis = try axis(integer(node, "axis") ?? 0, node, rank: sizes.count)
    let found = try self.sizes(node, 1) ?? []
    let places = found.compactMap { if case .known(let place) = $0 { place } else { nil } }
    guard !places.isEmpty, places.count == found.count else { throw refusal(node, "its places are not known") }
    // What was computed as sizes is a row.
    var dimensions = [places.count]
    if case .constant(let tensor) = try value(node, 1), tensor.dimensions.reduce(1, *) == places.count {
      dimensions = tensor.dimensions
    } else if places.count == 1 {
      // A number or a row of one: the axis would go, or stay.
      throw refusal(node, "its place is computed")
    }
    let size = sizes[axis]
    let indices = places.map { $0 < 0 ? $0 &+ size : $0 }
    let made = try add(.gather, [first], node, [axis] + indices)
    guard dimensions.count != 1 else { return made }
    return try add(.reshape, [made], node, Array(sizes[..<axis]) + dimensions + Array(sizes[(axis + 1)...]))
  }

  mutating func paddedPassed(_ node: PBNodeProto, _ first: Int) throws -> Int {
    guard text(node, "mode") ?? "constant" == "constant", node.input.count < 4 || node.input[3].isEmpty,
      let sides = try integers(node, "pads", input: 1), sides.count == 2 * passed[first].sizes.count,
      sides.allSatisfy({ (-(1 << 14)...1 << 14).contains($0) })
    else { throw refusal(node, "its pads are not known") }
    let value = try number(node, "value", input: 2) ?? 0
    // What is taken away goes first.
    var made = first
    for (axis, size) in passed[first].sizes.enumerated() {
      let (before, behind) = (max(0, -sides[axis]), max(0, -sides[sides.count / 2 + axis]))
      if before + behind > 0 { made = try add(.slice, [made], node, [axis, before, size - behind, 1]) }
    }
    let more = sides.map { max(0, $0) }
    return more.contains { $0 > 0 } ? try add(.pad, [made], node, more, value: value) : made
  }
}
