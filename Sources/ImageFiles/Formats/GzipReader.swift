import CZlib
import Foundation
import Support

/// Reads a file from front to back, whether gzip-compressed or not, through zlib.
final class GzipReader {
  let path: String
  /// The bytes that the file has on disk.
  let sizeOnDisk: Int
  private let file: gzFile
  private(set) var position = 0

  /// Opens the file at `path`.
  ///
  /// - Throws: ``Support/FileFailure`` of kind `missing` when it cannot be opened.
  init(path: String) throws {
    self.path = path
    let attributes = try? FileManager.default.attributesOfItem(atPath: (path as NSString).resolvingSymlinksInPath)
    guard let size = (attributes?[.size] as? NSNumber)?.intValue, let file = gzopen(path, "rb") else {
      throw FileFailure(.missing, path: path, reason: "cannot be opened (\(errorText(errno)))")
    }
    guard attributes?[.type] as? FileAttributeType == .typeRegular else {
      gzclose(file)
      throw FileFailure(.badData, path: path, reason: "is not a regular file")
    }
    self.file = file
    sizeOnDisk = size
    gzbuffer(file, 1 << 18)
  }

  deinit { gzclose(file) }

  /// Whether the file is compressed.
  var isCompressed: Bool { gzdirect(file) == 0 }

  /// The most bytes that the content can have: deflate makes at most 1032 bytes out of one.
  var largestContent: Int { isCompressed ? sizeOnDisk * 1032 : sizeOnDisk }

  /// Reads exactly `count` bytes.
  ///
  /// - Parameter what: names them in the message when the file ends before.
  /// - Throws: ``Support/FileFailure`` of kind `badData` when fewer are left or the compressed data is damaged.
  func read(_ count: Int, _ what: String) throws -> [UInt8] {
    // Nothing is allocated for bytes that cannot be there.
    guard count <= largestContent - position else {
      throw FileFailure(
        .badData, path: path,
        reason: "ends within \(what): \(count) bytes are declared from byte \(position) on, "
          + "at most \(max(0, largestContent - position)) can follow")
    }
    return try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      while initialized < count {
        let step = min(count - initialized, 1 << 28)
        let got = gzread(file, buffer.baseAddress! + initialized, UInt32(step))
        if got < 0 { throw damaged() }
        if got == 0 { break }
        initialized += Int(got)
      }
      position += initialized
      guard initialized == count else { throw cutOff(what, have: initialized, of: count) }
    }
  }

  /// Throws unless the file ends here; for compressed files this also checks the checksum.
  func expectEnd() throws {
    var byte: UInt8 = 0
    let got = gzread(file, &byte, 1)
    if got < 0 { throw damaged() }
    guard got == 0 else {
      throw FileFailure(
        .badData, path: path, reason: "goes on after byte \(position), where the sizes in its header say that it ends")
    }
    var code: Int32 = 0
    _ = gzerror(file, &code)
    if code == Z_BUF_ERROR { throw cutOff("the compressed data", have: position, of: position) }
  }

  private func damaged() -> FileFailure {
    var code: Int32 = 0
    let text = gzerror(file, &code).map { String(cString: $0) } ?? "unknown error"
    if code == Z_ERRNO { return FileFailure(.io, path: path, reason: "cannot be read (\(errorText(errno)))") }
    return FileFailure(.badData, path: path, reason: "the compressed data is damaged after byte \(position) (\(text))")
  }

  private func cutOff(_ what: String, have: Int, of count: Int) -> FileFailure {
    FileFailure(
      .badData, path: path,
      reason: have == count
        ? "the end of \(what) is cut off" : "ends within \(what): \(have) of \(count) bytes are there")
  }
}
