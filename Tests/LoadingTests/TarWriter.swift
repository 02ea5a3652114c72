import CArchive
import Foundation
import Testing

/// Writes a tar archive, or a zip archive, also such as no honest program would.
struct TarWriter {
  enum Compression: CaseIterable {
    case none, gzip, bzip2, xz, zstd
  }

  enum Kind {
    case file([UInt8])
    case symbolicLink(String)
    case hardLink(String)
    case folder
    case device
  }

  /// Writes members in their order to `path`.
  @discardableResult
  static func write(
    _ members: [(name: String, kind: Kind)], to path: String, _ compression: Compression = .none, zip: Bool = false
  ) throws -> String {
    let archive = try #require(archive_write_new())
    defer { archive_write_free(archive) }
    if zip { archive_write_set_format_zip(archive) } else { archive_write_set_format_pax_restricted(archive) }
    switch compression {
    case .none: archive_write_add_filter_none(archive)
    case .gzip: archive_write_add_filter_gzip(archive)
    case .bzip2: archive_write_add_filter_bzip2(archive)
    case .xz: archive_write_add_filter_xz(archive)
    case .zstd: archive_write_add_filter_zstd(archive)
    }
    try #require(archive_write_open_filename(archive, path) == ARCHIVE_OK)
    for (name, kind) in members {
      let entry = try #require(archive_entry_new())
      defer { archive_entry_free(entry) }
      archive_entry_set_pathname(entry, name)
      archive_entry_set_perm(entry, 0o644)
      var content: [UInt8] = []
      switch kind {
      case .file(let bytes):
        archive_entry_set_filetype(entry, 0o100000)
        content = bytes
      case .symbolicLink(let target):
        archive_entry_set_filetype(entry, 0o120000)
        archive_entry_set_symlink(entry, target)
      case .hardLink(let target):
        archive_entry_set_filetype(entry, 0o100000)
        archive_entry_set_hardlink(entry, target)
      case .folder: archive_entry_set_filetype(entry, 0o040000)
      case .device: archive_entry_set_filetype(entry, 0o020000)
      }
      archive_entry_set_size(entry, Int64(content.count))
      try #require(archive_write_header(archive, entry) >= ARCHIVE_WARN)
      if !content.isEmpty { #expect(archive_write_data(archive, content, content.count) == content.count) }
    }
    try #require(archive_write_close(archive) == ARCHIVE_OK)
    return path
  }

  /// Writes files.
  @discardableResult
  static func write(
    files: [(String, [UInt8])], to path: String, _ compression: Compression = .none
  ) throws -> String {
    try write(files.map { ($0.0, .file($0.1)) }, to: path, compression)
  }
}
