import CZlib

/// Makes checksums right again, so that damage gets behind them.
enum Repair {
  static func checksums(_ bytes: inout [UInt8]) {
    if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) {
      png(&bytes)
    } else if bytes.starts(with: Array("WTPACK".utf8)) {
      packed(&bytes)
    } else {
      tar(&bytes)
    }
  }

  /// The sum that PNG and packed files have: CRC-32.
  static func sum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.withUnsafeBufferPointer { UInt32(truncatingIfNeeded: crc32_z(0, $0.baseAddress, $0.count)) }
  }

  private static func png(_ bytes: inout [UInt8]) {
    var place = 8
    while place + 12 <= bytes.count {
      let length = bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
      let end = place + 8 + length
      guard end + 4 <= bytes.count else { return }
      let checksum = sum(bytes[place + 4..<end])
      for position in 0..<4 { bytes[end + position] = UInt8(truncatingIfNeeded: checksum >> UInt32(24 - 8 * position)) }
      place = end + 4
    }
  }

  private static func packed(_ bytes: inout [UInt8]) {
    guard bytes.count >= 64 else { return }
    func number(_ place: Int) -> Int {
      Int(truncatingIfNeeded: (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[place + $1]) << UInt64(8 * $1) })
    }
    func put(_ value: UInt32, _ place: Int) {
      for position in 0..<4 { bytes[place + position] = UInt8(truncatingIfNeeded: value >> UInt32(8 * position)) }
    }
    let (records, offset) = (number(16), number(24))
    // The description ends the file: where it became longer or shorter, so does what the header says.
    let length = offset >= 0 && offset <= bytes.count ? bytes.count - offset : number(32)
    for (place, value) in [(32, length), (40, bytes.count)] {
      for position in 0..<8 { bytes[place + position] = UInt8(truncatingIfNeeded: value >> (8 * position)) }
    }
    if (0...bytes.count).contains(records), 64 + 32 * records <= bytes.count {
      put(sum(bytes[64..<64 + 32 * records]), 48)
    }
    if offset >= 0, length >= 0, offset <= bytes.count, length <= bytes.count - offset {
      put(sum(bytes[offset..<offset + length]), 52)
    }
    put(sum(bytes[0..<60]), 60)
  }

  // Of every block that says it is a header: the sum of its bytes, with spaces where the sum stands.
  private static func tar(_ bytes: inout [UInt8]) {
    var block = 0
    while block + 512 <= bytes.count {
      if bytes[block + 257..<block + 262].elementsEqual("ustar".utf8) {
        for position in 148..<156 { bytes[block + position] = 0x20 }
        let total = bytes[block..<block + 512].reduce(0) { $0 + Int($1) }
        let digits = String(total, radix: 8)
        let text = Array((String(repeating: "0", count: max(0, 6 - digits.count)) + digits).utf8.suffix(6)) + [0]
        bytes.replaceSubrange(block + 148..<block + 155, with: text)
      }
      block += 512
    }
  }
}
