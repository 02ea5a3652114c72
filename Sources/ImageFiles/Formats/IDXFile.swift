import Support

/// The content of an IDX file of bytes, the format of MNIST: a magic number, big-endian sizes, then the elements.
///
/// Reference: Yann LeCun, "The MNIST database", section "File formats".
struct IDXFile: Hashable, Sendable {
  /// The size of every dimension.
  let shape: [Int]
  /// The elements, the last dimension changing fastest.
  let bytes: [UInt8]

  // More than any such data set holds; a header that asks for more is forged.
  private static let largestContent = 1 << 34

  /// Reads a file with `dimensions` dimensions, raw or gzip-compressed.
  ///
  /// - Throws: ``Support/FileFailure`` of kind `missing`, or `badData` with the place and the reason.
  init(path: String, dimensions: Int) throws {
    let reader = try GzipReader(path: path)
    let magic = try reader.read(4, "the magic number")
    guard magic[0] == 0, magic[1] == 0, magic[2] == 8, Int(magic[3]) == dimensions else {
      func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
      }
      throw FileFailure(
        .badData, path: path,
        reason: "begins with the bytes \(hex(magic)); an IDX file of bytes with \(dimensions) dimension(s) begins with "
          + hex([0, 0, 8, UInt8(dimensions)]))
    }
    let sizes = try reader.read(4 * dimensions, "the sizes")
    shape = (0..<dimensions).map { dimension in
      sizes[4 * dimension..<4 * dimension + 4].reduce(0) { $0 << 8 | Int($1) }
    }
    var count = 1
    for (dimension, size) in shape.enumerated() {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard size > 0, !overflow, product <= Self.largestContent else {
        throw FileFailure(
          .badData, path: path,
          reason: "the sizes \(shape) at byte 4 are \(size == 0 ? "empty" : "too large") (dimension \(dimension))")
      }
      count = product
    }
    // As of archives. One that is not compressed is as long as what it declares.
    let limit = ArchiveLimits().content(ofArchive: reader.sizeOnDisk)
    guard !reader.isCompressed || count <= limit || count > reader.largestContent else {
      throw FileFailure(
        .beyondLimit, path: path,
        reason:
          "expands to \(count) bytes, far more than images do; it is taken for a bomb and refused. If it is none, unpack it (gunzip)"
      )
    }
    bytes = try reader.read(count, "the \(shape.map(String.init).joined(separator: "×")) elements")
    try reader.expectEnd()
  }
}
