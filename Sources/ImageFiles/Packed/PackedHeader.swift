/// The first 64 bytes of a packed file, little-endian.
///
/// A packed file is this header, the table of records, the images (each beginning at a multiple of 64 bytes), and at its end a JSON
/// document, ``PackedDescription``. The header and what it leads to have checksums, and so has every image.
struct PackedHeader: Hashable, Sendable {
  static let magic = Array("WTPACK\r\n".utf8)
  /// Raised when readers of the former version would misread a file.
  static let version: UInt32 = 1
  static let size = 64

  /// Records in the table, which follows the header.
  var records: Int
  /// Where the description begins.
  var descriptionOffset: Int
  /// The bytes of the description.
  var descriptionLength: Int
  /// The bytes of the whole file.
  var fileSize: Int
  /// The CRC-32 of the table.
  var tableChecksum: UInt32
  /// The CRC-32 of the description.
  var descriptionChecksum: UInt32

  /// The header's bytes, with their own checksum at the end.
  var bytes: [UInt8] {
    var result = Self.magic
    func add(_ value: some FixedWidthInteger) {
      withUnsafeBytes(of: value.littleEndian) { result.append(contentsOf: $0) }
    }
    add(Self.version)
    add(UInt32(PackedRecord.size))
    for number in [records, descriptionOffset, descriptionLength, fileSize] { add(UInt64(number)) }
    add(tableChecksum)
    add(descriptionChecksum)
    add(UInt32(0))
    add(Checksum.crc32(result))
    return result
  }

  /// What is wrong with a header.
  enum Fault: Error {
    case otherVersion(UInt32)
    case damaged
  }

  init(
    records: Int, descriptionOffset: Int, descriptionLength: Int, fileSize: Int, tableChecksum: UInt32,
    descriptionChecksum: UInt32
  ) {
    self.records = records
    self.descriptionOffset = descriptionOffset
    self.descriptionLength = descriptionLength
    self.fileSize = fileSize
    self.tableChecksum = tableChecksum
    self.descriptionChecksum = descriptionChecksum
  }

  /// Reads a header.
  ///
  /// - Throws: ``Fault``.
  init(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
    guard bytes.count >= Self.size, bytes.starts(with: Self.magic) else { throw .damaged }
    func number<Number: FixedWidthInteger>(_ type: Number.Type, at place: Int) -> Number {
      Number(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: type))
    }
    // Before the checksum: a later version may have another header.
    let version = number(UInt32.self, at: 8)
    guard version == Self.version else { throw .otherVersion(version) }
    let checksum = Checksum.crc32(UnsafeRawBufferPointer(rebasing: bytes[0..<Self.size - 4]))
    guard checksum == number(UInt32.self, at: Self.size - 4), number(UInt32.self, at: 12) == PackedRecord.size,
      let records = Int(exactly: number(UInt64.self, at: 16)), records <= Int.max / PackedRecord.size - Self.size,
      let descriptionOffset = Int(exactly: number(UInt64.self, at: 24)),
      let descriptionLength = Int(exactly: number(UInt64.self, at: 32)),
      let fileSize = Int(exactly: number(UInt64.self, at: 40))
    else { throw .damaged }
    self.init(
      records: records, descriptionOffset: descriptionOffset, descriptionLength: descriptionLength, fileSize: fileSize,
      tableChecksum: number(UInt32.self, at: 48), descriptionChecksum: number(UInt32.self, at: 52))
  }
}
