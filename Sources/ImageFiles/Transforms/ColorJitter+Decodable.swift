import Support

extension ColorJitter: Decodable {
  private enum Key: String, CodingKey, CaseIterable {
    case brightness, contrast, saturation, hue
  }

  /// Reads `{brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1}`; values left out are 0.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(withOnly: Key.self, of: "colorJitter")
    self.init()
    brightness = try values.decodeIfPresent(Double.self, forKey: .brightness) ?? brightness
    contrast = try values.decodeIfPresent(Double.self, forKey: .contrast) ?? contrast
    saturation = try values.decodeIfPresent(Double.self, forKey: .saturation) ?? saturation
    hue = try values.decodeIfPresent(Double.self, forKey: .hue) ?? hue
    try decoder.check(validate)
  }
}
