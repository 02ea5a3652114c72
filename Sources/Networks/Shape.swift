import Support

/// The size of one image or feature map, without the batch dimension: `[channels, height, width]`.
public struct Shape: Codable, Hashable, Sendable {
  /// Number of channels (features, for the output of a linear layer).
  public var channels: Int
  /// Rows in pixels.
  public var height: Int
  /// Columns in pixels.
  public var width: Int

  /// Creates a shape.
  public init(channels: Int, height: Int, width: Int) {
    self.channels = channels
    self.height = height
    self.width = width
  }

  /// How many numbers it holds.
  public var elements: Int { channels * height * width }

  /// `[channels, height, width]`, the order that PyTorch uses.
  public var dimensions: [Int] { [channels, height, width] }
}

extension Shape {
  private enum CodingKeys: String, CodingKey, CaseIterable { case channels, height, width }

  /// Reads a shape.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(withOnly: CodingKeys.self, of: "a shape")
    self.init(
      channels: try values.decode(Int.self, forKey: .channels), height: try values.decode(Int.self, forKey: .height),
      width: try values.decode(Int.self, forKey: .width))
  }
}

extension Shape: CustomStringConvertible {
  /// The shape as people write it, for example `64×56×56`.
  public var description: String { "\(channels)×\(height)×\(width)" }
}

/// A vertical and a horizontal length: of a kernel, a stride, a padding or a dilation.
public struct Extent: Hashable, Sendable {
  /// Along the rows of the image.
  public var height: Int
  /// Along the columns of the image.
  public var width: Int

  /// Creates an extent with two lengths.
  public init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }

  /// Creates an extent that is the same in both directions.
  public init(_ side: Int) { self.init(height: side, width: side) }
}

extension Extent: ExpressibleByIntegerLiteral {
  /// Creates an extent that is the same in both directions.
  public init(integerLiteral value: Int) { self.init(value) }
}

extension Extent: Codable {
  /// Reads `[height, width]` or one number for both.
  public init(from decoder: any Decoder) throws {
    if let side = try? decoder.singleValueContainer().decode(Int.self) {
      self.init(side)
      return
    }
    let pair = try decoder.singleValueContainer().decode([Int].self)
    guard pair.count == 2 else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath, debugDescription: "expected [height, width], found \(pair.count) numbers"))
    }
    self.init(height: pair[0], width: pair[1])
  }

  /// Writes one number when both directions agree, `[height, width]` otherwise.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if height == width {
      try container.encode(height)
    } else {
      try container.encode([height, width])
    }
  }
}
