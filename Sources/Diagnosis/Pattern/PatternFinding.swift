/// What a curve of weight-norm variance was found to be, and by which numbers.
///
/// Places are positions in the list of samples.
public struct PatternFinding: Codable, Hashable, Sendable {
  /// Why a curve has no clear pattern.
  public enum Reason: String, Codable, Hashable, Sendable {
    /// Fewer samples than say something.
    case tooShort
    /// A sample is missing or not finite.
    case nonFinite
    /// The drop lies between what IS and what DS has.
    case between
    /// It fell, and came back.
    case rebound
    /// The drop is large enough but was not there long enough at the end.
    case lateDrop
  }

  /// The pattern.
  public var pattern: WidthPattern
  /// Why it is none of the clear ones.
  public var reason: Reason?
  /// D: the drop from the peak to the final level, as a part of the rise.
  public var drop: Double?
  /// The deepest fall after the base, as a part of the rise.
  public var drawdown: Double?
  /// How much of that fall came back, as a part of the rise.
  public var comeback: Double?
  /// The rise as a part of the largest value.
  public var prominence: Double?
  /// τ: where the peak lies, 0 at the first and 1 at the last sample.
  public var peakPosition: Double?
  /// Where the rise begins.
  public var baseIndex: Int?
  /// t1: where stage 1 ends, the phase of channels of little difference.
  public var stage1End: Int?
  /// t2: where stage 2 ends, the fast rise.
  public var stage2End: Int?
  /// tp: where the peak is.
  public var peakIndex: Int?
  /// The smoothed value where the rise begins; without a rise the first.
  public var base: Double?
  /// The smoothed value of the peak.
  public var peak: Double?
  /// The final level.
  public var final: Double?
  /// From 0 to 1 how far the drop is from undecided, and the rise from none; 0 where there is no clear pattern.
  public var confidence: Double

  init(_ pattern: WidthPattern, _ reason: Reason? = nil) {
    self.pattern = pattern
    self.reason = reason
    confidence = 0
  }
}
