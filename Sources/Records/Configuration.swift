import Foundation
import Support
import Yams

/// What was asked of a command: flags, without dashes, and their values. `run.yaml` holds one, `--config` reads one.
public struct Configuration: Sendable, Equatable {
  /// A value as it is written: words that a flag would take, several of them, or names with values of their own.
  public indirect enum Value: Sendable, Equatable {
    /// A number, a name, `true` or `false`.
    case text(String)
    /// The values of a flag that is given several times.
    case list([String])
    /// Named values, such as those of a recipe.
    case mapping([String: Value])
  }

  /// The values by flag.
  public var values: [String: Value]

  /// Creates a configuration; flags without a value are left out.
  public init(_ values: [String: Value?]) { self.values = values.compactMapValues { $0 } }

  private static let expecting = "a configuration maps flags, without dashes, to their values, as in `epochs: 10`"

  /// Reads a file.
  ///
  /// - Throws: ``Support/FileFailure``: `missing` when there is no such file, `badData` with the place otherwise.
  public init(path: String) throws {
    values = try YAMLFile.read([String: Value].self, path: path, expecting: Self.expecting)
  }

  /// Reads YAML text.
  ///
  /// - Parameter name: Where it comes from, for messages.
  /// - Throws: ``Support/FileFailure`` of kind `badData` with the place.
  public init(text: String, name: String) throws {
    values = try YAMLFile.decode([String: Value].self, text: text, name: name, expecting: Self.expecting)
  }

  /// Writes the file atomically.
  public func write(to path: String) throws { try AtomicFile.write(try text(), to: path) }

  /// The YAML text, keys sorted.
  public func text() throws -> String {
    try Yams.serialize(node: Value.mapping(values).node(style: .block), width: -1, allowUnicode: true)
  }

  /// Names the first value that differs, by its path: `recipe.epochs is 3, asked for is 5`; nil when all are equal.
  ///
  /// - Parameters:
  ///   - ignored: Flags that do not matter.
  ///   - paths: Flags of which only the last part of the path matters, as a folder may have been moved.
  public func difference(from asked: Configuration, ignoring ignored: Set<String>, paths: Set<String>) -> String? {
    let (mine, theirs) = (
      settings(ignoring: ignored, paths: paths), asked.settings(ignoring: ignored, paths: paths)
    )
    let keys = Set(mine.keys).union(theirs.keys).filter { mine[$0] != theirs[$0] }
    // Another command explains all the rest.
    guard let key = keys.contains("command") ? "command" : keys.sorted().first else { return nil }
    func short(_ value: String?) -> String {
      value.map { $0.count > 60 ? "…" + $0.suffix(57) : $0 } ?? "not given"
    }
    return "its \(key) is \(short(mine[key])), asked for is \(short(theirs[key]))"
  }

  /// Every setting by its name, `recipe.epochs` for one inside of another; of files those that are named by paths by their last component.
  public func settings(ignoring ignored: Set<String>, paths: Set<String>) -> [String: String] {
    var leaves: [String: String] = [:]
    func visit(_ value: Value, _ key: String) {
      switch value {
      case .text(let text): leaves[key] = paths.contains(key) ? (text as NSString).lastPathComponent : text
      case .list(let texts):
        leaves[key] = texts.map { paths.contains(key) ? ($0 as NSString).lastPathComponent : $0 }.joined(
          separator: ", ")
      case .mapping(let values): for (name, value) in values { visit(value, "\(key).\(name)") }
      }
    }
    for (key, value) in values where !ignored.contains(key) { visit(value, key) }
    return leaves
  }
}

extension Configuration.Value: Decodable {
  /// Reads a scalar as its text, a sequence of scalars, or a mapping.
  public init(from decoder: any Decoder) throws {
    if let container = try? decoder.container(keyedBy: AnyKey.self) {
      self = .mapping(
        Dictionary(
          try container.allKeys.map { ($0.stringValue, try container.decode(Self.self, forKey: $0)) },
          uniquingKeysWith: { first, _ in first }))
    } else if var container = try? decoder.unkeyedContainer() {
      var texts: [String] = []
      while !container.isAtEnd { texts.append(try container.decode(String.self)) }
      self = .list(texts)
    } else {
      let container = try decoder.singleValueContainer()
      self = .text(container.decodeNil() ? "" : try container.decode(String.self))
    }
  }
}

extension Configuration.Value: Encodable {
  /// Writes numbers, `true` and `false` as what they are, and other texts as texts.
  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .mapping(let values):
      var container = encoder.container(keyedBy: AnyKey.self)
      for (name, value) in values { try container.encode(value, forKey: AnyKey(stringValue: name)) }
    case .list(let texts):
      var container = encoder.unkeyedContainer()
      for text in texts { try container.encode(Self.text(text)) }
    case .text(let text):
      var container = encoder.singleValueContainer()
      if let number = Int(text) {
        try container.encode(number)
      } else if let number = Double(text), number.isFinite {
        try container.encode(number)
      } else if let flag = Bool(text) {
        try container.encode(flag)
      } else {
        try container.encode(text)
      }
    }
  }
}

extension Configuration.Value {
  /// The values of anything that can be encoded, for example a recipe.
  public init(encoding value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    // JSON is YAML, and unlike YAML's own encoder it writes 0.1 as 0.1.
    let json = String(decoding: try encoder.encode(value), as: UTF8.self)
    self = try YAMLDecoder().decode(Self.self, from: json)
  }

  /// The value on one line, as a flag takes it: `{epochs: 3, name: small}`.
  public func line() throws -> String {
    try Yams.serialize(node: node(style: .flow), width: -1, allowUnicode: true)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  fileprivate func node(style: Node.Mapping.Style) -> Node {
    switch self {
    // Without quotes wherever YAML allows that: a number stays one.
    case .text(let text): .scalar(.init(text, Tag(.implicit), text.isEmpty ? .doubleQuoted : .any))
    case .list(let texts): .sequence(.init(texts.map { .scalar(.init($0)) }, Tag(.implicit), .flow))
    case .mapping(let values):
      .mapping(
        .init(
          values.sorted { $0.key < $1.key }.map { (.scalar(.init($0.key)), $0.value.node(style: style)) },
          Tag(.implicit), style))
    }
  }
}
