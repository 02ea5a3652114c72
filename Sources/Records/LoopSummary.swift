import Diagnosis

/// The Matthew effect in a picture: what `experiment matthew-1` prints as JSON.
public struct LoopSummary: Codable, Sendable {
  /// Two channels that are trained.
  public var loop: TwoChannelLoop
  /// The curve of a layer that is wide enough.
  public var wideEnough: StageCurve
  /// The curve of a layer that is too narrow.
  public var tooNarrow: StageCurve

  /// Trains the channels, and draws the curves.
  public init(seed: Int = 0) {
    loop = TwoChannelLoop(seed: seed)
    (wideEnough, tooNarrow) = (.wideEnough, .tooNarrow)
  }
}
