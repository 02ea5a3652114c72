import Foundation
import Support

#if canImport(Glibc)
  import Glibc
#endif

/// Unpacks a zip archive whose members all lie in one folder; that folder appears when it is complete, or not at all.
struct ArchiveUnpacking {
  /// The archive.
  let path: String
  /// Where the content goes.
  let folder: String
  /// The folder that the archive holds.
  let content: String
  var limits = ArchiveLimits(members: 1_000_000)

  private var temporary: String { folder + "/." + content + ".unpacking" }

  /// Unpacks.
  ///
  /// - Parameter progress: Called with the number of files, every few hundred; what it throws ends the work.
  /// - Throws: ``Support/FileFailure``: `badData` for what ``ArchiveReader`` refuses and for a member that lies elsewhere or
  ///   comes twice; `beyondLimit` for a bomb; `io` when the disk is full.
  func run(progress: (Int) throws -> Void) throws {
    // What a killed run left.
    try? FileManager.default.removeItem(atPath: temporary)
    guard access(temporary, F_OK) != 0 else {
      throw FileFailure(
        .cannotCreate, path: temporary, reason: "is left from an earlier run and cannot be removed; remove it")
    }
    do {
      try AtomicFile.createFolder(temporary)
      try extract(progress)
      let place = temporary + "/" + content
      guard access(place, F_OK) == 0 else {
        throw FileFailure(.badData, path: path, reason: "holds no folder \(content)")
      }
      // One call for all files, where one for each of a hundred thousand would take minutes.
      sync()
      let target = folder + "/" + content
      guard rename(place, target) == 0 else {
        throw FileFailure(.cannotCreate, path: target, reason: "cannot be created (\(errorText(errno)))")
      }
      AtomicFile.synchronize(folder: folder)
      rmdir(temporary)
    } catch {
      try? FileManager.default.removeItem(atPath: temporary)
      throw error
    }
  }

  private func extract(_ progress: (Int) throws -> Void) throws {
    let reader = try ArchiveReader(path: path, format: .zip, limits: limits)
    var count = 0
    var known: Set<String> = []
    while let member = try reader.next() {
      guard member.name.hasPrefix(content + "/") else {
        throw FileFailure(
          .badData, path: path, reason: "the member \(ArchiveReader.shown(member.name)) does not lie in \(content)/")
      }
      let place = temporary + "/" + member.name
      let parent = Path.folder(of: place)
      if known.insert(parent).inserted { try AtomicFile.createFolder(parent) }
      let file = try UnpackedFile(path: place, archive: path)
      try reader.read(member) { try file.append($0) }
      try file.finish()
      count += 1
      if count % 256 == 0 { try progress(count) }
    }
    try progress(count)
  }
}

/// A file that is being unpacked.
private final class UnpackedFile {
  private let descriptor: Int32
  private let path: String
  private var isFinished = false

  init(path: String, archive: String) throws {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else {
      let code = errno
      guard code != EEXIST else {
        throw FileFailure(
          .badData, path: archive, reason: "holds the member \(ArchiveReader.shown(path)) twice")
      }
      throw FileFailure(.init(creating: code), path: path, reason: "cannot be created (\(errorText(code)))")
    }
  }

  deinit { if !isFinished { close(descriptor) } }

  /// Some file systems tell only now that writing failed.
  func finish() throws {
    isFinished = true
    guard close(descriptor) == 0 else { throw failure(errno) }
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws {
    let code = writeAll(bytes, to: descriptor)
    guard code == 0 else { throw failure(code) }
  }

  private func failure(_ code: Int32) -> FileFailure {
    FileFailure(
      .io, path: path,
      reason: "writing failed (\(errorText(code))); the archive is kept. "
        + "Free some space, then run the same command again")
  }
}
