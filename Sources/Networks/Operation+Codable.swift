// An operation is one flat object, `{"kind": "convolution", "outputChannels": 64, …}`, so that files are easy to read and
// to write by hand; the compiler's own form of enums is neither.

extension Operation: Codable {
  private enum CodingKeys: String, CodingKey { case kind }

  /// Reads an operation by its `kind`.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let kind = try values.decode(String.self, forKey: .kind)
    if let function = Activation(rawValue: kind) {
      self = .activation(function)
      return
    }
    switch kind {
    case "convolution": self = .convolution(try Convolution(from: decoder))
    case "batchNorm": self = .batchNorm(try BatchNorm(from: decoder))
    case "add": self = .add
    case "multiply": self = .multiply
    case "concatenate": self = .concatenate
    case "maxPool": self = .maxPool(try Pool(from: decoder))
    case "averagePool": self = .averagePool(try Pool(from: decoder))
    case "adaptiveAveragePool": self = .adaptiveAveragePool(try AdaptivePool(from: decoder))
    case "globalAveragePool": self = .globalAveragePool
    case "flatten": self = .flatten
    case "linear": self = .linear(try Linear(from: decoder))
    case "dropout": self = .dropout(try Dropout(from: decoder))
    case "stochasticDepth": self = .stochasticDepth(try StochasticDepth(from: decoder))
    default:
      throw DecodingError.dataCorruptedError(
        forKey: .kind, in: values, debugDescription: "there is no operation \"\(kind)\"")
    }
  }

  /// Writes `kind` and the fields of the payload side by side.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(kind, forKey: .kind)
    switch self {
    case .convolution(let payload): try payload.encode(to: encoder)
    case .batchNorm(let payload): try payload.encode(to: encoder)
    case .maxPool(let payload), .averagePool(let payload): try payload.encode(to: encoder)
    case .adaptiveAveragePool(let payload): try payload.encode(to: encoder)
    case .linear(let payload): try payload.encode(to: encoder)
    case .dropout(let payload): try payload.encode(to: encoder)
    case .stochasticDepth(let payload): try payload.encode(to: encoder)
    case .activation, .add, .multiply, .concatenate, .globalAveragePool, .flatten: break
    }
  }
}
