/// A phenomenon of training that people have described: a row of table 1 of Chen, Bu and Yan (2024). [The rows are those that the project's
/// specification gives; the source's own wording is not known.]
public enum Phenomenon: String, CaseIterable, Codable, Sendable, Hashable {
  /// Early epochs decide (Achille, Rovere, Soatto 2019).
  case criticalPeriod = "critical period"
  /// Low frequencies first (Xu and others 2020).
  case frequencyPrinciple = "frequency principle"
  /// Late generalization (Power and others 2022).
  case grokking = "grokking"
  /// Two falls of the error (Belkin and others 2019; Nakkiran and others 2020).
  case doubleDescent = "double descent"
  /// The source's own.
  case matthewEffect = "channel Matthew effect"

  /// What is seen.
  public var seen: String {
    switch self {
    case .criticalPeriod: "early epochs decide what later ones cannot mend"
    case .frequencyPrinciple: "low frequencies of the target are learnt first"
    case .grokking: "held-out accuracy rises long after training accuracy"
    case .doubleDescent: "held-out error falls, rises and falls again"
    case .matthewEffect:
      "channels with large weights grow, and where a layer is too narrow the others catch up"
    }
  }

  /// What shows it.
  public var measure: String {
    switch self {
    case .criticalPeriod: "trace of the Fisher information, per epoch"
    case .frequencyPrinciple: "relative error of each frequency of a discrete Fourier transform, over epochs"
    case .grokking: "epochs between both passing 95 %"
    case .doubleDescent: "held-out error over width and over epochs"
    case .matthewEffect: "V, the variance of the channels' weight norms, over epochs"
    }
  }

  /// The command that measures it on people's own networks; nil where there is none.
  public var command: String? { self == .matthewEffect ? "train --track weight-norms, then diagnose" : nil }
}
