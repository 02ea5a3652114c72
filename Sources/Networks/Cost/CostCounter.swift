/// Counts what a network costs at many width assignments, without resolving it for each.
///
/// Exact for every assignment (derived widths are rounded down as in the network), and hundreds of times as fast as
/// resolving: what greedy searches and FLOPs matching call in their inner loops.
public struct CostCounter: Sendable {
  /// The width groups, in the order in which widths are given.
  public let groups: [WidthGroup.ID]

  /// A number of channels as a function of the widths: `constant + Σ factor · width`.
  struct Form: Hashable, Sendable {
    var constant = 0
    var terms: [Term] = []
    /// When set: `max(1, value / divisor)`.
    var divisor: Int?

    struct Term: Hashable, Sendable {
      var group: Int
      var factor: Int
      /// What the product is divided by; widths are multiples of it.
      var divisor = 1
    }
  }

  /// A layer's share: `factor · forms[input] · forms[output]`, or without input for a depthwise convolution.
  struct Entry: Sendable {
    var factor: Int
    /// What the product is divided by: the groups of a grouped convolution.
    var divisor: Int
    var input: Int?
    var output: Int?
    var isDepthwise: Bool
    /// When set, what this gives at the channels, instead of their product.
    var grid: CostGrid?
  }

  private(set) var forms: [Form] = []
  private(set) var entries: [Entry] = []

  /// Prepares counting.
  public init(_ network: ResolvedNetwork, _ model: CostModel = .macs) {
    groups = network.widthGroups.map(\.id)
    let positions = Dictionary(groups.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    var known: [Form: Int] = [:]
    for term in model.terms(of: network) {
      let output = term.output.map { Self.register(network.form(ofOutputOf: $0, positions), in: &forms, &known) }
      let input = term.input.map { Self.register(network.form(ofOutputOf: $0, positions), in: &forms, &known) }
      entries.append(
        Entry(
          factor: term.factor, divisor: max(1, term.divisor), input: input, output: output,
          isDepthwise: term.isDepthwise, grid: term.grid))
    }
  }

  /// The cost at these widths, given in the order of ``groups``; `Int.max` when the number does not fit.
  public func count(_ widths: [Int]) -> Int {
    precondition(widths.count == groups.count, "\(widths.count) widths for \(groups.count) groups")
    let values = forms.map { form in
      let sum = form.terms.reduce(form.constant) { $0 + $1.factor * widths[$1.group] / $1.divisor }
      return form.divisor.map { LeastChannels.part(of: sum, divisor: $0) } ?? sum
    }
    var total = 0
    for entry in entries {
      if let grid = entry.grid {
        let reading = grid.reading(
          input: entry.input.map { Double(values[$0]) } ?? 1, output: entry.output.map { Double(values[$0]) } ?? 1)
        let (sum, overflows) = total.addingReportingOverflow(
          Int(exactly: (Double(entry.factor) * reading.value).rounded()) ?? Int.max)
        if overflows { return Int.max }
        total = sum
        continue
      }
      let inputs = entry.input.map { values[$0] / entry.divisor } ?? 1
      let (perPosition, first) = inputs.multipliedReportingOverflow(by: entry.output.map { values[$0] } ?? 1)
      let (product, second) = perPosition.multipliedReportingOverflow(by: entry.factor)
      let (sum, third) = total.addingReportingOverflow(product)
      if first || second || third { return Int.max }
      total = sum
    }
    return total
  }

  private static func register(_ form: Form, in forms: inout [Form], _ known: inout [Form: Int]) -> Int {
    if let index = known[form] { return index }
    known[form] = forms.count
    forms.append(form)
    return forms.count - 1
  }
}

extension ResolvedNetwork {
  /// The channels that a layer puts out, as a function of the widths; -1 is the image.
  fileprivate func form(ofOutputOf index: Int, _ positions: [WidthGroup.ID: Int]) -> CostCounter.Form {
    // The channels of a derived convolution pass through activations; only its own rule knows how they change.
    guard let rule = derivation(of: index) else { return form(of: segments(ofOutputOf: index), positions) }
    var form = form(of: segments(ofOutputOf: indices[rule.source] ?? -1), positions)
    form.divisor = rule.divisor
    return form
  }

  private func segments(ofOutputOf index: Int) -> [ChannelSegment] {
    index >= 0 ? layers[index].outputSegments : [ChannelSegment(group: nil, channels: network.input.channels)]
  }

  /// The rule of the derived convolution whose channels reach this layer's output unchanged.
  package func derivation(of index: Int) -> Convolution.DerivedChannels? {
    var index = index
    while index >= 0 {
      let layer = layers[index]
      switch layer.layer.operation.definition.channels {
      case .produces(_, let rule): return rule
      // Derived channels can be tied to themselves alone: x · sigmoid(x).
      case .passes, .passesFirst, .filters, .spreads, .ties: break
      case .joins, .repeats, .slices, .shuffles, .groups, .fixes: return nil
      }
      index = layer.inputIndices[0]
    }
    return nil
  }

  private func form(of segments: [ChannelSegment], _ positions: [WidthGroup.ID: Int]) -> CostCounter.Form {
    var form = CostCounter.Form()
    for segment in segments {
      guard let group = segment.group.flatMap({ positions[$0] }) else {
        form.constant += segment.channels
        continue
      }
      if let term = form.terms.firstIndex(where: { $0.group == group && $0.divisor == segment.divisor }) {
        form.terms[term].factor += segment.positions
      } else {
        form.terms.append(.init(group: group, factor: segment.positions, divisor: segment.divisor))
      }
    }
    return form
  }
}
