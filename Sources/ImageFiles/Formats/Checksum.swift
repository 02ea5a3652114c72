import CZlib

/// Checksums by zlib.
package enum Checksum {
  /// The CRC-32 of `bytes`, as in gzip and PNG.
  package static func crc32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    UInt32(truncatingIfNeeded: crc32_z(0, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count))
  }

  /// The CRC-32 of `bytes`.
  package static func crc32(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { crc32($0) } }
}
