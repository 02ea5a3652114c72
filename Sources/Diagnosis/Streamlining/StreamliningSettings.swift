/// How widths follow from patterns. [reconstructed: the source gives the aim, about 60 % of the parameters at equal FLOPs, not the rule]
public struct StreamliningSettings: Codable, Hashable, Sendable {
  /// What the factors are chosen for.
  public enum Aim: String, Codable, Hashable, Sendable, CaseIterable {
    /// The MACs of the network, at a part of its parameters.
    case parameters
    /// The parameters of the network, at the fewest MACs.
    case macs
  }

  /// What the factors are chosen for.
  public var aim = Aim.parameters
  /// Whether a group's factor follows how clear its pattern is.
  public var followsStrength = false
  /// ρ: the part of the parameters that is to be left.
  public var parameterPart = 0.60
  /// q: widths that are changed become multiples of this.
  public var divisor = 8
  /// No width that is changed falls below this.
  public var leastWidth = 8
  /// α is not made smaller than this.
  public var leastFactor = 0.125
  /// γ is not made larger than this.
  public var largestFactor = 4.0
  /// Whether groups whose variance only fell count as too narrow.
  public var decayIsNarrow = false

  /// The usual settings.
  public init() {}
}
