/// Places in a tensor as sums over axes: the place of (i, j, …) is i · step + j · step + …, from 0 on.
///
/// The newer exporter writes a mean behind channels-last code as a Gather with such places, which comes to a reshape.
struct ONNXIndex: Equatable {
  struct Axis: Equatable {
    var size: ONNXValue.Size
    var step: Int
  }

  var axes: [Axis]

  /// 0, 1, 2, … up to a size.
  init(upTo size: ONNXValue.Size) { axes = [Axis(size: size, step: 1)] }

  private init(axes: [Axis]) { self.axes = axes }

  /// A tensor of the file whose numbers count along one axis; nil for any other.
  init?(_ tensor: ONNXTensor) {
    guard let numbers = tensor.integers, !numbers.isEmpty, tensor.dimensions.count <= 8,
      tensor.dimensions.count(where: { $0 != 1 }) <= 1, numbers[0] == 0
    else { return nil }
    let step = numbers.count > 1 ? numbers[1] : 0
    guard (0...1 << 28).contains(step), numbers.enumerated().allSatisfy({ $1 == $0 * step }) else { return nil }
    axes = tensor.dimensions.map { Axis(size: .known($0), step: $0 == 1 ? 0 : step) }
  }

  func scaled(by factor: Int) -> ONNXIndex? {
    guard (0...1 << 28).contains(factor) else { return nil }
    let steps = axes.map { $0.step.multipliedReportingOverflow(by: factor) }
    guard steps.allSatisfy({ !$0.overflow && $0.partialValue <= 1 << 40 }) else { return nil }
    return ONNXIndex(axes: zip(axes, steps).map { Axis(size: $0.size, step: $1.partialValue) })
  }

  func unsqueezed(_ places: [Int]) -> ONNXIndex? {
    let rank = axes.count + places.count
    guard rank <= 8 else { return nil }
    var result = axes
    for place in places.map({ $0 < 0 ? $0 + rank : $0 }).sorted() {
      guard (0...result.count).contains(place) else { return nil }
      result.insert(Axis(size: .known(1), step: 0), at: place)
    }
    return ONNXIndex(axes: result)
  }

  /// The sum, of which each axis is one's.
  func adding(_ other: ONNXIndex) -> ONNXIndex? {
    guard axes.count == other.axes.count else { return nil }
    let sums = zip(axes, other.axes).map { one, two -> Axis? in
      two.size == .known(1) ? one : one.size == .known(1) ? two : nil
    }
    return sums.contains(nil) ? nil : ONNXIndex(axes: sums.compactMap { $0 })
  }

  /// The sizes of the axes, where the places are all from 0 on, each once and in order.
  var sizes: [ONNXValue.Size]? {
    var step = 1
    for axis in axes.reversed() where axis.size != .known(1) {
      guard axis.step == step else { return nil }
      switch axis.size {
      case .known(let size):
        let (product, overflows) = step.multipliedReportingOverflow(by: size)
        guard !overflows, size > 0 else { return nil }
        step = product
      case .batch where axis == axes.first: break
      case .batch, .batches, .open: return nil
      }
    }
    return axes.map(\.size)
  }
}

extension ONNXTranslation {
  func index(_ node: PBNodeProto, _ place: Int) throws -> ONNXIndex? {
    switch try value(node, place) {
    case .index(let index): index
    // Along with others that are computed.
    case .constant(let tensor) where tensor.dimensions.count > 1: ONNXIndex(tensor)
    default: nil
    }
  }

  func isIndex(_ node: PBNodeProto) throws -> Bool {
    try node.input.indices.contains { place in
      if !node.input[place].isEmpty, case .index = try value(node, place) { true } else { false }
    }
  }

  /// The one whole number that an input is.
  private func size(_ node: PBNodeProto, _ place: Int) throws -> ONNXValue.Size? {
    guard let sizes = try sizes(node, place), sizes.count == 1 else { return nil }
    return sizes[0]
  }

  mutating func range(_ node: PBNodeProto) throws {
    if node.input.count == 3, case .known(let start)? = try size(node, 0), case .known(let end)? = try size(node, 1),
      case .known(let step)? = try size(node, 2), start != 0, step == 1, start < end,
      case let (count, overflows) = end.subtractingReportingOverflow(start), !overflows, count <= 64
    {
      // Axes, for example.
      return set(node, .sizes((start..<end).map { .known($0) }))
    }
    guard node.input.count == 3, try size(node, 0) == .known(0), try size(node, 2) == .known(1),
      let end = try size(node, 1), end != .open
    else { throw refusal(node, "it does not count from 0 on") }
    set(node, .index(ONNXIndex(upTo: end)))
  }

  mutating func computeIndex(_ node: PBNodeProto) throws {
    var result: ONNXIndex?
    switch node.opType {
    case "Unsqueeze": result = try index(node, 0)?.unsqueezed(integers(node, "axes", input: 1) ?? [])
    case "Mul":
      for (one, other) in [(0, 1), (1, 0)] {
        if case .known(let factor)? = try size(node, other), let index = try index(node, one) {
          result = index.scaled(by: factor)
        }
      }
    default:
      for (one, other) in [(0, 1), (1, 0)] {
        if try size(node, other) == .known(0) { result = try index(node, one) }
      }
      if let first = try index(node, 0), let second = try index(node, 1) { result = first.adding(second) }
    }
    guard let result else { throw refusal(node, "the places that it computes are not followed") }
    set(node, .index(result))
  }

  /// A slice of places that takes all of them.
  mutating func sliceIndex(_ node: PBNodeProto) throws {
    guard let index = try index(node, 0), try integers(node, "starts", input: 1) == [0],
      try integers(node, "steps", input: 4) ?? [1] == [1], let end = try integers(node, "ends", input: 2)?.first,
      end >= 1 << 31 - 1 || index.axes.first?.size == .known(end)
    else { throw refusal(node, "it takes some of the places that are computed") }
    set(node, .index(index))
  }

  /// A tensor in which all images are replaced: what an assignment to a whole map comes to.
  mutating func replaceAll(_ node: PBNodeProto) throws {
    guard node.input.count == 3, try index(node, 1)?.sizes == [.batch, .known(1)], layout(node, 0) == layout(node, 2),
      text(node, "reduction") ?? "none" == "none"
    else { throw refusal(node, "it replaces a part of a map; export the network with optimize=True") }
    set(node, try value(node, 2), layouts[node.input[2]])
  }

  /// Takes all numbers in the order in which they are, in other axes.
  mutating func gatherAll(_ node: PBNodeProto) throws {
    let source = try layer(node, 0)
    let layout = layout(node, 0)
    guard integer(node, "axis") ?? 0 == 0, layout.axes.count == 1, layout.axes[0].first == .batch,
      let sizes = try index(node, 1)?.sizes,
      let regrouped = ONNXLayout(axes: [[.batch], Array(layout.axes[0].dropFirst())]).reshaped(sizes, images: nil)
    else { throw refusal(node, "it picks out what layers give by places that are computed") }
    try settle(node, source, regrouped)
  }
}
