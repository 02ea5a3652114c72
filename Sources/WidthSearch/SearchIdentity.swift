import Methods
import Records
import Training

/// What the outcome of a search depends on.
public struct SearchIdentity: JobIdentity {
  /// How weights are trained during the search: the network that is searched, the data, the recipe, the seed.
  public var training: TrainingIdentity
  /// The method's name.
  public var method: String
  /// Its settings.
  public var settings: any SearchSettings
  /// What the budgets are set on.
  public var model: String
  /// The budgets of the network that is searched.
  public var targets: [Int]
  /// Channel counts are multiples of this where the search makes a wider network.
  public var divisor: Int

  /// `search`.
  public static let kind = "search"
  /// The method and the budgets are always written.
  public static let essential: Set = ["method", "targets"]
  /// Nothing of another kind than the usual training.
  public static let usual = SearchIdentity(
    training: .usual, method: "", settings: UniformWidths.Settings(), model: "macs", targets: [], divisor: 8)

  private enum CodingKeys: String, CodingKey {
    case training, method, settings, model, targets, divisor
  }

  /// Writes everything; of the settings, those that differ from the method's defaults.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(training, forKey: .training)
    try container.encode(method, forKey: .method)
    try container.encode(Self.changed(settings), forKey: .settings)
    try container.encode(model, forKey: .model)
    try container.encode(targets, forKey: .targets)
    try container.encode(divisor, forKey: .divisor)
  }

  private static func changed<Settings: SearchSettings>(_ settings: Settings) throws -> IdentityValue {
    try IdentityValue(encoding: settings).without(IdentityValue(encoding: Settings())) ?? .object([:])
  }
}
