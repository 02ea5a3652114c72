/// How few channels a layer may be left with: every rule that keeps a width from vanishing is one of these.
///
/// The methods keep more than one where their papers or public code do; how many is in their settings
/// (`minimumChannels`, `minimumPart`), what that means for a narrow layer is here.
public enum LeastChannels {
  /// What every layer keeps.
  public static let everywhere = 1

  /// What a group of `width` channels keeps where `wanted` are to stay: all of them when it has no more.
  public static func kept(of width: Int, wanted: Int) -> Int { min(width, max(everywhere, wanted)) }

  /// A width that was computed, such as an expectation, in whole channels.
  public static func whole(_ width: Double) -> Int { max(everywhere, Int(width.rounded())) }

  /// Channels that are a part of another layer's, as a squeeze-excite bottleneck has them: `max(1, floor(channels / divisor))`.
  public static func part(of channels: Int, divisor: Int) -> Int { max(everywhere, channels / max(1, divisor)) }

  /// The narrowest multiple of a divisor.
  public static func rounded(to divisor: Int) -> Int { max(everywhere, divisor) }
}
