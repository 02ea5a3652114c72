/// Paths as text.
public enum Path {
  /// The folder that a path's last part lies in: `a/b` for `a/b/c`, `/` for `/c`, `.` for `c`.
  ///
  /// Foundation's `deletingLastPathComponent` of a string ends the process on Linux when the path is one character long.
  public static func folder(of path: String) -> String {
    var rest = path[...]
    while rest.count > 1, rest.last == "/" { rest.removeLast() }
    guard let slash = rest.lastIndex(of: "/") else { return "." }
    while rest.endIndex > rest.index(after: slash) { rest.removeLast() }
    while rest.count > 1, rest.last == "/" { rest.removeLast() }
    return String(rest)
  }
}
