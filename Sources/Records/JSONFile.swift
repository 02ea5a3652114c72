import Foundation
import Support
import Yams

/// Reads and writes JSON files with errors that name the file and the place in it.
public enum JSONFile {
  // No document here comes near it; a device that never ends does.
  private static let largest = 1 << 28

  /// An encoder with stable, readable output; numbers that JSON lacks (a diverged loss) become `"nan"`, `"inf"`, `"-inf"`.
  public static func encoder() -> JSONEncoder { .readable }

  /// Writes `value` atomically.
  public static func write(_ value: some Encodable, to path: String) throws {
    var data = try encoder().encode(value)
    data.append(0x0A)
    try AtomicFile.write(data, to: path)
  }

  /// Reads a value.
  ///
  /// - Throws: ``Support/FileFailure``: `missing` when there is no such file, `badData` with the place and `expecting` otherwise.
  public static func read<Value: Decodable>(
    _ type: Value.Type, path: String, expecting: String
  ) throws -> Value {
    let data = try DocumentBytes.read(path, largest: largest)
    do {
      return try JSONDecoder.own.decode(type, from: data)
    } catch let error as DecodingError {
      throw FileFailure(.badData, path: path, reason: "\(preciseReason(error, type, data)); \(expecting)")
    }
  }

  // Foundation says of much that is wrong no more than "not valid JSON". JSON is YAML too, and that parser names the place.
  private static func preciseReason<Value: Decodable>(
    _ error: DecodingError, _ type: Value.Type, _ data: Data
  ) -> String {
    guard case .dataCorrupted(let context) = error, context.codingPath.isEmpty, data.count <= YAMLFile.largest,
      let text = String(validating: data, as: UTF8.self), YAMLFile.lineOfAnchor(in: text) == nil
    else { return error.place }
    do {
      _ = try YAMLDecoder().decode(type, from: text)
      return error.place
    } catch let error as DecodingError {
      return error.yamlPlace
    } catch let error as YamlError {
      return error.place
    } catch { return "\(error)" }
  }
}

extension DecodingError {
  // Of broken YAML its parser knows more.
  var yamlPlace: String {
    if case .dataCorrupted(let context) = self, let error = context.underlyingError as? YamlError { return error.place }
    return place
  }
}
