import Foundation
import Support

/// Words of the command line as the system gave them.
package enum ArgumentEncoding {
  /// The bytes of the words, without the program's name.
  static var words: [[UInt8]] { Array(all.dropFirst()) }

  /// The words as text, the program's name first.
  package static var arguments: [String] { all.map { String(decoding: $0, as: UTF8.self) } }

  // Not `CommandLine`: with the Swift runtime linked in, it looks for the words beside the environment, which LibTorch's libraries move
  // as they are loaded; then it has none.
  private static var all: [[UInt8]] {
    guard let bytes = FileManager.default.contents(atPath: "/proc/self/cmdline"), !bytes.isEmpty else {
      return CommandLine.arguments.map { Array($0.utf8) }
    }
    return bytes.dropLast(bytes.last == 0 ? 1 : 0).split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
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
