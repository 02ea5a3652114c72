import Support

extension Network {
  /// The network with every width multiplied by `factor` and rounded by ``makeDivisible(_:divisor:minimum:)``.
  ///
  /// Every layer is scaled, stem and last convolution included, as in the paper (torchvision never shrinks MobileNetV2's
  /// last layer below 1280). The expanded width of an inverted residual stays the same multiple of the rounded width that
  /// it expands, as in torchvision. Classes and input channels stay.
  ///
  /// A factor of 1 changes nothing, whatever the divisor. A network that was scaled before is scaled from what its widths were
  /// before rounding (``Layer/unrounded``), so that factors multiply.
  ///
  /// - Throws: ``Support/UsageFailure`` for a factor that is not positive, ``NetworkFailure`` for an invalid network.
  public func scalingWidth(by factor: Double, divisor: Int = 8) throws -> Network {
    try checkFactor(factor, divisor: divisor)
    return factor == 1 ? self : try resolved().network(scaledBy: factor, divisor: divisor)
  }
}

private func checkFactor(_ factor: Double, divisor: Int) throws {
  guard factor.isFinite, factor > 0 else { throw UsageFailure("a width multiplier must be positive, not \(factor)") }
  try checkDivisor(divisor)
}

extension ResolvedNetwork {
  /// As ``Network/scalingWidth(by:divisor:)``, checked.
  public func scalingWidth(by factor: Double, divisor: Int = 8) throws -> ResolvedNetwork {
    try checkFactor(factor, divisor: divisor)
    return factor == 1 ? self : try network(scaledBy: factor, divisor: divisor).resolved()
  }

  /// The network widened from the widths that it has, whatever they were before rounding: every group's channels have `factor` times as many
  /// within reach, as a search needs whose multipliers are of those widths.
  ///
  /// - Throws: As ``scalingWidth(by:divisor:)``.
  public func widened(by factor: Double, divisor: Int = 8) throws -> ResolvedNetwork {
    try checkFactor(factor, divisor: divisor)
    return factor == 1 ? self : try network(scaledBy: factor, divisor: divisor, remembers: false).resolved()
  }

  fileprivate func network(scaledBy factor: Double, divisor: Int, remembers: Bool = true) throws -> Network {
    var exact = Dictionary(
      widthGroups.map { ($0.id, factor * (remembers ? unrounded($0) : Double($0.width))) },
      uniquingKeysWith: { first, _ in first })
    var widths = Widths(self) {
      makeDivisible(exact[$0.id] ?? 1, divisor: $0.step(divisor: divisor))
    }
    for group in widthGroups where group.role.hasPrefix("hidden") {
      guard let (segment, ratio) = expansion(of: group), let width = segment.group.flatMap({ widths[$0] }) else {
        continue
      }
      let expanded = ratio * segment.channels(at: width)
      guard expanded.isMultiple(of: group.granularity), expanded > 0 else { continue }
      widths[group.id] = expanded
      exact[group.id] = nil
    }
    var scaled = try network(with: widths)
    // Also where nothing is to be remembered: what a former scaling left would be taken up by the next.
    for group in widthGroups {
      let value = remembers ? exact[group.id] : nil
      scaled.remember(value.flatMap { $0 == widths[group.id].map(Double.init) ? nil : $0 }, in: group)
    }
    return scaled
  }

  /// What a group's width was before it was rounded.
  private func unrounded(_ group: WidthGroup) -> Double {
    group.layers.lazy.compactMap { self[$0]?.layer.unrounded }.first ?? Double(group.width)
  }

  /// The channels that an inverted residual expands, and how many times, when that is a whole number above one. After a split they are a
  /// part of their group's.
  fileprivate func expansion(of group: WidthGroup) -> (source: ChannelSegment, ratio: Int)? {
    guard let producer = group.layers.first.flatMap({ self[$0] }),
      case .convolution(let convolution) = producer.layer.operation, convolution.grouping == .dense,
      let input = producer.inputIndices.first, input >= 0, layers[input].outputSegments.count == 1,
      let source = layers[input].outputSegments.first, source.group != nil
    else { return nil }
    let (ratio, remainder) = group.width.quotientAndRemainder(dividingBy: source.channels)
    return remainder == 0 && ratio > 1 ? (source, ratio) : nil
  }
}
