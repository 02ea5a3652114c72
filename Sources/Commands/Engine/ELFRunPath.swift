import Foundation

/// The folders that an executable tells the loader to search: `DT_RUNPATH` (or `DT_RPATH`) of a 64-bit little-endian ELF file.
enum ELFRunPath {
  private enum Tag {
    static let strings = 5
    static let rpath = 15
    static let runpath = 29
  }

  private enum Segment {
    static let load: UInt32 = 1
    static let dynamic: UInt32 = 2
  }

  /// The folders, in their order; none when the file is not of that kind.
  static func folders(of path: String) -> [String] {
    guard let file = FileHandle(forReadingAtPath: path) else { return [] }
    defer { try? file.close() }
    func bytes(_ offset: Int, _ count: Int) -> Data? {
      guard offset >= 0, (0...1 << 20).contains(count), (try? file.seek(toOffset: UInt64(offset))) != nil,
        let data = try? file.read(upToCount: count), data.count == count
      else { return nil }
      return data
    }
    guard let header = bytes(0, 64), header.prefix(6) == Data([0x7F, 0x45, 0x4C, 0x46, 2, 1]),
      let table = bytes(header.word(32), Int(header.half(54)) * Int(header.half(56)))
    else { return [] }
    let size = Int(header.half(54))
    guard size >= 56 else { return [] }
    let segments = stride(from: 0, to: table.count, by: size).map { table.subdata(in: $0..<$0 + size) }
    guard let dynamic = segments.first(where: { $0.long(0) == Segment.dynamic }),
      let entries = bytes(dynamic.word(8), dynamic.word(32))
    else { return [] }
    var values: [Int: Int] = [:]
    for start in stride(from: 0, through: entries.count - 16, by: 16) {
      values[entries.word(start)] = entries.word(start + 8)
    }
    guard let address = values[Tag.strings], let name = values[Tag.runpath] ?? values[Tag.rpath],
      let segment = segments.first(where: {
        $0.long(0) == Segment.load && $0.word(16) <= address && address - $0.word(16) < $0.word(32)
      })
    else { return [] }
    let place = address - segment.word(16) + segment.word(8)
    guard (0...1 << 40).contains(place), (0...1 << 30).contains(name) else { return [] }
    var text = Data()
    while let chunk = bytes(place + name + text.count, 1), chunk[chunk.startIndex] != 0, text.count < 1 << 16 {
      text += chunk
    }
    return String(decoding: text, as: UTF8.self).split(separator: ":").map(String.init)
  }
}

extension Data {
  fileprivate func half(_ offset: Int) -> UInt16 { UInt16(integer(offset, 2)) }
  fileprivate func long(_ offset: Int) -> UInt32 { UInt32(integer(offset, 4)) }
  // Addresses and offsets beyond what an `Int` holds are no file that was ever built.
  fileprivate func word(_ offset: Int) -> Int { Int(truncatingIfNeeded: integer(offset, 8)) }

  private func integer(_ offset: Int, _ count: Int) -> UInt64 {
    (0..<count).reduce(0) { $0 | UInt64(self[startIndex + offset + $1]) << (8 * $1) }
  }
}
