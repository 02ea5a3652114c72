import CArchive
import Support

/// The files in a zip archive, through libarchive.
enum ZipMembers {
  /// Reads all of them.
  ///
  /// - Parameter limit: The most bytes that they may have together.
  /// - Throws: ``Support/FileFailure``: `badData` for a damaged archive, `beyondLimit` for a compressed one.
  static func read(_ path: String, limit: Int) throws -> [String: [UInt8]] {
    func damaged(_ archive: OpaquePointer?) -> FileFailure {
      let reason = archive.flatMap { archive_error_string($0) }.map { String(cString: $0) } ?? "no reason given"
      return FileFailure(.badData, path: path, reason: "it is a damaged zip archive (\(reason))")
    }
    guard let archive = archive_read_new() else { throw damaged(nil) }
    defer { archive_read_free(archive) }
    archive_read_support_format_zip_seekable(archive)
    guard archive_read_open_filename(archive, path, 1 << 18) == ARCHIVE_OK else { throw damaged(archive) }
    var members: [String: [UInt8]] = [:]
    var left = limit
    while true {
      var entry: OpaquePointer?
      let status = archive_read_next_header(archive, &entry)
      if status == ARCHIVE_EOF { return members }
      guard status >= ARCHIVE_WARN, let entry,
        let name = archive_entry_pathname_utf8(entry) ?? archive_entry_pathname(entry)
      else { throw damaged(archive) }
      var content: [UInt8] = []
      let announced = archive_entry_size_is_set(entry) == 0 ? 0 : Int(archive_entry_size(entry))
      if announced > 0, announced <= left { content.reserveCapacity(announced) }
      while true {
        var pointer: UnsafeRawPointer?
        var (count, offset): (Int, la_int64_t) = (0, 0)
        let status = archive_read_data_block(archive, &pointer, &count, &offset)
        if status == ARCHIVE_EOF { break }
        // What is not compressed ends in a block of nothing.
        if status == ARCHIVE_OK && count == 0 { continue }
        guard status == ARCHIVE_OK, let pointer, Int(offset) == content.count else { throw damaged(archive) }
        left -= count
        guard left >= 0 else {
          throw FileFailure(
            .beyondLimit, path: path, reason: "it is a compressed zip archive, which torch.save does not write; refused"
          )
        }
        content.append(contentsOf: UnsafeRawBufferPointer(start: pointer, count: count))
      }
      members[String(cString: name)] = content
    }
  }
}
