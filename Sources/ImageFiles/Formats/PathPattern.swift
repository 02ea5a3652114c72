import Foundation
import Support

#if canImport(Glibc)
  import Glibc
#endif

/// Files by a pattern, as WebDataset's users write them where no shell does it for them: `train/{00000..00146}.tar`, `train/*.tar`.
struct PathPattern {
  private let pattern: String
  /// Names that braces may stand for; more are a mistake.
  private static let most = 100_000

  /// nil for a path without `*`, `?`, `[` and `{`.
  init?(_ pattern: String) {
    guard pattern.contains(where: { "*?[{".contains($0) }) else { return nil }
    self.pattern = pattern
  }

  /// The files, in the order of the braces, and of their bytes where a `*` names several.
  ///
  /// - Throws: ``Support/FileFailure`` of kind `missing` for a file that braces name and that is not there.
  func matches() throws -> [String] {
    var files: [String] = []
    for name in try Self.expanded(pattern) {
      if name.contains(where: { "*?[".contains($0) }) {
        var found = glob_t()
        defer { globfree(&found) }
        // By bytes and not by locale.
        guard glob(name, GLOB_NOSORT, nil, &found) == 0, let paths = found.gl_pathv else { continue }
        let names = (0..<Int(found.gl_pathc)).compactMap { paths[$0].map { String(cString: $0) } }
        files += names.sorted { ByteOrder.precedes($0, $1) }
      } else {
        guard FileManager.default.fileExists(atPath: name) else {
          throw FileFailure(.missing, path: name, reason: "there is no such file, and the pattern \(pattern) names it")
        }
        files.append(name)
      }
    }
    return files
  }

  /// What the braces stand for: `{a,b}`, and `{08..11}`, with zeros in front as written.
  static func expanded(_ pattern: String) throws -> [String] {
    guard let open = pattern.firstIndex(of: "{"), let close = pattern[open...].firstIndex(of: "}") else {
      return [pattern]
    }
    let inner = pattern[pattern.index(after: open)..<close]
    let (before, after) = (pattern[..<open], String(pattern[pattern.index(after: close)...]))
    let words: [String]
    let ends = inner.components(separatedBy: "..")
    if ends.count == 2, let first = Int(ends[0]), let last = Int(ends[1]), first >= 0, first <= last,
      last - first < most
    {
      let digits = ends[0].hasPrefix("0") ? ends[0].count : 1
      words = (first...last).map { number in
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
      }
    } else {
      words = inner.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    let rest = try expanded(after)
    guard words.count * rest.count <= most else {
      throw FileFailure(.beyondLimit, path: pattern, reason: "names more than \(most) files")
    }
    return words.flatMap { word in rest.map { before + word + $0 } }
  }
}
