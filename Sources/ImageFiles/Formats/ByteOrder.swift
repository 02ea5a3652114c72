#if canImport(Glibc)
  import Glibc
#endif

/// The order of names by their bytes, which depends neither on the locale nor on the version of Unicode.
enum ByteOrder {
  static func precedes(_ a: some StringProtocol, _ b: some StringProtocol) -> Bool {
    // The comparison of strings in a loop over a million names: worth a call without iterators.
    let compared = a.utf8.withContiguousStorageIfAvailable { a in
      b.utf8.withContiguousStorageIfAvailable { b in
        let order = a.isEmpty || b.isEmpty ? 0 : memcmp(a.baseAddress!, b.baseAddress!, min(a.count, b.count))
        return order == 0 ? a.count < b.count : order < 0
      }
    }
    return (compared ?? nil) ?? a.utf8.lexicographicallyPrecedes(b.utf8)
  }

  /// The order in which files are visited: folder by folder, in each file by file.
  static func visitsBefore(_ a: String, _ b: String) -> Bool {
    let (first, second) = (split(a), split(b))
    if first.folder != second.folder { return precedes(first.folder, second.folder) }
    return precedes(first.name, second.name)
  }

  private static func split(_ path: String) -> (folder: Substring, name: Substring) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return ("", path[...]) }
    return (path[..<slash], path[path.utf8.index(after: slash)...])
  }
}
