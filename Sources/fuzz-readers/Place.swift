import Foundation
import Support

/// Where one thread puts its inputs.
final class Place {
  let folder: String
  private let kept: String

  init(folder: String, kept: String) throws {
    self.folder = folder
    self.kept = kept
    try? FileManager.default.removeItem(atPath: folder)
    try AtomicFile.createFolder(folder)
  }

  /// Writes a file for a reader; returns its path.
  func write(_ bytes: [UInt8], _ name: String) throws -> String {
    let path = folder + "/" + name
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  /// Removes what was written.
  func clear() {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] { unlink("\(folder)/\(name)") }
  }

  /// Keeps an input, with its kind and the state of its draws, until the next: what is there after a crash is what crashed.
  func keep(_ input: [UInt8], _ kind: Reader.Kind, _ random: SeededGenerator) throws {
    let head = "\(kind.rawValue)\n\(random.state)\n"
    guard FileManager.default.createFile(atPath: kept, contents: Data(head.utf8) + Data(input)) else {
      throw FileFailure(.io, path: kept, reason: "the input cannot be kept")
    }
  }

  /// Reads a kept input.
  static func kept(_ path: String) throws -> (kind: Reader.Kind, random: SeededGenerator, input: [UInt8]) {
    let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    let lines = bytes.split(separator: 0x0A, maxSplits: 2, omittingEmptySubsequences: false)
    guard lines.count == 3, let kind = Reader.Kind(rawValue: String(decoding: lines[0], as: UTF8.self)),
      let state = UInt64(String(decoding: lines[1], as: UTF8.self)), !lines[2].isEmpty
    else { throw FileFailure(.badData, path: path, reason: "is no input that this program kept") }
    return (kind, SeededGenerator(seed: state), Array(lines[2]))
  }
}
