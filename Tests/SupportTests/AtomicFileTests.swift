import Foundation
import Testing

@testable import Support

@Suite struct AtomicFileTests {
  private let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "/atomic-file-\(UUID().uuidString)"
    try AtomicFile.createFolder(folder)
  }

  private func content(_ name: String) -> String? {
    FileManager.default.contents(atPath: folder + "/" + name).map { String(decoding: $0, as: UTF8.self) }
  }

  private func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder) }

  @Test func replacesTheFileAndLeavesNothingElse() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try AtomicFile.write("first", to: folder + "/a")
    try AtomicFile.write("second", to: folder + "/a")
    #expect(content("a") == "second")
    #expect(try names() == ["a"])
  }

  @Test func saysBeforehandWhatCannotBeWritten() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try AtomicFile.write("content", to: folder + "/a")
    try AtomicFile.requireWritable(folder + "/a")
    try AtomicFile.requireWritable(folder + "/new")
    #expect(try content("a") == "content" && names() == ["a"])
    for place in [folder, folder + "/none/a", folder + "/a/b"] {
      let failure = #expect(throws: FileFailure.self) { try AtomicFile.requireWritable(place) }
      #expect(failure?.kind == .cannotCreate && failure?.path == place)
    }
  }

  @Test func writesEmptyAndSeveralPieces() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try AtomicFile.write(Data(), to: folder + "/empty")
    try AtomicFile.write(to: folder + "/pieces") { writer in
      for piece in ["one ", "", "two"] { try writer.write(Data(piece.utf8)) }
    }
    #expect(content("empty") == "")
    #expect(content("pieces") == "one two")
  }

  @Test func aFailureHalfWayLeavesTheFormerContent() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/a"
    try AtomicFile.write("former", to: path)
    #expect(throws: UsageFailure("stop")) {
      try AtomicFile.write(to: path) { writer in
        try writer.write(Data("half of the new".utf8))
        throw UsageFailure("stop")
      }
    }
    #expect(content("a") == "former")
    #expect(try names() == ["a"])
  }

  @Test func aFullDiskIsAnInputOutputError() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    // /dev/full answers every write as a full disk does; where there is none (macOS), there is nothing to test.
    let descriptor = open("/dev/full", O_WRONLY)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var writer = AtomicFile.Writer(descriptor: descriptor, path: "model.safetensors")
    let error = #expect(throws: FileFailure.self) { try writer.write(Data("x".utf8)) }
    #expect(error?.kind == .io)
    #expect(error?.exitCode == .ioError)
    #expect(error?.message.contains("model.safetensors: writing failed (No space left on device)") == true)
  }

  @Test func aPlaceThatCannotBeWrittenCannotBeCreated() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try AtomicFile.write("x", to: folder + "/file")
    for path in [folder + "/missing/a", folder + "/file/a", folder, "/dev/null"] {
      let error = #expect(throws: FileFailure.self) { try AtomicFile.write("y", to: path) }
      #expect(error?.kind == .cannotCreate)
      #expect(error?.exitCode.rawValue == 73)
    }
    #expect(throws: FileFailure.self) { try AtomicFile.createFolder(folder + "/file/inside") }
  }

  @Test func aSymbolicLinkStaysALink() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try AtomicFile.write("old", to: folder + "/target")
    try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: "target")
    try AtomicFile.write("new", to: folder + "/link")
    #expect(content("target") == "new")
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder + "/link") == "target")
  }

  @Test func manyThreadsMayReplaceOneFile() async throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/shared"
    try await withThrowingTaskGroup(of: Void.self) { group in
      for value in 0..<16 {
        group.addTask { try AtomicFile.write(String(repeating: "\(value % 10)", count: 10_000), to: path) }
      }
      try await group.waitForAll()
    }
    let text = try #require(content("shared"))
    #expect(text.count == 10_000 && Set(text).count == 1)
    #expect(try names() == ["shared"])
  }
}

@Suite struct PathTests {
  @Test(arguments: [
    ("a/b/c", "a/b"), ("c", "."), ("cc", "."), ("/c", "/"), ("/", "/"), ("a/", "."), ("a//b", "a"), ("/a/b//", "/a"),
    ("./a", "."), ("", "."), ("é/x", "é"),
  ])
  func theFolderOfAPath(path: String, folder: String) {
    #expect(Path.folder(of: path) == folder)
  }
}
