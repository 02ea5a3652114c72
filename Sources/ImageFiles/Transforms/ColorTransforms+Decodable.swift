import Support

extension ColorTransforms: Decodable {
  private enum Key: String, CodingKey, CaseIterable {
    case colorJitter, randAugment, lighting
  }

  /// Reads the transforms that are there, for example `{randAugment: {magnitude: 9}, lighting: {}}`.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(withOnly: Key.self, of: "the colour transforms")
    self.init(
      colorJitter: try values.decodeIfPresent(ColorJitter.self, forKey: .colorJitter),
      randAugment: try values.decodeIfPresent(RandAugment.self, forKey: .randAugment),
      lighting: try values.decodeIfPresent(LightingNoise.self, forKey: .lighting))
  }
}
