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

  /// Reads the tag from the content of an EXIF segment, a small TIFF file; what cannot be read is upright.
  ///
  /// Reference: CIPA DC-008 (Exif 2.32), sections 4.5 and 4.6.4.
  init(exif bytes: UnsafeRawBufferPointer) {
    self = .upright
    guard bytes.count >= 8 else { return }
    let isLittle = bytes[0] == 0x49 && bytes[1] == 0x49
    guard isLittle || (bytes[0] == 0x4D && bytes[1] == 0x4D) else { return }
    func number(_ place: Int, _ size: Int) -> Int? {
      guard place >= 0, place <= bytes.count - size else { return nil }
      return (0..<size).reduce(0) { $0 << 8 | Int(bytes[place + (isLittle ? size - 1 - $1 : $1)]) }
    }
    guard number(2, 2) == 42, let directory = number(4, 4), let entries = number(directory, 2) else { return }
    for entry in 0..<entries {
      let place = directory + 2 + 12 * entry
      guard let tag = number(place, 2) else { return }
      // A number of 16 bits, which lies in the entry itself.
      if tag == 0x0112, number(place + 2, 2) == 3, let value = number(place + 8, 2) {
        self.init(tag: value)
        return
      }
    }
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
