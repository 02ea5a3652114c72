import Support

extension RandAugment: Decodable {
  private enum Key: String, CodingKey, CaseIterable {
    case operations, magnitude
  }

  /// Reads `{operations: 2, magnitude: 9}`; values left out are those of ``init(operations:magnitude:)``.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(withOnly: Key.self, of: "randAugment")
    self.init()
    operations = try values.decodeIfPresent(Int.self, forKey: .operations) ?? operations
    magnitude = try values.decodeIfPresent(Int.self, forKey: .magnitude) ?? magnitude
    try decoder.check(validate)
  }
}
