import Support

extension Network {
  /// The network with every width multiplied by `factor` and rounded by ``makeDivisible(_:divisor:minimum:)``.
  ///
  /// Every layer is scaled, stem and last convolution included, as in the paper (torchvision never shrinks MobileNetV2's
  /// last layer below 1280). The expanded width of an inverted residual stays the same multiple of the rounded width that
  /// it expands, as in torchvision. Classes and input channels stay.
  ///
  /// A factor of 1 changes nothing, whatever the divisor.
  ///
  /// - Throws: ``UsageFailure`` for a factor that is not positive, ``NetworkFailure`` for an invalid network.
  public func scalingWidth(by factor: Double, divisor: Int = 8) throws -> Network {
    guard factor.isFinite, factor > 0 else { throw UsageFailure("a width multiplier must be positive, not \(factor)") }
    try checkDivisor(divisor)
    if factor == 1 { return self }
    let resolved = try resolved()
    var widths = Widths()
    for group in resolved.widthGroups {
      widths[group.id] = makeDivisible(
        factor * Double(group.width), divisor: leastCommonMultiple(divisor, group.granularity))
    }
    for group in resolved.widthGroups where group.role.hasPrefix("hidden") {
      guard let (source, ratio) = resolved.expansion(of: group), let width = widths[source] else { continue }
      widths[group.id] = ratio * width
    }
    return try resolved.network(with: widths)
  }
}

extension ResolvedNetwork {
  /// The group that an inverted residual expands, and how many times, when that is a whole number above one.
  fileprivate func expansion(of group: WidthGroup) -> (source: WidthGroup.ID, ratio: Int)? {
    guard let producer = group.layers.first.flatMap({ self[$0] }),
      case .convolution(let convolution) = producer.layer.operation, convolution.grouping == .dense,
      let input = producer.inputIndices.first, input >= 0, let source = layers[input].group
    else { return nil }
    let (ratio, remainder) = group.width.quotientAndRemainder(dividingBy: layers[input].output.channels)
    return remainder == 0 && ratio > 1 ? (source, ratio) : nil
  }
}
