import Support

extension Augmentation: Codable {
  private enum Kind: String, CodingKey, CaseIterable {
    case padCropFlip
    case randomResizedCrop
    /// What evaluation sees, mirrored or not: ``Augmentation/none``, or ``Augmentation/padCropFlip(padding:flip:)`` without a margin.
    case centerCrop
  }

  private enum CenterCropValue: String, CodingKey, CaseIterable {
    case flip
  }

  private enum PadCropFlipValue: String, CodingKey, CaseIterable {
    case padding, flip
  }

  private enum RandomResizedCropValue: String, CodingKey, CaseIterable {
    case minimumScale, flip
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
      case Kind.centerCrop.rawValue: self = .none
      case Kind.randomResizedCrop.rawValue: self = .randomResizedCrop(minimumScale: 0.08, flip: true)
      default:
        throw DecodingError.dataCorrupted(
          .init(
            codingPath: decoder.codingPath,
            debugDescription:
              "\"\(text)\" is no augmentation; known are none, centerCrop, padCropFlip, randomResizedCrop"))
      }
      return
    }
    let container = try decoder.container(withOnly: Kind.self, of: "augmentation")
    guard let kind = container.allKeys.first, container.allKeys.count == 1 else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath,
          debugDescription: "one of none, centerCrop, padCropFlip, randomResizedCrop is needed"))
    }
    let inner = try container.superDecoder(forKey: kind)
    switch kind {
    case .centerCrop:
      let values = try inner.container(withOnly: CenterCropValue.self, of: kind.rawValue)
      let flip = try values.decodeIfPresent(Bool.self, forKey: .flip) ?? false
      self = flip ? .padCropFlip(padding: 0, flip: true) : .none
    case .padCropFlip:
      let values = try inner.container(withOnly: PadCropFlipValue.self, of: kind.rawValue)
      self = .padCropFlip(
        padding: try values.decodeIfPresent(Int.self, forKey: .padding) ?? 4,
        flip: try values.decodeIfPresent(Bool.self, forKey: .flip) ?? true)
    case .randomResizedCrop:
      let values = try inner.container(withOnly: RandomResizedCropValue.self, of: kind.rawValue)
      self = .randomResizedCrop(
        minimumScale: try values.decodeIfPresent(Double.self, forKey: .minimumScale) ?? 0.08,
        flip: try values.decodeIfPresent(Bool.self, forKey: .flip) ?? true)
    }
    try decoder.check(validate)
  }

  /// Writes `none`, or the kind with all its values.
  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .none:
      var container = encoder.singleValueContainer()
      try container.encode(Self.noneText)
    case .padCropFlip(let padding, let flip):
      var container = encoder.container(keyedBy: Kind.self)
      var values = container.nestedContainer(keyedBy: PadCropFlipValue.self, forKey: .padCropFlip)
      try values.encode(padding, forKey: .padding)
      try values.encode(flip, forKey: .flip)
    case .randomResizedCrop(let minimumScale, let flip):
      var container = encoder.container(keyedBy: Kind.self)
      var values = container.nestedContainer(keyedBy: RandomResizedCropValue.self, forKey: .randomResizedCrop)
      try values.encode(minimumScale, forKey: .minimumScale)
      try values.encode(flip, forKey: .flip)
    }
  }
}
