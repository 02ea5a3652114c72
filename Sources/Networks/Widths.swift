/// Channel counts by width group.
public struct Widths: Hashable, Sendable {
  /// The counts.
  public var values: [WidthGroup.ID: Int]

  /// Creates widths from counts by group.
  public init(_ values: [WidthGroup.ID: Int] = [:]) { self.values = values }

  /// The count of one group; nil when it is left as it is.
  public subscript(id: WidthGroup.ID) -> Int? {
    get { values[id] }
    set { values[id] = newValue }
  }

  /// Whether no group is listed.
  public var isEmpty: Bool { values.isEmpty }

  /// How many groups are listed.
  public var count: Int { values.count }
}

extension Widths: ExpressibleByDictionaryLiteral {
  /// Creates widths from a literal.
  public init(dictionaryLiteral elements: (WidthGroup.ID, Int)...) {
    self.init(Dictionary(elements, uniquingKeysWith: { _, last in last }))
  }
}

extension Widths: Codable {
  /// Reads a plain dictionary.
  public init(from decoder: any Decoder) throws {
    self.init(try decoder.singleValueContainer().decode([String: Int].self))
  }

  /// Writes a plain dictionary.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(values)
  }
}
