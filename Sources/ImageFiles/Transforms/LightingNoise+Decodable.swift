import Support

extension LightingNoise: Decodable {
  private enum Key: String, CodingKey, CaseIterable {
    case std
  }

  /// Reads `{std: 0.1}`; 0.1 is also what a value left out stands for.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(withOnly: Key.self, of: "lighting")
    self.init()
    std = try values.decodeIfPresent(Double.self, forKey: .std) ?? std
    try decoder.check(validate)
  }
}
