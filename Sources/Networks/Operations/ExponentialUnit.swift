/// `x` where it is positive, and what an exponential function makes of it elsewhere: PyTorch's `ELU` and `CELU`.
public struct ExponentialUnit: OperationDefinition {
  /// What becomes of large negative numbers, up to the sign.
  public var alpha: Double
  /// Whether the exponent is over alpha, so that the derivative is continuous (CELU): `alpha · (e^(x / alpha) − 1)`; else it is
  /// `alpha · (eˣ − 1)`.
  public var isContinuous: Bool

  /// Creates the operation.
  public init(alpha: Double = 1, isContinuous: Bool = false) {
    self.alpha = alpha
    self.isContinuous = isContinuous
  }

  private enum CodingKeys: String, CodingKey { case alpha }

  /// `elu` and `celu`.
  public static let kinds = ["elu", "celu"]
  /// `elu` or `celu`.
  public var kind: String { isContinuous ? "celu" : "elu" }
  /// Its setting.
  public static let settingNames: [String] = ["alpha"]
  /// Reads the setting.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(alpha: try values.decodeIfPresent(Double.self, forKey: .alpha) ?? 1, isContinuous: kind == "celu")
  }
  /// Writes the setting.
  public func encodeSettings(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    if alpha != 1 { try values.encode(alpha, forKey: .alpha) }
  }
  /// One.
  public var arity: Arity { .one }
  /// The input's shape.
  public func output(at site: OperationSite) throws -> Shape {
    guard alpha.isFinite, alpha != 0 else {
      throw site.failure("its alpha is \(alpha), and a number other than 0 is wanted")
    }
    return site.input
  }
  /// The input's.
  public var channels: ChannelFlow { .passes }
  /// Itself.
  public func with(outputChannels: Int) -> ExponentialUnit { self }
  /// None.
  public var parameters: [ParameterForm] { [] }
  /// None.
  public var multiplyAccumulates: MultiplyAccumulates { .none }
}
