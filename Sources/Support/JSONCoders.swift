import Foundation

// Numbers that JSON lacks (a diverged loss) are `"nan"`, `"inf"` and `"-inf"` in all that this program writes for itself.

extension JSONEncoder {
  /// One line, keys in order: for logs, metadata and messages.
  package static var compact: JSONEncoder { formatted([.sortedKeys, .withoutEscapingSlashes]) }

  /// Several lines, keys in order: for files that people look at.
  package static var readable: JSONEncoder { formatted([.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]) }

  private static func formatted(_ formatting: OutputFormatting) -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = formatting
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return encoder
  }
}

extension JSONDecoder {
  /// Reads what ``Foundation/JSONEncoder/compact`` and ``Foundation/JSONEncoder/readable`` have written.
  package static var own: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return decoder
  }
}
