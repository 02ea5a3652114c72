import Support

/// Damage to files.
enum Mutation {
  // Numbers at which sizes and offsets go wrong.
  private static let extremes: [UInt64] = [
    0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF,
    0x1_0000_0000, 0x7FFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF,
  ]

  // The same for numbers that are written out, as in JSON.
  private static let written = [
    "0", "-1", "1", "2", "255", "65536", "4294967295", "4294967296", "9223372036854775807", "-9223372036854775808",
    "18446744073709551616", "1e308", "0.5", "null", "[]", "true",
  ]

  /// A copy with one to eight changes.
  static func damaged(_ file: [UInt8], with other: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var bytes = file
    // Rarely many: most of what many changes reach, few reach too.
    for _ in 0...(random.nextInt(below: 4) == 0 ? random.nextInt(below: 8) : random.nextInt(below: 2)) {
      change(&bytes, other, &random)
    }
    return bytes
  }

  private static func change(_ bytes: inout [UInt8], _ other: [UInt8], _ random: inout SeededGenerator) {
    guard !bytes.isEmpty else { return bytes = Array(other.prefix(random.nextInt(below: other.count + 1))) }
    // Headers are short and matter most.
    let reach = random.nextInt(below: 2) == 0 ? min(bytes.count, 256) : bytes.count
    let place = random.nextInt(below: reach)
    let length = min(bytes.count - place, 1 + random.nextInt(below: 1 << random.nextInt(below: 9)))
    switch random.nextInt(below: 10) {
    case 0: bytes[place] ^= 1 << UInt8(random.nextInt(below: 8))
    case 1: bytes[place] = UInt8(truncatingIfNeeded: random.next())
    case 2: put(extremes[random.nextInt(below: extremes.count)], &bytes, place, &random)
    case 3: bytes.removeLast(bytes.count - place)
    case 4: bytes.removeSubrange(place..<place + length)
    case 5: bytes.insert(contentsOf: bytes[place..<place + length], at: place)
    case 6 where !other.isEmpty:
      let start = random.nextInt(below: other.count)
      let piece = other[start..<min(other.count, start + length)]
      bytes.replaceSubrange(place..<min(bytes.count, place + piece.count), with: piece)
    case 7 where rewrite(&bytes, from: random.nextInt(below: bytes.count), &random): break
    case 8: for position in place..<place + length { bytes[position] = UInt8(truncatingIfNeeded: random.next()) }
    default:
      let value = [UInt8(0), 0xFF, 0x20, 0x30][random.nextInt(below: 4)]
      for position in place..<place + length { bytes[position] = value }
    }
  }

  // Replaces the next run of digits.
  private static func rewrite(_ bytes: inout [UInt8], from place: Int, _ random: inout SeededGenerator) -> Bool {
    let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) }
    guard let first = bytes[place...].firstIndex(where: isDigit) else { return false }
    let end = bytes[first...].firstIndex { !isDigit($0) } ?? bytes.endIndex
    bytes.replaceSubrange(first..<end, with: Array(written[random.nextInt(below: written.count)].utf8))
    return true
  }

  private static func put(_ number: UInt64, _ bytes: inout [UInt8], _ place: Int, _ random: inout SeededGenerator) {
    let size = 1 << random.nextInt(below: 4)
    let isBig = random.nextInt(below: 2) == 0
    for position in 0..<min(size, bytes.count - place) {
      let shift = 8 * (isBig ? size - 1 - position : position)
      bytes[place + position] = UInt8(truncatingIfNeeded: number >> UInt64(shift))
    }
  }
}
