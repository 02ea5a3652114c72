/// Which channel counts must be equal: a union-find over one variable for each convolution and linear layer.
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
  private var granularities: [Int] = []
  /// The layers that put out channels of a variable, as (variable, position of the layer).
  private(set) var producers: [(variable: Int, layer: Int)] = []

  mutating func makeVariable(_ kind: Kind) -> Int {
    parents.append(parents.count)
    kinds.append(kind)
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

  /// Lets every variable point to its root: a parent is always older than its children, so that one pass does it.
  mutating func flatten() {
    for variable in parents.indices { parents[variable] = parents[parents[variable]] }
  }

  mutating func fix(_ variable: Int) { kinds[root(variable)] = .fixed }

  /// The variables of a layer's output, after recording what the layer ties together.
  mutating func propagate(
    _ layer: Layer, at index: Int, inputs: [[Resolver.Segment]], shapes: [Shape], output: Shape
  ) throws -> [Resolver.Segment] {
    switch layer.operation.definition.channels {
    case .filters:
      for segment in inputs[0] { producers.append((segment.variable, index)) }
      return inputs[0]
    case .produces(let multiple, let rule):
      if multiple > 1 { try constrain(inputs[0], toMultiplesOf: multiple, by: layer) }
      let new = produce(at: index, channels: output.channels, isDerived: rule != nil)
      if multiple > 1 { try constrain([new], toMultiplesOf: multiple, by: layer) }
      return [new]
    case .ties:
      for other in inputs.dropFirst() { try tie(inputs[0], other, by: layer) }
      return inputs[0]
    case .joins:
      try refuseDerived(inputs.flatMap { $0 }, by: layer)
      return inputs.flatMap { $0 }
    case .spreads:
      let positions = shapes[0].height * shapes[0].width
      guard positions > 1 else { return inputs[0] }
      try refuseDerived(inputs[0], by: layer)
      return inputs[0].map {
        .init(variable: $0.variable, channels: $0.channels * positions, positions: $0.positions * positions)
      }
    case .passes: return inputs[0]
    }
  }

  private mutating func produce(at layer: Int, channels: Int, isDerived: Bool) -> Resolver.Segment {
    let variable = makeVariable(isDerived ? .derived : .free)
    producers.append((variable, layer))
    return .init(variable: variable, channels: channels, positions: 1)
  }

  /// Ties two tensors channel by channel.
  ///
  /// Where their segments do not line up (a concatenation added to a whole), no variable could change without the
  /// others, so that all of them become fixed.
  private mutating func tie(_ first: [Resolver.Segment], _ second: [Resolver.Segment], by layer: Layer) throws {
    let linesUp = first.elementsEqual(second) { $0.channels == $1.channels && $0.positions == $1.positions }
    guard linesUp else {
      for segment in first + second { try merge(segment.variable, nil, by: layer) }
      return
    }
    for (one, other) in zip(first, second) { try merge(one.variable, other.variable, by: layer) }
  }

  /// Unites two variables, or fixes one when there is no other.
  private mutating func merge(_ first: Int, _ second: Int?, by layer: Layer) throws {
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
    granularities[older] = leastCommonMultiple(granularities[a], granularities[b])
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
    let variable = root(segments[0].variable)
    granularities[variable] = leastCommonMultiple(granularities[variable], groups)
  }
}

/// The least common multiple; saturates, so that a hostile file cannot trap.
package func leastCommonMultiple(_ a: Int, _ b: Int) -> Int {
  var (x, y) = (a, b)
  while y != 0 { (x, y) = (y, x % y) }
  let (value, overflow) = (a / max(1, x)).multipliedReportingOverflow(by: b)
  return overflow ? Int.max : value
}
