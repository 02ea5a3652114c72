import CArchive
import Foundation
import Support

/// Reads an archive from front to back through libarchive: tar, plain or compressed with gzip, bzip2, xz or zstd; or zip.
final class ArchiveReader {
  /// The kinds of archives.
  enum Format: String {
    case tar
    case zip
  }

  /// A regular file in an archive.
  struct Member {
    /// Its path inside the archive: relative, without `..`.
    var name: String
    /// Its bytes.
    var size: Int
    /// Where its content begins in the archive's file, when nothing is compressed.
    var offset: Int
  }

  let path: String
  private let archive: OpaquePointer
  private var members = 0
  /// The folders so far that have a member of their own.
  private(set) var folders: [String] = []
  // What was read of all members.
  private var contentBytes = 0
  // The most bytes that the archive may expand to.
  private let expanded: Int
  private let limits: ArchiveLimits

  /// Opens the archive at `path`.
  ///
  /// - Throws: ``Support/FileFailure``: `missing` when it cannot be opened, `badData` when it is no such archive.
  init(path: String, format: Format = .tar, limits: ArchiveLimits = .init()) throws {
    self.path = path
    self.limits = limits
    guard let status = FileStatus(path: path) else {
      throw FileFailure(.missing, path: path, reason: "cannot be opened (\(errorText(errno)))")
    }
    guard status.isFile else {
      throw FileFailure(.badData, path: path, reason: "is not a file but a folder, a device or a pipe")
    }
    expanded = limits.content(ofArchive: status.size)
    guard let archive = archive_read_new() else {
      throw FileFailure(.io, path: path, reason: "cannot be opened (no memory)")
    }
    self.archive = archive
    switch format {
    case .tar:
      archive_read_support_format_tar(archive)
      // One by one: "all" would include filters that run other programs. Where libarchive was built without one of these it
      // would run a program too and says so by a warning; such a filter fails when it is met.
      archive_read_support_filter_gzip(archive)
      archive_read_support_filter_bzip2(archive)
      archive_read_support_filter_xz(archive)
      archive_read_support_filter_zstd(archive)
    case .zip:
      // By the directory at its end, which alone tells links from files.
      archive_read_support_format_zip_seekable(archive)
    }
    // From here on, leaving by an error frees the archive: all properties are set.
    guard FileManager.default.isReadableFile(atPath: path) else {
      throw FileFailure(.missing, path: path, reason: "there is no such file, or it cannot be read")
    }
    guard archive_read_open_filename(archive, path, 1 << 18) == ARCHIVE_OK else {
      throw FileFailure(.badData, path: path, reason: "is no \(format.rawValue) archive (\(Self.message(of: archive)))")
    }
  }

  deinit { archive_read_free(archive) }

  /// Whether the archive as a whole is compressed. Known after the first member.
  var isCompressed: Bool { archive_filter_code(archive, 0) != ARCHIVE_FILTER_NONE }

  /// The next regular file, or nil at the end.
  ///
  /// - Throws: ``Support/FileFailure`` of kind `badData` for a damaged archive, a member that is a link or a device, and a name
  ///   that leads out of the archive.
  func next() throws -> Member? {
    while true {
      var entry: OpaquePointer?
      let status = archive_read_next_header(archive, &entry)
      if status == ARCHIVE_EOF { return nil }
      guard status >= ARCHIVE_WARN, let entry else { throw damaged("after \(members) members") }
      try checkExpansion()
      let name = archive_entry_pathname_utf8(entry) ?? archive_entry_pathname(entry)
      guard let name else { throw damaged("member \(members) has no name") }
      let member = try checked(String(cString: name), entry)
      members += 1
      guard members <= limits.members else {
        throw FileFailure(
          .beyondLimit, path: path, reason: "holds more than \(limits.members) members; that many are not read")
      }
      if let member { return member }
    }
  }

