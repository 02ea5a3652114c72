import Foundation

/// What a job is, as far as its outcome depends on it: jobs of equal identity have equal outcomes.
///
/// The written form leaves out what is usual, so that a setting which is added later, with the former behaviour as its default,
/// does not orphan the folders that were written before.
public protocol JobIdentity: Encodable, Sendable {
  /// The kind of job, as the manifest names it: `train`, `search`.
  static var kind: String { get }
  /// An identity whose every value counts as usual; of what has no usual value, anything.
  static var usual: Self { get }
  /// The names at the top level that are always written, because nothing is usual there.
  static var essential: Set<String> { get }
}

extension JobIdentity {
  /// The written form: JSON with sorted names, without what is usual.
  ///
  /// - Throws: What encoding throws, for example for a number that is not finite.
  public var text: String {
    get throws {
      let mine = try IdentityValue(encoding: self)
      let usual = try IdentityValue(encoding: Self.usual)
      guard case .object(var names) = mine, case .object(let usualNames) = usual else { return try mine.text() }
      for (name, value) in names where !Self.essential.contains(name) {
        names[name] = usualNames[name].map { value.without($0) } ?? value
      }
      names["job"] = .string(Self.kind)
      return try IdentityValue.object(names).text()
    }
  }

  /// A short form of ``text`` for the manifest. What a job keeps in its own folder is the whole text, which decides.
  public var digest: String {
    get throws {
      // FNV-1a: names parts inside one folder, where nobody forges them.
      let hash = try text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
      return String(format: "%016llx", hash)
    }
  }
}

/// A tree of values, for comparing what is encoded.
package enum IdentityValue: Codable, Hashable {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case list([IdentityValue])
  case object([String: IdentityValue])

  package init(encoding value: some Encodable) throws {
    self = try JSONDecoder().decode(IdentityValue.self, from: JSONEncoder().encode(value))
  }

  package init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let bool = try? value.decode(Bool.self) {
      self = .bool(bool)
    } else if let integer = try? value.decode(Int.self) {
      self = .integer(integer)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let string = try? value.decode(String.self) {
      self = .string(string)
    } else if let list = try? value.decode([IdentityValue].self) {
      self = .list(list)
    } else {
      self = .object(try value.decode([String: IdentityValue].self))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .list(let values): try container.encode(values)
    case .object(let values): try container.encode(values)
    }
  }

  /// The value without the parts that are as usual; a part that differs stays whole unless it has names itself.
  package func without(_ usual: IdentityValue) -> IdentityValue? {
    if self == usual { return nil }
    guard case .object(let mine) = self, case .object(let other) = usual else { return self }
    var rest: [String: IdentityValue] = [:]
    for (name, value) in mine {
      guard let expected = other[name] else {
        rest[name] = value
        continue
      }
      rest[name] = value.without(expected)
    }
    // What is usually there and is missing here says something, too.
    for name in other.keys where mine[name] == nil { rest[name] = .null }
    return .object(rest)
  }

  package func text() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}
