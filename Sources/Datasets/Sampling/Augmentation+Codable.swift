extension Augmentation: Codable {
  private enum Kind: String, CodingKey {
    case padCropFlip
    case randomResizedCrop
  }

  private enum Value: String, CodingKey {
    case padding
    case minimumScale
    case flip
  }

  private static let noneText = "none"

  /// Reads `none`, or a kind with its values: `{padCropFlip: {padding: 4, flip: true}}`.
  ///
  /// Values left out, or a kind given as a mere string, take the usual ones: padding 4, minimumScale 0.08, flip true.
  public init(from decoder: any Decoder) throws {
    if let text = try? decoder.singleValueContainer().decode(String.self) {
      switch text {
      case Self.noneText: self = .none
      case Kind.padCropFlip.rawValue: self = .padCropFlip(padding: 4, flip: true)
      case Kind.randomResizedCrop.rawValue: self = .randomResizedCrop(minimumScale: 0.08, flip: true)
      default:
        throw DecodingError.dataCorrupted(
          .init(
            codingPath: decoder.codingPath,
            debugDescription: "\"\(text)\" is no augmentation; known are none, padCropFlip, randomResizedCrop"))
      }
      return
    }
    let container = try decoder.container(keyedBy: Kind.self)
    guard let kind = container.allKeys.first, container.allKeys.count == 1 else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath, debugDescription: "one of none, padCropFlip, randomResizedCrop is needed"))
    }
    let values = try container.nestedContainer(keyedBy: Value.self, forKey: kind)
    let flip = try values.decodeIfPresent(Bool.self, forKey: .flip) ?? true
    switch kind {
    case .padCropFlip:
      self = .padCropFlip(padding: try values.decodeIfPresent(Int.self, forKey: .padding) ?? 4, flip: flip)
    case .randomResizedCrop:
      self = .randomResizedCrop(
        minimumScale: try values.decodeIfPresent(Double.self, forKey: .minimumScale) ?? 0.08, flip: flip)
    }
    do {
      try validate()
    } catch {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "\(error)"))
    }
  }

  /// Writes `none`, or the kind with all its values.
  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .none:
      var container = encoder.singleValueContainer()
      try container.encode(Self.noneText)
    case .padCropFlip(let padding, let flip):
      var container = encoder.container(keyedBy: Kind.self)
      var values = container.nestedContainer(keyedBy: Value.self, forKey: .padCropFlip)
      try values.encode(padding, forKey: .padding)
      try values.encode(flip, forKey: .flip)
    case .randomResizedCrop(let minimumScale, let flip):
      var container = encoder.container(keyedBy: Kind.self)
      var values = container.nestedContainer(keyedBy: Value.self, forKey: .randomResizedCrop)
      try values.encode(minimumScale, forKey: .minimumScale)
      try values.encode(flip, forKey: .flip)
    }
  }
}
