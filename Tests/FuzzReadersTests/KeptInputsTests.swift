import Foundation
import Support
import Testing

@testable import ImageFiles
@testable import fuzz_readers

/// The inputs that `scripts/fuzz --guided` found worth keeping: between them they reach every branch of the readers that was ever reached.
struct KeptInputsTests {
  // Unpacked once for all kinds.
  private static let members = Result { () throws -> [(name: String, content: [UInt8])] in
    let archive = try #require(
      Bundle.module.path(forResource: "corpus", ofType: "tar.xz", inDirectory: "Fixtures"))
    let reader = try ArchiveReader(path: archive)
    var members: [(name: String, content: [UInt8])] = []
    while let member = try reader.next() {
      var content: [UInt8] = []
      try reader.read(member) { content += $0 }
      members.append((member.name, content))
    }
    return members
  }

  @Test("Every input that was kept is read or refused", arguments: Reader.Kind.allCases)
  func kept(_ kind: Reader.Kind) throws {
    let folder = NSTemporaryDirectory() + "width-transfer-tests-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var inputs: [[UInt8]] = []
    for member in try Self.members.get() {
      if member.name.hasPrefix("sound/\(kind.rawValue)/") {
        let path = "\(folder)/\(member.name)"
        try AtomicFile.createFolder(Path.folder(of: path))
        try Data(member.content).write(to: URL(fileURLWithPath: path))
      } else if member.name.hasPrefix("inputs/\(kind.rawValue)/") {
        inputs.append(member.content)
      }
    }
    let readers = try Reader.all(corpus: "\(folder)/sound")
    let one = try #require(readers.first { $0.kind == kind })
    let place = try Place(folder: "\(folder)/scratch", kept: "\(folder)/kept")
    var outcomes: [Outcome: Int] = [:]
    for input in inputs + one.sound {
      var random = SeededGenerator(seed: Int(Repair.sum(input[...])), .mutation, at: 0)
      outcomes[try one.read(input, in: place, &random), default: 0] += 1
    }
    // Sound files are read, and what was damaged is not all read.
    #expect(outcomes[.read, default: 0] >= one.sound.count)
    #expect(outcomes[.refused, default: 0] > 0)
  }
}
