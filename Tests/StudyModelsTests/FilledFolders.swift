import Foundation

/// Folders of text files for the tests of a suite, one object for each test; they are removed with it.
final class FilledFolders {
  private let root = NSTemporaryDirectory() + "width-transfer-tests-" + UUID().uuidString
  private var count = 0

  /// Makes a folder and says where it is.
  func make(_ files: [String: String] = [:]) throws -> String {
    count += 1
    let path = "\(root)/\(count)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for (name, text) in files { try text.write(toFile: path + "/" + name, atomically: true, encoding: .utf8) }
    return path
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }
}
