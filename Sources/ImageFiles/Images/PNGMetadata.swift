import CZlib

/// What a PNG file says of how it is to be looked at, wherever it says so: before its pixels or behind them, as Pillow's
/// `exif_transpose` finds it.
struct PNGMetadata {
  /// The content of `eXIf`.
  private var exif: [UInt8]?
  /// ImageMagick's form: a text of hexadecimal digits.
  private var rawProfile: [UInt8]?
  private var xmp: [UInt8]?

  /// More than this of a text is not unpacked.
  private static let largestText = 1 << 24

  /// Reads the chunks of a file, as far as they are whole.
  init(_ bytes: UnsafeRawBufferPointer) {
    var place = 8
    while place <= bytes.count - 12 {
      let length = (0..<4).reduce(0) { $0 << 8 | Int(bytes[place + $1]) }
      guard length <= bytes.count - place - 12 else { return }
      let content = UnsafeRawBufferPointer(rebasing: bytes[place + 8..<place + 8 + length])
      switch String(decoding: bytes[place + 4..<place + 8], as: UTF8.self) {
      case "eXIf": exif = Array(content)
      case "tEXt": keep(content, isPacked: { _ in false }, skip: 0)
      case "zTXt": keep(content, isPacked: { _ in true }, skip: 1)
      case "iTXt": keep(content, isPacked: { $0.first == 1 }, skip: 2, names: 2)
      case "IEND": return
      default: break
      }
      place += 12 + length
    }
  }

  /// How the image is turned: by EXIF, else by what stands for it.
  var orientation: Orientation {
    let profile = exif ?? rawProfile.map(Self.unpackedProfile)
    return Orientation(exif: profile, xmp: xmp)
  }

  /// A text chunk: its keyword, some bytes about its form, for `iTXt` two names, the text.
  private mutating func keep(
    _ content: UnsafeRawBufferPointer, isPacked: (Slice<UnsafeRawBufferPointer>) -> Bool, skip: Int, names: Int = 0
  ) {
    guard let end = content.firstIndex(of: 0) else { return }
    let keyword = String(decoding: content[..<end], as: UTF8.self)
    guard keyword == "Raw profile type exif" || keyword == "XML:com.adobe.xmp" else { return }
    var rest = content[(end + 1)...]
    let isPacked = isPacked(rest)
    guard rest.count >= skip else { return }
    rest = rest.dropFirst(skip)
    for _ in 0..<names {
      guard let end = rest.firstIndex(of: 0) else { return }
      rest = rest[(end + 1)...]
    }
    guard let text = isPacked ? Self.inflated(Array(rest)) : Array(rest) else { return }
    if keyword.hasPrefix("Raw") { rawProfile = text } else { xmp = text }
  }

  // "\nexif\n    1234\n" and then the digits, with breaks between.
  private static func unpackedProfile(_ text: [UInt8]) -> [UInt8] {
    let lines = text.split(separator: 0x0A, omittingEmptySubsequences: false).dropFirst(3)
    let digits = lines.joined().compactMap { Character(UnicodeScalar($0)).hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  private static func inflated(_ packed: [UInt8]) -> [UInt8]? {
    var size = max(1024, 4 * packed.count)
    while size <= largestText {
      var text = [UInt8](repeating: 0, count: size)
      var count = uLong(size)
      switch uncompress(&text, &count, packed, uLong(packed.count)) {
      case Z_OK: return Array(text.prefix(Int(count)))
      case Z_BUF_ERROR: size *= 4
      default: return nil
      }
    }
    return nil
  }
}
