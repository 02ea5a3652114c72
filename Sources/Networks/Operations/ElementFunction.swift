/// A function of each number that is not among the ``Activation``s, which plans know how to compute in place.
public enum ElementFunction: String, OperationDefinition, CaseIterable {
  /// The hyperbolic tangent.
  case tanh
  /// ELU with the factors that keep mean 0 and variance 1.
  case selu
  /// `log(1 + eˣ)`.
  case softplus
  /// `x / (1 + |x|)`.
  case softsign
  /// GELU's approximation, `x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 · x³)))`.
  case geluTanh

  /// The names of the functions.
  public static let kinds = allCases.map(\.rawValue)
  /// The function's name.
  public var kind: String { rawValue }
  /// None.
  public static let settingNames: [String] = []
  /// The function of that name.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    guard let function = ElementFunction(rawValue: kind) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "there is no function \"\(kind)\""))
    }
    self = function
  }
  /// The name says all.
  public func encodeSettings(to encoder: any Encoder) throws {}
  /// One.
  public var arity: Arity { .one }
  /// The input's shape.
  public func output(at site: OperationSite) throws -> Shape { site.input }
  /// The input's.
  public var channels: ChannelFlow { .passes }
  /// Itself.
  public func with(outputChannels: Int) -> ElementFunction { self }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
