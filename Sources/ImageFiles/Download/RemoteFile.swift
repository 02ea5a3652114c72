import Foundation

/// A published file: where it is had, and how it is known to be the right one.
struct RemoteFile: Sendable, Hashable {
  /// Its name, here and at the end of its addresses.
  var name: String
  /// Where its authors and others publish it: the same bytes at every address.
  var homes: [String]
  /// Its size.
  var bytes: Int
  /// Its SHA-256 in lower-case hexadecimal digits.
  var sha256: String
  /// Where it is fetched instead: the address of a folder that holds a file of its name.
  var mirror: String?

  /// An address as messages show it: without a password, and without characters that a terminal would act on.
  static func shown(_ address: String) -> String {
    guard var parts = URLComponents(string: address), parts.user != nil || parts.password != nil else {
      return ArchiveReader.shown(address)
    }
    (parts.user, parts.password) = (nil, nil)
    return ArchiveReader.shown(parts.string ?? address)
  }

  /// The addresses to ask, in this order.
  var addresses: [String] { mirror.map { [$0 + ($0.hasSuffix("/") ? "" : "/") + name] } ?? homes }

  /// The file at a mirror.
  func mirrored(at mirror: String) -> RemoteFile {
    var mirrored = self
    mirrored.mirror = mirror
    return mirrored
  }
}
