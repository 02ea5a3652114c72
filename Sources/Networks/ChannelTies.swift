/// Which channel counts follow from each other: a union-find over one variable for each convolution and linear layer.
///
/// Tied variables are in a fixed ratio, nearly always 1. It needs no keeping: it is that of their present channels. The same holds of
/// the entries that a tensor has for a variable: half of them after a split, some for each after a flatten.
struct ChannelTies {
  /// What decides the number of channels of a variable.
  enum Kind {
    /// A width that may be chosen.
    case free
    /// Given from outside: the image, the classes.
    case fixed
    /// Follows another layer's channels.
    case derived
  }

  private var parents: [Int] = []
  private var kinds: [Kind] = []
  /// The present channels of each variable.
  private var counts: [Int] = []
  private var granularities: [Int] = []
  /// Parts of variables that must stay whole numbers, or whole multiples of one.
  private var demands: [(variable: Int, entries: Int, multiple: Int)] = []
  /// The layers that put out channels of a variable, as (variable, position of the layer).
  private(set) var producers: [(variable: Int, layer: Int)] = []

  mutating func makeVariable(_ kind: Kind, channels: Int) -> Int {
    parents.append(parents.count)
    kinds.append(kind)
    counts.append(channels)
    granularities.append(1)
    return parents.count - 1
  }

  func root(_ variable: Int) -> Int {
    var root = variable
    while parents[root] != root { root = parents[root] }
    return root
  }

  /// As ``root(_:)``, and shortens the way for the next time, so that no file can make ties slow.
  private mutating func findRoot(_ variable: Int) -> Int {
    var root = variable
    while parents[root] != root {
      parents[root] = parents[parents[root]]
      root = parents[root]
    }
    return root
  }

  func kind(_ variable: Int) -> Kind { kinds[root(variable)] }

  func granularity(_ variable: Int) -> Int { granularities[root(variable)] }

  func count(_ variable: Int) -> Int { counts[root(variable)] }

  /// How many entries there are for how many channels of a segment's root.
  func entries(of segment: Resolver.Segment) -> (positions: Int, divisor: Int) {
    let count = max(1, counts[root(segment.variable)])
    // The places of a flattened channel stay together: four entries of every second channel are no two entries of every one.
    let isWhole = segment.channels.isMultiple(of: segment.positions)
    let positions = isWhole ? segment.positions : 1
    let channels = segment.channels / positions
    let common = greatestCommonDivisor(channels, count)
    return (channels / common * positions, count / common)
  }

  /// Lets every variable point to its root: a parent is always older than its children, so that one pass does it.
  mutating func flatten() {
    for variable in parents.indices { parents[variable] = parents[parents[variable]] }
  }

  /// Works out what widths must be multiples of, so that every part of them is a whole number; after ``flatten()``.
  mutating func settle(_ segments: [[Resolver.Segment]]) {
    func demand(_ variable: Int, _ entries: Int, _ multiple: Int) {
      let root = root(variable)
      // width · entries / count must be a multiple: the denominator of entries / (count · multiple).
      let (whole, overflows) = counts[root].multipliedReportingOverflow(by: multiple)
      let denominator = overflows ? Int.max : whole / greatestCommonDivisor(entries, whole)
      if denominator > 1 { granularities[root] = leastCommonMultiple(granularities[root], denominator) }
    }
    for segment in segments.joined() where segment.channels % max(1, counts[root(segment.variable)]) != 0 {
      demand(segment.variable, segment.channels, 1)
    }
    for (variable, entries, multiple) in demands { demand(variable, entries, multiple) }
  }

  mutating func fix(_ variable: Int) { kinds[root(variable)] = .fixed }

  /// The variables of a layer's output, after recording what the layer ties together.
  mutating func propagate(
    _ layer: Layer, at index: Int, inputs: [[Resolver.Segment]], shapes: [Shape], output: Shape
  ) throws -> [Resolver.Segment] {
    switch layer.operation.definition.channels {
    case .filters:
      try refuseDerived(inputs[0], by: layer)
      for segment in inputs[0] { producers.append((segment.variable, index)) }
      return inputs[0]
    case .produces(let multiple, let rule):
      if multiple > 1 {
        try refuseDerived(inputs[0], by: layer)
        try constrain(inputs[0], toMultiplesOf: multiple, by: layer)
      }
      let new = produce(at: index, channels: output.channels, isDerived: rule != nil)
      if multiple > 1 { try constrain([new], toMultiplesOf: multiple, by: layer) }
      return [new]
    case .ties:
      for other in inputs.dropFirst() { try tie(inputs[0], other, by: layer) }
      return inputs[0]
    case .joins:
      try checkParts(inputs.reduce(0) { $0 + $1.count }, times: 1, of: layer)
      try refuseDerived(inputs.flatMap { $0 }, by: layer)
      return inputs.flatMap { $0 }
    case .spreads:
      let positions = shapes[0].height * shapes[0].width
      guard positions > 1 else { return inputs[0] }
      try refuseDerived(inputs[0], by: layer)
      return inputs[0].map {
        .init(variable: $0.variable, channels: $0.channels * positions, positions: $0.positions * positions)
      }
    case .slices(let range):
      try refuseDerived(inputs[0], by: layer)
      return cut(inputs[0], range)
    case .shuffles(let groups):
      try checkParts(inputs[0].count, times: groups, of: layer)
      try refuseDerived(inputs[0], by: layer)
      // Each of the groups asks something of the widths.
      guard demands.count <= 4 * Limits.segments else { throw Self.tooManyParts(layer) }
      let size = shapes[0].channels / max(1, groups)
      let first = cut(inputs[0], 0..<size)
      for group in 1..<max(2, groups) where groups > 1 {
        try tie(first, cut(inputs[0], group * size..<(group + 1) * size), by: layer)
      }
      return first.map { .init(variable: $0.variable, channels: $0.channels * groups, positions: $0.positions) }
    case .groups(let groups):
      try refuseDerived(inputs[0], by: layer)
      try constrain(inputs[0], toMultiplesOf: groups, by: layer)
      return inputs[0]
    case .passesFirst:
      for segment in inputs.dropFirst().joined() { fix(segment.variable) }
      return inputs[0]
    case .repeats(let count):
      try checkParts(inputs[0].count, times: count, of: layer)
      try refuseDerived(inputs[0], by: layer)
      return Array(repeatElement(inputs[0], count: count).joined())
    case .passes: return inputs[0]
    case .fixes:
      try refuseDerived(inputs.flatMap { $0 }, by: layer)
      for segment in inputs.joined() { fix(segment.variable) }
      return [.init(variable: makeVariable(.fixed, channels: output.channels), channels: output.channels)]
    }
  }

