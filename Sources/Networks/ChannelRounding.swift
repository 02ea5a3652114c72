import Support

/// Rounds a channel count to a multiple of `divisor`, as torchvision and timm do.
///
/// `value` is the already scaled count. The nearest multiple is taken, but at least `minimum`, and one multiple more when
/// rounding would take away over 10 %: 11 becomes 16, not 8. The floor is the divisor itself unless another is given;
/// slimmable networks use 1 and get odd counts for tiny inputs.
public func makeDivisible(_ value: Double, divisor: Int, minimum: Int? = nil) -> Int {
  let divisor = LeastChannels.rounded(to: divisor)
  let floor = minimum ?? divisor
  // Not a number and numbers beyond every real network would trap in the conversion to Int.
  guard value > 0 else { return floor }
  guard value < Double(Limits.channels) else { return Limits.channels / divisor * divisor }
  let nearest = Int((value + Double(divisor) / 2) / Double(divisor)) * divisor
  let rounded = max(floor, nearest)
  return Double(rounded) < 0.9 * value ? rounded + divisor : rounded
}

/// Refuses divisors that are not positive or larger than any layer.
func checkDivisor(_ divisor: Int) throws {
  guard (1...1 << 16).contains(divisor) else {
    throw UsageFailure("channels are rounded to a multiple of 1 to 65536, for example 8, not of \(divisor)")
  }
}
