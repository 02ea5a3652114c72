import Foundation

/// The Castagnoli checksum of event files: reflected polynomial 0x82F63B78.
enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in
      value & 1 == 1 ? (value >> 1) ^ 0x82F6_3B78 : value >> 1
    }
  }

  /// The checksum of `data`.
  static func checksum(_ data: Data) -> UInt32 {
    ~data.reduce(UInt32.max) { value, byte in
      table[Int((value ^ UInt32(byte)) & 0xFF)] ^ (value >> 8)
    }
  }

  /// The checksum as event files hold it: rotated and shifted, so that a checksum of checksums stays meaningful.
  static func masked(_ data: Data) -> UInt32 {
    let value = checksum(data)
    return ((value >> 15) | (value << 17)) &+ 0xA282_EAD8
  }
}