  // Everything counts, headers and what is passed over too: members without content can be a bomb. Of a zip archive, whose members are
  // compressed one by one, the content that was read.
  private func checkExpansion() throws {
    guard max(isCompressed ? Int(archive_filter_bytes(archive, 0)) : 0, contentBytes) > expanded else { return }
    throw FileFailure(
      .beyondLimit, path: path,
      reason: "expands to more than \(expanded) bytes, far more than images do; it is taken for a bomb and refused. "
        + "If it is none, raise `max-archive-expansion`, or unpack it and name the folder")
  }

  private func checked(_ name: String, _ entry: OpaquePointer) throws -> Member? {
    let parts = name.split(separator: "/", omittingEmptySubsequences: true)
    guard !name.hasPrefix("/"), !parts.contains(".."), !name.contains("\0") else {
      throw FileFailure(
        .badData, path: path,
        reason: "the member \(Self.shown(name)) leads out of the archive; such archives are refused")
    }
    // As of folders on disk: a member's name may be a megabyte of them.
    guard parts.count <= FolderListing.deepest + 1 else {
      throw FileFailure(
        .badData, path: path,
        reason:
          "the member \(Self.shown(name)) lies more than \(FolderListing.deepest) folders deep; such archives are refused"
      )
    }
    guard archive_entry_hardlink(entry) == nil else { throw refused(name, "a hard link") }
    let kind = archive_entry_filetype(entry)
    if kind == S_IFDIR {
      folders.append(parts.filter { $0 != "." }.joined(separator: "/"))
      return nil
    }
    guard kind == S_IFREG else { throw refused(name, kind == S_IFLNK ? "a symbolic link" : "no regular file") }
    guard archive_entry_sparse_count(entry) == 0 else { throw refused(name, "a sparse file") }
    guard archive_entry_is_data_encrypted(entry) == 0 else { throw refused(name, "encrypted") }
    let size = Int(archive_entry_size(entry))
    guard size >= 0, size <= ImageLimits.archiveMemberBytes else {
      throw FileFailure(
        .beyondLimit, path: path,
        reason:
          "the member \(Self.shown(name)) declares \(size) bytes; at most \(ImageLimits.archiveMemberBytes) are read")
    }
    let clean = parts.filter { $0 != "." }.joined(separator: "/")
    return Member(name: clean, size: size, offset: Int(archive_filter_bytes(archive, 0)))
  }

  /// Reads the content of the member that ``next()`` returned last.
  ///
  /// - Parameter consume: Called with each piece.
  func read(_ member: Member, _ consume: (UnsafeRawBufferPointer) throws -> Void) throws {
    var got = 0
    while true {
      var pointer: UnsafeRawPointer?
      var (count, offset): (Int, la_int64_t) = (0, 0)
      let status = archive_read_data_block(archive, &pointer, &count, &offset)
      if status == ARCHIVE_EOF { break }
      // What a zip archive holds uncompressed ends in a block of nothing.
      if status == ARCHIVE_OK && count == 0 { continue }
      // A mere warning is how a wrong checksum in a zip archive is told.
      guard status == ARCHIVE_OK, let pointer, Int(offset) == got, got + count <= member.size else {
        throw damaged("in the member \(Self.shown(member.name))")
      }
      contentBytes += count
      try checkExpansion()
      try consume(UnsafeRawBufferPointer(start: pointer, count: count))
      got += count
    }
    guard got == member.size else { throw damaged("in the member \(Self.shown(member.name))") }
  }

  private func refused(_ name: String, _ what: String) -> FileFailure {
    FileFailure(
      .badData, path: path, reason: "the member \(Self.shown(name)) is \(what); archives with such members are refused")
  }

  private func damaged(_ place: String) -> FileFailure {
    FileFailure(.badData, path: path, reason: "the archive is damaged \(place) (\(Self.message(of: archive)))")
  }

  private static func message(of archive: OpaquePointer) -> String {
    archive_error_string(archive).map { String(cString: $0) } ?? "no reason given"
  }

  // A hostile name may be long or hold control characters.
  static func shown(_ name: String) -> String {
    let clean = name.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "?" : String($0) }.joined()
    return clean.count > 100 ? String(clean.prefix(100)) + "…" : clean
  }
}
