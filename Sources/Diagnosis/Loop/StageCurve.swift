#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A drawn curve of variance with its three stages: figure 1b of Chen, Bu, Yan (2024).
public struct StageCurve: Codable, Hashable, Sendable {
  /// V over the epochs.
  public var values: [Double]
  /// What the classifier says of it, with the ends of the stages.
  public var finding: PatternFinding

  private init(_ value: (Double) -> Double) {
    values = (0..<150).map { value(Double($0)) }
    finding = PatternClassifier().classify(values)
  }

  /// Of a layer that is wide enough: a rise that stays.
  public static var wideEnough: StageCurve { StageCurve { 0.02 + ($0 >= 8 ? 0.30 * (1 - exp(-($0 - 8) / 20)) : 0) } }

  /// Of a layer that is too narrow: a rise that is lost again.
  public static var tooNarrow: StageCurve {
    StageCurve { 0.03 + 0.35 / (1 + exp(-($0 - 15) / 3)) * (0.15 + 0.85 * exp(-max(0, $0 - 35) / 20)) }
  }
}
