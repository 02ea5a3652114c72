import Foundation
import Support

/// Where one thread puts its inputs.
final class Place {
  private let folder: String
  private let kept: String
  // The folders of sound files that are there already.
  private var laid: Set<String> = []

  init(folder: String, kept: String) throws {
    self.folder = folder
    self.kept = kept
    try? FileManager.default.removeItem(atPath: folder)
    try AtomicFile.createFolder(folder)
  }

  /// Writes a file for a reader, which gets its path, and removes it.
  func withFile<R>(_ bytes: [UInt8], _ name: String, _ body: (_ path: String) throws -> R) throws -> R {
    let path = folder + "/" + name
    try Self.write(bytes, path)
    defer { unlink(path) }
    return try body(path)
  }

  /// Puts a damaged file among sound ones for a reader, which gets their folder, and then the sound file back.
  ///
  /// - Parameters:
  ///   - group: The folder's name; sound files of one group are written once.
  ///   - file: The name of the damaged file, one of `sound`.
  func withFolder<R>(
    _ group: String, of sound: [(name: String, bytes: [UInt8])], _ file: String, _ bytes: [UInt8],
    _ body: (_ folder: String) throws -> R
  ) throws -> R {
    let place = "\(folder)/\(group)"
    if laid.insert(group).inserted {
      for one in sound {
        let path = "\(place)/\(one.name)"
        try AtomicFile.createFolder(Path.folder(of: path))
        try Self.write(one.bytes, path)
      }
    }
    try Self.write(bytes, "\(place)/\(file)")
    defer {
      if let whole = sound.first(where: { $0.name == file }) { try? Self.write(whole.bytes, "\(place)/\(file)") }
    }
    return try body(place)
  }

  private static func write(_ bytes: [UInt8], _ path: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
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
