import Foundation
import Support

#if canImport(Glibc)
  import Glibc
#endif

/// The members of a tar archive, each one lookup away.
///
/// A plain archive is read in place. A compressed one is expanded once into a temporary file without
/// a name, which the system removes with the process.
final class ArchiveShard: Sendable {
  let path: String
  let members: [ArchiveReader.Member]
  /// The folders that have a member of their own.
  let folders: [String]
  private let content: RandomAccessFile

  /// Lists an archive.
  ///
  /// - Throws: ``Support/FileFailure`` as ``ArchiveReader``, and when a compressed archive expands beyond the limits.
  init(path: String, limits: ArchiveLimits = .init()) throws {
    self.path = path
    let reader = try ArchiveReader(path: path, limits: limits)
    var members: [ArchiveReader.Member] = []
    var spool: Spool?
    while var member = try reader.next() {
      if reader.isCompressed {
        let target = try spool ?? Spool(for: path)
        spool = target
        member.offset = target.count
        try reader.read(member) { try target.append($0) }
      }
      members.append(member)
    }
    guard !members.isEmpty else { throw FileFailure(.badData, path: path, reason: "the archive holds no files") }
    content = try spool?.content() ?? RandomAccessFile(path: path)
    for member in members where member.offset + member.size > content.count {
      throw FileFailure(
        .badData, path: path, reason: "the member \(ArchiveReader.shown(member.name)) is cut off")
    }
    self.members = members
    folders = reader.folders
  }

  /// What messages call a member.
  func name(of index: Int) -> String { "\(path): \(ArchiveReader.shown(members[index].name))" }

  /// Calls `body` with the content of a member.
  func withBytes<Result>(
    of index: Int, limit: Int = ImageLimits.fileBytes, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    let member = members[index]
    guard member.size <= limit else {
      throw FileFailure(
        .beyondLimit, path: name(of: index), reason: "holds \(member.size) bytes; at most \(limit) are read")
    }
    return try content.withBytes(member.offset..<member.offset + member.size, body)
  }

  /// A copy of the content of a member.
  func bytes(of index: Int, limit: Int = ImageLimits.fileBytes) throws -> [UInt8] {
    try withBytes(of: index, limit: limit) { Array($0) }
  }
}

/// A temporary file without a name.
private final class Spool {
  private(set) var count = 0
  private let path: String
  private let descriptor: Int32

  init(for archive: String) throws {
    path = archive
    let folder = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
    var template = Array((folder + "/width-transfer-XXXXXX").utf8CString)
    descriptor = mkstemp(&template)
    guard descriptor >= 0 else {
      throw FileFailure(
        .cannotCreate, path: folder,
        reason: "no temporary file can be made for the content of \(archive) (\(errorText(errno))); set TMPDIR")
    }
    unlink(template)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  }

  deinit { close(descriptor) }

  func append(_ bytes: UnsafeRawBufferPointer) throws {
    let code = writeAll(bytes, to: descriptor)
    guard code == 0 else {
      throw FileFailure(
        .io, path: path,
        reason:
          "its content cannot be written to a temporary file (\(errorText(code))); set TMPDIR to a place with room")
    }
    count += bytes.count
  }

  /// What was written, for reading.
  func content() throws -> RandomAccessFile {
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else {
      throw FileFailure(.io, path: path, reason: "its temporary file cannot be read (\(errorText(errno)))")
    }
    return try RandomAccessFile(owning: copy, path: path)
  }
}
