import Foundation
import Support
import Yams

/// Reads and writes YAML files with errors that name the file and the place in it.
public enum YAMLFile {
  /// Bytes beyond which a file is refused: settings are small, and a huge file is a mistake or an attack.
  public static let largest = 1 << 20

  /// The YAML text of `value`, keys sorted, so that equal values give equal text.
  public static func text(_ value: some Encodable) throws -> String {
    let encoder = YAMLEncoder()
    encoder.options.sortKeys = true
    return try encoder.encode(value)
  }

  /// Writes `value` atomically.
  public static func write(_ value: some Encodable, to path: String) throws {
    try AtomicFile.write(try text(value), to: path)
  }

  /// Reads a value.
  ///
  /// Anchors and aliases are refused: a few lines of them can stand for gigabytes.
  ///
  /// - Throws: ``Support/FileFailure``: `missing` when there is no such file, `badData` with the place and `expecting` otherwise.
  public static func read<Value: Decodable>(
    _ type: Value.Type, path: String, expecting: String
  ) throws -> Value {
    try decode(type, text: try content(of: path), name: path, expecting: expecting)
  }

  /// Reads a value out of text.
  ///
  /// - Parameter path: Where the text comes from, for messages.
  /// - Throws: ``Support/FileFailure`` of kind `badData` with the place and `expecting`.
  public static func decode<Value: Decodable>(
    _ type: Value.Type, text: String, name path: String, expecting: String
  ) throws -> Value {
    do {
      // Before anything is made of it: aliases in keys are followed while it is read.
      if let line = lineOfAnchor(in: text) {
        throw FileFailure(
          .badData, path: path,
          reason:
            "line \(line): anchors (&name) and aliases (*name) are not supported, nor words in comments that look like both; write it out"
        )
      }
      let parser = try Parser(yaml: text)
      guard let root = try parser.singleRoot() else {
        throw FileFailure(.badData, path: path, reason: "it holds no value; \(expecting)")
      }
      // Nodes hold their anchors weakly; the parser owns them.
      if let line = withExtendedLifetime(parser, { firstAnchor(in: root) }) {
        throw FileFailure(.badData, path: path, reason: "line \(line): anchors (&name) are not supported; write it out")
      }
      return try YAMLDecoder().decode(type, from: root)
    } catch let error as DecodingError {
      throw FileFailure(.badData, path: path, reason: "\(error.yamlPlace); \(expecting)")
    } catch let error as YamlError {
      throw FileFailure(.badData, path: path, reason: "\(error.place); \(expecting)")
    }
  }

  private static func content(of path: String) throws -> String {
    let data = try DocumentBytes.read(path, largest: largest)
    guard let text = String(validating: data, as: UTF8.self) else {
      throw FileFailure(.badData, path: path, reason: "it is not UTF-8 text")
    }
    return text
  }

  /// The line of what may be an anchor, in a text that may have aliases; nil when it cannot have both.
  ///
  /// It knows nothing of quotes and comments, where the two together are rare: what it took for them could hide an alias.
  package static func lineOfAnchor(in text: String) -> Int? {
    var (line, anchor, hasAlias) = (1, Int?.none, false)
    var (before, last) = (UInt8(ascii: "\n"), UInt8(ascii: "\n"))
    func isSpace(_ byte: UInt8) -> Bool { byte <= 0x20 }
    // Behind other characters both are part of a word. The last ones end what libyaml takes for a line or a space as well: U+0085, U+2028, U+2029,
    // and the mark at the beginning of a file.
    func mayPrecede(_ byte: UInt8) -> Bool {
      isSpace(byte) || "[{]},:?!-\"'".utf8.contains(byte) || [0x85, 0xA8, 0xA9, 0xBF].contains(byte)
    }
    for byte in text.utf8 {
      if !isSpace(byte), mayPrecede(before) {
        if last == UInt8(ascii: "&"), anchor == nil { anchor = line }
        if last == UInt8(ascii: "*") { hasAlias = true }
      }
      if byte == UInt8(ascii: "\n") { line += 1 }
      (before, last) = (last, byte)
    }
    return hasAlias ? anchor : nil
  }

  // Stops at the first anchor, so it never follows an alias.
  private static func firstAnchor(in node: Node) -> Int? {
    if node.anchor != nil { return node.mark?.line ?? 1 }
    switch node {
    case .mapping(let mapping):
      for (key, value) in mapping {
        if let line = firstAnchor(in: key) ?? firstAnchor(in: value) { return line }
      }
    case .sequence(let sequence):
      for element in sequence {
        if let line = firstAnchor(in: element) { return line }
      }
    default: break
    }
    return nil
  }
}

extension YamlError {
  /// Where in the text the error is and what it is, in one line.
  var place: String {
    switch self {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      "line \(mark.line), column \(mark.column): \(problem)"
    case .duplicatedKeysInMapping(let duplicates, let context):
      "line \(context.mark.line): the key '\(duplicates.first ?? "")' occurs twice"
    case .reader(let problem, _, _, _): problem
    default: description
    }
  }
}
