import Foundation
import Support
import Testing

@Suite("Files that are read in parts")
struct RandomAccessFileTests {
  private func withFile(_ body: (RandomAccessFile, String) throws -> Void) throws {
    let path = NSTemporaryDirectory() + "random-access-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data((0..<200).map { UInt8($0) }).write(to: URL(fileURLWithPath: path))
    try body(try RandomAccessFile(path: path), path)
  }

  private func expectChanged(_ body: () throws -> Void) {
    do {
      try body()
      Issue.record("nothing was thrown")
    } catch let failure as FileFailure {
      #expect(failure.exitCode == .ioError && failure.message.contains("changed while it was in use"))
    } catch {
      Issue.record("\(error)")
    }
  }

  @Test("give their bytes, and refuse what lies beyond them")
  func parts() throws {
    try withFile { file, _ in
      #expect(file.count == 200)
      let (inner, none) = (try file.bytes(10..<13), try file.bytes(200..<200))
      #expect(inner == [10, 11, 12] && none == [])
      #expect(throws: FileFailure.self) { _ = try file.bytes(199..<201) }
    }
  }

  @Test("are an error once they are cut, grown or written anew, and no end of the process")
  func changes() throws {
    let changes: [(FileHandle) throws -> Void] = [
      { try $0.truncate(atOffset: 100) }, { try $0.truncate(atOffset: 0) }, { try $0.truncate(atOffset: 4096) },
    ]
    for change in changes {
      try withFile { file, path in
        try change(try #require(FileHandle(forWritingAtPath: path)))
        expectChanged { _ = try file.bytes(0..<200) }
      }
    }
    try withFile { file, path in
      // Of the same length, at another time.
      let handle = try #require(FileHandle(forWritingAtPath: path))
      try handle.write(contentsOf: Data(repeating: 7, count: 200))
      try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: path)
      expectChanged { _ = try file.bytes(0..<1) }
    }
  }

  @Test("stay what they were when another file takes their name")
  func replaced() throws {
    try withFile { file, path in
      try AtomicFile.write(Data([1]), to: path)
      let last = try file.bytes(198..<200)
      #expect(last == [198, 199])
    }
  }

  @Test("are files, and there")
  func refusals() {
    #expect(throws: FileFailure.self) { _ = try RandomAccessFile(path: "/nowhere/at/all") }
    #expect(throws: FileFailure.self) { _ = try RandomAccessFile(path: NSTemporaryDirectory()) }
  }
}
