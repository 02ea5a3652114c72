import Foundation
import Testing

/// A folder of its own for a test, with a small data set in it, and the built executable to run there.
final class Workplace: Sendable {
  let path: String

  /// The smallest network that all of this works on, and how to train it.
  static let tiny = ["--network", "resnet20", "--width", "0.25", "--divisor", "2", "--batch-size", "16"]
  static let data = ["--dataset", "data", "--threads", "1"]
  static let training = ["train"] + tiny + data + ["--epochs", "1"]

  init() throws {
    path = NSTemporaryDirectory() + "width-transfer-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path + "/data", withIntermediateDirectories: true)
    try writeData(to: "data")
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }

  func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: file(name))) }

  /// Another one after a file was written anew, with the same bytes too.
  func fileNumber(_ name: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: file(name))[.systemFileNumber] as? Int
  }

  func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

  func write(_ text: String, to name: String) throws { try write(Data(text.utf8), to: name) }

  func write(_ data: Data, to name: String) throws { try data.write(to: URL(fileURLWithPath: file(name))) }

  func json(_ name: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: bytes(name)) as? [String: Any])
  }

  /// Every file below a folder with its content; the lock has none.
  func contents(of folder: String) throws -> [String: Data] {
    let names = try FileManager.default.subpathsOfDirectory(atPath: file(folder))
    var isFolder: ObjCBool = false
    let files = names.filter {
      FileManager.default.fileExists(atPath: file("\(folder)/\($0)"), isDirectory: &isFolder) && !isFolder.boolValue
    }
    return Dictionary(
      try files.map { ($0, try bytes("\(folder)/\($0)")) }, uniquingKeysWith: { first, _ in first })
  }

  /// The names of the events in a run folder's log.
  func events(in folder: String) throws -> [String] {
    try text("\(folder)/events.jsonl").split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return try #require(object?["event"] as? String)
    }
  }

  /// Four IDX files: images whose class shows as a bright band in noise.
  private func writeData(to folder: String) throws {
    let (side, classes) = (8, 4)
    func bigEndian(_ values: [Int]) -> Data {
      Data(values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } })
    }
    var state: UInt32 = 1
    for (split, count) in [("train", 64), ("t10k", 32)] {
      var pixels = Data()
      for index in 0..<count {
        for pixel in 0..<side * side {
          state = state &* 1_664_525 &+ 1_013_904_223
          let isBright = pixel / side * classes / side == index % classes
          pixels.append((isBright ? 130 : 20) + UInt8(state >> 24) % 100)
        }
      }
      try write(bigEndian([0x803, count, side, side]) + pixels, to: "\(folder)/\(split)-images-idx3-ubyte")
      try write(
        bigEndian([0x801, count]) + Data((0..<count).map { UInt8($0 % classes) }),
        to: "\(folder)/\(split)-labels-idx1-ubyte")
    }
  }
}
