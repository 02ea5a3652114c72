/// Where and what one image of a packed file is: 32 bytes, little-endian.
struct PackedRecord: Hashable, Sendable {
  /// How the bytes of an image are to be read.
  enum Encoding: UInt8, Sendable {
    /// Samples `[height, width, channels]`.
    case raw = 0
    /// A JPEG or PNG file; which of the two is told from its first bytes.
    case file = 1
  }

  /// The bytes that one record takes.
  static let size = 32

  /// Where the bytes of the image begin in the file.
  var offset: Int
  /// How many there are.
  var length: Int
  /// The class.
  var label: Int
  /// The image's size when it is looked at.
  var imageSize: ImageSize
  var encoding: Encoding
  /// 1 or 3.
  var channels: Int
  /// The CRC-32 of the bytes.
  var checksum: UInt32

  init(
    offset: Int, length: Int, label: Int, imageSize: ImageSize, encoding: Encoding, channels: Int, checksum: UInt32
  ) {
    self.offset = offset
    self.length = length
    self.label = label
    self.imageSize = imageSize
    self.encoding = encoding
    self.channels = channels
    self.checksum = checksum
  }

  /// Reads a record; nil when a field has a value that no writer puts there.
  init?(_ bytes: UnsafeRawBufferPointer) {
    func number<Number: FixedWidthInteger>(_ type: Number.Type, at place: Int) -> Number {
      Number(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: type))
    }
    guard let encoding = Encoding(rawValue: bytes[24]), let offset = Int(exactly: number(UInt64.self, at: 0)),
      bytes[25] == 1 || bytes[25] == 3
    else { return nil }
    self.init(
      offset: offset, length: Int(number(UInt32.self, at: 8)), label: Int(number(UInt32.self, at: 12)),
      imageSize: ImageSize(width: Int(number(UInt32.self, at: 16)), height: Int(number(UInt32.self, at: 20))),
      encoding: encoding, channels: Int(bytes[25]), checksum: number(UInt32.self, at: 28))
  }

  /// The record's bytes.
  var bytes: [UInt8] {
    var result: [UInt8] = []
    func add(_ value: some FixedWidthInteger) {
      withUnsafeBytes(of: value.littleEndian) { result.append(contentsOf: $0) }
    }
    add(UInt64(offset))
    add(UInt32(length))
    add(UInt32(label))
    add(UInt32(imageSize.width))
    add(UInt32(imageSize.height))
    add(encoding.rawValue)
    add(UInt8(channels))
    add(UInt16(0))
    add(checksum)
    return result
  }
}
