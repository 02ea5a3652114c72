import CZlib
import Testing

@testable import ImageFiles
@testable import Loading

/// Where files say how they are to be turned, against what Pillow 13's `exif_transpose` makes of the same files.
@Suite("Orientation")
struct OrientationTests {
  private static func number(_ value: Int, _ size: Int, little: Bool = true) -> [UInt8] {
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    return little ? bytes : bytes.reversed()
  }

  /// A TIFF file of entries: tag, type, count, value.
  private static func tiff(_ entries: [(Int, Int, Int, Int)], little: Bool = true) -> [UInt8] {
    let sizes = [1: 1, 3: 2, 4: 4, 8: 2, 9: 4]
    let body = entries.flatMap { tag, type, count, value in
      let size = sizes[type] ?? 4
      return number(tag, 2, little: little) + number(type, 2, little: little) + number(count, 4, little: little)
        + number(value, size, little: little) + [UInt8](repeating: 0, count: 4 - size)
    }
    return Array((little ? "II" : "MM").utf8) + number(42, 2, little: little) + number(8, 4, little: little)
      + number(entries.count, 2, little: little) + body + number(0, 4)
  }

  private static let word = Array("Exif\0\0".utf8)
  private static let turned = tiff([(0x112, 3, 1, 6)])

  private static func xmp(_ value: Int, marks: Bool = false) -> [UInt8] {
    Array(
      ("<x:xmpmeta><rdf:Description "
        + (marks ? "><tiff:Orientation>\(value)</tiff:Orientation>" : "tiff:Orientation=\"\(value)\"/>")
        + "</x:xmpmeta>")
        .utf8)
  }

  private static func segment(_ content: [UInt8]) -> [UInt8] {
    [0xFF, 0xE1] + number(content.count + 2, 2, little: false) + content
  }

  private static let adobe = Array("http://ns.adobe.com/xap/1.0/\0".utf8)

  private static let jpegs: [(name: String, segments: [[UInt8]], isTurned: Bool)] = [
    ("a short", [word + turned], true), ("big-endian", [word + tiff([(0x112, 3, 1, 6)], little: false)], true),
    ("a long", [word + tiff([(0x112, 4, 1, 6)])], true),
    ("a long, big-endian", [word + tiff([(0x112, 4, 1, 6)], little: false)], true),
    ("a signed short", [word + tiff([(0x112, 8, 1, 6)])], true), ("a byte", [word + tiff([(0x112, 1, 1, 6)])], false),
    ("two numbers", [word + tiff([(0x112, 3, 2, 6)])], false), ("zero", [word + tiff([(0x112, 3, 1, 0)])], false),
    ("nine", [word + tiff([(0x112, 3, 1, 9)])], false),
    (
      "a late tag", [word + tiff([(Int, Int, Int, Int)](repeating: (0x10F, 3, 1, 1), count: 30) + [(0x112, 3, 1, 6)])],
      true
    ),
    ("XMP alone", [adobe + xmp(6)], true), ("XMP between marks", [adobe + xmp(6, marks: true)], true),
    ("EXIF before XMP", [adobe + xmp(1), word + turned], true),
    ("XMP does not overrule", [word + turned, adobe + xmp(8)], true),
    ("EXIF that says nothing", [word + tiff([(0x10F, 3, 1, 1)]), adobe + xmp(6)], true),
    ("EXIF that says one", [word + tiff([(0x112, 3, 1, 1)]), adobe + xmp(6)], false),
  ]

  @Test("is found in JPEG wherever Pillow finds it", arguments: jpegs.indices)
  func inJPEG(index: Int) throws {
    let (name, segments, isTurned) = Self.jpegs[index]
    let plain = try jpeg(gradient(width: 12, height: 8))
    let file = Array(plain.prefix(2)) + segments.flatMap(Self.segment) + plain.dropFirst(2)
    let image = try PixelImage.decode(bytes: file, path: name, channels: 3)
    #expect(image.size == (isTurned ? ImageSize(width: 8, height: 12) : ImageSize(width: 12, height: 8)), "\(name)")
  }

  private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
    let body = Array(name.utf8) + content
    return number(content.count, 4, little: false) + body
      + number(Int(crc32(0, body, UInt32(body.count))), 4, little: false)
  }

  private static func packed(_ text: [UInt8]) -> [UInt8] {
    var size = compressBound(UInt(text.count))
    var bytes = [UInt8](repeating: 0, count: Int(size))
    compress(&bytes, &size, text, UInt(text.count))
    return Array(bytes.prefix(Int(size)))
  }

  private static let profile: [UInt8] = {
    let content = word + turned
    let digits = content.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    return Array("\nexif\n      \(content.count)\n\(digits.prefix(20))\n\(digits.dropFirst(20))\n".utf8)
  }()
  private static let keyword = Array("Raw profile type exif\0".utf8)
  private static let xmpKeyword = Array("XML:com.adobe.xmp\0".utf8)

  private static let pngs: [(name: String, chunk: [UInt8], isTurned: Bool)] = [
    ("eXIf", chunk("eXIf", turned), true), ("eXIf with the word of JPEG", chunk("eXIf", word + turned), true),
    ("a raw profile", chunk("tEXt", keyword + profile), true),
    ("a packed raw profile", chunk("zTXt", keyword + [0] + packed(profile)), true),
    ("XMP", chunk("iTXt", xmpKeyword + [0, 0, 0, 0] + xmp(6)), true),
    ("packed XMP", chunk("iTXt", xmpKeyword + [1, 0, 0, 0] + packed(xmp(6))), true),
    ("another text", chunk("tEXt", Array("Comment\0tiff:Orientation=\"6\"".utf8)), false),
    ("a broken packed profile", chunk("zTXt", keyword + [0, 1, 2, 3]), false),
    ("a keyword without an end", chunk("tEXt", Array("Raw profile type exif".utf8)), false),
  ]

  @Test(
    "is found in PNG wherever Pillow finds it, before the pixels and behind them", arguments: pngs.indices,
    [true, false])
  func inPNG(index: Int, isBefore: Bool) throws {
    let (name, chunk, isTurned) = Self.pngs[index]
    let plain = try png(gradient(width: 12, height: 8))
    // Behind the header of 8 + 25 bytes, or in front of the end, which takes 12.
    let place = isBefore ? 33 : plain.count - 12
    let file = Array(plain[..<place]) + chunk + plain[place...]
    let image = try PixelImage.decode(bytes: file, path: name, channels: 3)
    #expect(image.size == (isTurned ? ImageSize(width: 8, height: 12) : ImageSize(width: 12, height: 8)), "\(name)")
  }
}
