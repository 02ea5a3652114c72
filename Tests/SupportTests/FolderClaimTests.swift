import Foundation
import Testing

@testable import Support

/// A folder that is removed with its last reference.
private final class TemporaryFolder {
  let path: String
  init() throws {
    path = NSTemporaryDirectory() + "claim-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }
  func file(_ name: String) -> String { path + "/" + name }
}

@Suite struct FolderClaimTests {
  private static let file = ".claim"

  private func write(_ holder: FolderClaim.Holder, in folder: TemporaryFolder, age: TimeInterval = 0) throws {
    let path = folder.file(Self.file)
    try JSONEncoder().encode(holder).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: path)
  }

  private static var elsewhere: FolderClaim.Holder {
    var holder = FolderClaim.Holder.own
    (holder.host, holder.machine) = ("other", "another boot")
    return holder
  }

  private func names(_ folder: TemporaryFolder) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path)
  }

  @Test("One claim at a time, and nothing is left of it")
  func exclusion() throws {
    let folder = try TemporaryFolder()
    let claim = try #require(try FolderClaim.take(folder.path, file: Self.file))
    #expect(FolderClaim.holder(of: folder.path, file: Self.file)?.process == getpid())
    #expect(try FolderClaim.take(folder.path, file: Self.file) == nil)
    #expect(try names(folder) == [Self.file])
    claim.release()
    claim.release()
    #expect(try names(folder).isEmpty && FolderClaim.holder(of: folder.path, file: Self.file) == nil)
    let next = try FolderClaim.take(folder.path, file: Self.file)
    #expect(next != nil)
    next?.release()
    #expect(throws: FileFailure.self) { try FolderClaim.take(folder.file("nowhere"), file: Self.file) }
  }

  @Test("A dead machine's claim expires with its heartbeat, a living one's does not")
  func heartbeat() throws {
    let folder = try TemporaryFolder()
    try write(Self.elsewhere, in: folder, age: FolderClaim.expiry - 30)
    #expect(try FolderClaim.take(folder.path, file: Self.file) == nil)
    #expect(FolderClaim.holder(of: folder.path, file: Self.file)?.host == "other")
    try write(Self.elsewhere, in: folder, age: FolderClaim.expiry + 30)
    #expect(FolderClaim.holder(of: folder.path, file: Self.file) == nil)
    let claim = try #require(try FolderClaim.take(folder.path, file: Self.file))
    #expect(FolderClaim.holder(of: folder.path, file: Self.file)?.process == getpid())
    #expect(try names(folder) == [Self.file])
    claim.release()
  }

  @Test("A process of this machine that has ended holds nothing, however young its claim is")
  func deadProcess() throws {
    let folder = try TemporaryFolder()
    var former = FolderClaim.Holder.own
    former.began = "1"
    try write(former, in: folder)
    #expect(FolderClaim.holder(of: folder.path, file: Self.file) == nil)
    let claim = try #require(try FolderClaim.take(folder.path, file: Self.file))
    claim.release()
    // A file that says nothing is somebody's until its heart has stopped.
    try Data().write(to: URL(fileURLWithPath: folder.file(Self.file)))
    #expect(try FolderClaim.take(folder.path, file: Self.file) == nil)
    #expect(throws: Interrupted.self) {
      try FolderClaim.wait(folder.path, file: Self.file, Cancellation { true })
    }
  }

  @Test("Of many that see a dead claim, one takes it over")
  func race() async throws {
    let folder = try TemporaryFolder()
    for _ in 0..<20 {
      try write(Self.elsewhere, in: folder, age: 2 * FolderClaim.expiry)
      let path = folder.path
      let claims = await withTaskGroup(of: FolderClaim?.self) { group in
        for _ in 0..<8 { group.addTask { try? FolderClaim.take(path, file: Self.file) } }
        return await group.reduce(into: [FolderClaim?]()) { $0.append($1) }
      }
      #expect(claims.count { $0 != nil } == 1)
      claims.forEach { $0?.release() }
      #expect(try names(folder).isEmpty)
    }
  }

  @Test("A heart that beats keeps a claim young, and notices when it is another's")
  func beats() throws {
    let folder = try TemporaryFolder()
    let claim = try #require(try FolderClaim.take(folder.path, file: Self.file))
    let path = folder.file(Self.file)
    let old = Date(timeIntervalSinceNow: -2 * FolderClaim.expiry)
    try FileManager.default.setAttributes([.modificationDate: old], ofItemAtPath: path)
    #expect(claim.beat())
    #expect(try FolderClaim.take(folder.path, file: Self.file) == nil)
    try FileManager.default.removeItem(atPath: path)
    #expect(claim.beat() && FileManager.default.fileExists(atPath: path))
    try write(Self.elsewhere, in: folder)
    #expect(!claim.beat())
    claim.release()
    #expect(FileManager.default.fileExists(atPath: path), "another's claim stays")
  }
}