  private mutating func produce(at layer: Int, channels: Int, isDerived: Bool) -> Resolver.Segment {
    let variable = makeVariable(isDerived ? .derived : .free, channels: channels)
    producers.append((variable, layer))
    return .init(variable: variable, channels: channels)
  }

  /// The part of a tensor's channels in a range, and the demand that whatever it cuts through can be cut there.
  private mutating func cut(_ segments: [Resolver.Segment], _ range: Range<Int>) -> [Resolver.Segment] {
    var result: [Resolver.Segment] = []
    var start = 0
    for segment in segments {
      let own = start..<start + segment.channels
      let part = own.clamped(to: range)
      if !part.isEmpty {
        result.append(.init(variable: segment.variable, channels: part.count, positions: segment.positions))
      }
      if part != own, !part.isEmpty {
        for piece in [part.lowerBound - own.lowerBound, part.count, own.upperBound - part.upperBound] where piece > 0 {
          demands.append((segment.variable, piece, 1))
        }
      }
      start = own.upperBound
    }
    return result
  }

  /// Ties two tensors channel by channel: where their segments do not line up (a concatenation added to a whole), both are cut at all
  /// borders and tied piece by piece.
  private mutating func tie(_ first: [Resolver.Segment], _ second: [Resolver.Segment], by layer: Layer) throws {
    if first.elementsEqual(second, by: { $0.channels == $1.channels }) {
      for (one, other) in zip(first, second) { try merge(one.variable, other.variable, by: layer) }
      return
    }
    var (one, other) = (0, 0)
    var (left, right) = (first.first?.channels ?? 0, second.first?.channels ?? 0)
    while one < first.count, other < second.count {
      let piece = min(left, right)
      demands.append((first[one].variable, piece, 1))
      demands.append((second[other].variable, piece, 1))
      try merge(first[one].variable, second[other].variable, by: layer)
      left -= piece
      right -= piece
      if left == 0 {
        one += 1
        left = one < first.count ? first[one].channels : 0
      }
      if right == 0 {
        other += 1
        right = other < second.count ? second[other].channels : 0
      }
    }
  }

  /// Unites two variables, or fixes one when there is no other.
  mutating func merge(_ first: Int, _ second: Int?, by layer: Layer) throws {
    let a = findRoot(first)
    let b = second.map { findRoot($0) }
    guard a != b else { return }
    let other = b.map { kinds[$0] } ?? .fixed
    guard kinds[a] != .derived, other != .derived else {
      throw NetworkFailure(layer: layer.name, "it ties a derived number of channels to another, which cannot both hold")
    }
    let merged: Kind = kinds[a] == .fixed || other == .fixed ? .fixed : .free
    guard let b else {
      kinds[a] = merged
      return
    }
    // The older variable stays the root, so that a root is always the first in network order.
    let (older, newer) = (min(a, b), max(a, b))
    parents[newer] = older
    kinds[older] = merged
  }

  /// Refuses what no network has, before memory is spent on it: a few concatenations of a tensor with itself have millions of parts.
  private func checkParts(_ parts: Int, times count: Int, of layer: Layer) throws {
    let (all, overflows) = parts.multipliedReportingOverflow(by: max(1, count))
    guard !overflows, all <= Limits.segments else { throw Self.tooManyParts(layer) }
  }

  static func tooManyParts(_ layer: Layer) -> NetworkFailure {
    NetworkFailure(
      layer: layer.name, "its channels are of more than \(Limits.segments) parts, which is beyond any network")
  }

  // Costs of derived channels are followed through plain layers only (``CostCounter``).
  private func refuseDerived(_ segments: [Resolver.Segment], by layer: Layer) throws {
    guard !segments.contains(where: { kind($0.variable) == .derived }) else {
      throw NetworkFailure(
        layer: layer.name,
        "\(layer.operation.kind) of derived channels is not supported; give them a width of their own")
    }
  }

  private mutating func constrain(_ segments: [Resolver.Segment], toMultiplesOf groups: Int, by layer: Layer) throws {
    // With several segments, each could break the alignment of the ones behind it.
    guard segments.count == 1 else {
      for segment in segments where kind(segment.variable) != .fixed { try merge(segment.variable, nil, by: layer) }
      return
    }
    demands.append((segments[0].variable, segments[0].channels, groups))
  }
}

/// The greatest common divisor, at least 1.
package func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
  var (x, y) = (a, b)
  while y != 0 { (x, y) = (y, x % y) }
  return max(1, x)
}

/// The least common multiple; saturates, so that a hostile file cannot trap.
package func leastCommonMultiple(_ a: Int, _ b: Int) -> Int {
  let (value, overflow) = (a / greatestCommonDivisor(a, b)).multipliedReportingOverflow(by: b)
  return overflow ? Int.max : value
}
