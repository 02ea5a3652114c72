import Foundation
import Support

/// Words of the command line as the system gave them.
enum ArgumentEncoding {
  /// The bytes of the words, without the program's name.
  static var words: [[UInt8]] {
    (1..<max(1, Int(CommandLine.argc))).compactMap { index in
      CommandLine.unsafeArgv[index].map {
        Array(UnsafeBufferPointer(start: $0, count: strlen($0))).map(UInt8.init(bitPattern:))
      }
    }
  }

  /// Refuses a word that is not UTF-8: read as text it would name another file, which is not there or would be made.
  ///
  /// - Throws: ``Support/UsageFailure`` that shows the word as a shell would take it.
  static func requireUTF8(_ words: [[UInt8]]) throws {
    guard let word = words.first(where: { String(validating: $0, as: UTF8.self) == nil }) else { return }
    let shown = word.map { byte in
      (0x20..<0x7F).contains(byte) && byte != 0x27 && byte != 0x5C
        ? String(UnicodeScalar(byte)) : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
    throw UsageFailure("$'\(shown)' is not UTF-8; rename the file or folder to a name in UTF-8")
  }
}
