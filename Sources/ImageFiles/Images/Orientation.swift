/// How the stored rows and columns of an image are to be turned before it is looked at: EXIF's tag 0x0112.
///
/// Phones store what the sensor saw and note how they were held. A value `u, v` of an upright image is found in the stored one
/// by exchanging rows and columns where ``exchanges`` says so, and then counting from the other side where ``mirrorsColumns`` or
/// ``mirrorsRows`` says so.
struct Orientation: Hashable, Sendable {
  var exchanges: Bool
  var mirrorsColumns: Bool
  var mirrorsRows: Bool

  /// Stored as it is looked at.
  static let upright = Orientation(exchanges: false, mirrorsColumns: false, mirrorsRows: false)

  init(exchanges: Bool, mirrorsColumns: Bool, mirrorsRows: Bool) {
    self.exchanges = exchanges
    self.mirrorsColumns = mirrorsColumns
    self.mirrorsRows = mirrorsRows
  }

  /// The orientation that a tag's value, 1 to 8, stands for; others are taken for 1, as viewers do.
  init(tag: Int) {
    self.init(
      exchanges: (5...8).contains(tag), mirrorsColumns: [2, 3, 7, 8].contains(tag),
      mirrorsRows: [3, 4, 6, 7].contains(tag))
  }

  /// Reads the tag from the content of an EXIF segment, a small TIFF file, and from XMP where that has none; what cannot be read is
  /// upright.
  ///
  /// Reference: CIPA DC-008 (Exif 2.32), sections 4.5 and 4.6.4; Pillow's `Image.getexif`.
  init(exif: (some Collection<UInt8>)?, xmp: (some Collection<UInt8>)?) {
    self.init(tag: exif.flatMap { Self.tag(exif: Array($0)) } ?? xmp.flatMap { Self.tag(xmp: Array($0)) } ?? 1)
  }

  /// The value of the tag; nil when there is none, 0 when it is none of the numbers that it may be.
  private static func tag(exif bytes: [UInt8]) -> Int? {
    var bytes = bytes[...]
    // Some write the word in front of JPEG's segment into PNG's chunk, too.
    while bytes.starts(with: [0x45, 0x78, 0x69, 0x66, 0, 0]) { bytes = bytes.dropFirst(6) }
    let start = bytes.startIndex
    guard bytes.count >= 8 else { return nil }
    let isLittle = bytes[start] == 0x49 && bytes[start + 1] == 0x49
    guard isLittle || (bytes[start] == 0x4D && bytes[start + 1] == 0x4D) else { return nil }
    func number(_ place: Int, _ size: Int) -> Int? {
      guard place >= 0, place <= bytes.count - size else { return nil }
      return (0..<size).reduce(0) { $0 << 8 | Int(bytes[start + place + (isLittle ? size - 1 - $1 : $1)]) }
    }
    guard number(2, 2) == 42, let directory = number(4, 4), let entries = number(directory, 2) else { return nil }
    for entry in 0..<entries {
      let place = directory + 2 + 12 * entry
      guard let tag = number(place, 2) else { return nil }
      guard tag == 0x0112 else { continue }
      guard let type = number(place + 2, 2), number(place + 4, 4) == 1 else { return 0 }
      // Whole numbers of 16 and 32 bits, which lie in the entry itself; negative ones are no orientation.
      switch type {
      case 3, 8: return number(place + 8, 2) ?? 0
      case 4, 9: return number(place + 8, 4) ?? 0
      default: return 0
      }
    }
    return nil
  }

  /// `tiff:Orientation="6"`, or between marks.
  private static func tag(xmp bytes: [UInt8]) -> Int? {
    let name = Array("tiff:Orientation".utf8)
    var place = bytes.startIndex
    while let found = bytes[place...].firstRange(of: name) {
      place = found.upperBound
      let rest = bytes[place...]
      let skip = rest.starts(with: Array("=\"".utf8)) ? 2 : rest.first == 0x3E ? 1 : nil
      if let skip, let digit = rest.dropFirst(skip).first, (0x30...0x39).contains(digit) { return Int(digit) - 0x30 }
    }
    return nil
  }

  /// The size that is looked at, of an image stored in `size`.
  func upright(_ size: ImageSize) -> ImageSize {
    exchanges ? ImageSize(width: size.height, height: size.width) : size
  }

  /// Where a part of the upright image lies in the image stored in `size`.
  func stored(_ part: PixelRectangle, in size: ImageSize) -> PixelRectangle {
    var stored =
      exchanges
      ? PixelRectangle(left: part.top, top: part.left, width: part.height, height: part.width) : part
    if mirrorsColumns { stored.left = size.width - stored.left - stored.width }
    if mirrorsRows { stored.top = size.height - stored.top - stored.height }
    return stored
  }

  /// The image as it is looked at.
  func upright(_ image: PixelImage) -> PixelImage {
    if self == .upright { return image }
    let size = upright(image.size)
    let channels = image.channels
    let pixels = [UInt8](unsafeUninitializedCapacity: image.pixels.count) { output, initialized in
      var place = 0
      for y in 0..<size.height {
        for x in 0..<size.width {
          let (u, v) = exchanges ? (y, x) : (x, y)
          let column = mirrorsColumns ? image.width - 1 - u : u
          let row = mirrorsRows ? image.height - 1 - v : v
          let source = (row * image.width + column) * channels
          for channel in 0..<channels { output[place + channel] = image.pixels[source + channel] }
          place += channels
        }
      }
      initialized = image.pixels.count
    }
    return PixelImage(width: size.width, height: size.height, channels: channels, pixels: pixels)
  }
}
