import CZlib

/// Checksums by zlib.
enum Checksum {
  /// The CRC-32 of `bytes`, as in gzip and PNG.
  static func crc32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    UInt32(truncatingIfNeeded: crc32_z(0, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count))
  }

  /// The CRC-32 of `bytes`.
  static func crc32(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { crc32($0) } }
}
