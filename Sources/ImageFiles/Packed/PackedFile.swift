import Foundation
import Support

/// A data set in one file: what `data pack` writes.
final class PackedFile: @unchecked Sendable {
  // Everything is immutable but `verified`, which is touched under `lock` only.
  let path: String
  let header: PackedHeader
  let description: PackedDescription
  private let content: RandomAccessFile
  private let table: [UInt8]
  private let lock = NSLock()
  private var verified: [Bool]

  /// Whether a file begins as a packed one.
  ///
  /// - Throws: ``Support/FileFailure`` when it cannot be read.
  static func isPacked(_ path: String) throws -> Bool {
    try FileBytes.prefix(path: path, count: PackedHeader.magic.count) == PackedHeader.magic
  }

  /// Opens a file and checks everything but the images themselves.
  ///
  /// - Throws: ``Support/FileFailure`` of kind `badData` when it is damaged or of another version.
  init(path: String) throws {
    self.path = path
    let file = try RandomAccessFile(path: path)
    content = file
    func damaged(_ what: String) -> FileFailure {
      FileFailure(.badData, path: path, reason: "\(what); pack the data set again, or copy the file again")
    }
    let start = try file.bytes(0..<min(file.count, PackedHeader.size))
    do {
      header = try start.withUnsafeBytes { bytes in
        Result { () throws(PackedHeader.Fault) in try PackedHeader(bytes) }
      }.get()
    } catch .otherVersion(let version) {
      throw FileFailure(
        .unsupported, path: path,
        reason: "is packed in version \(version) of the format; this program reads version \(PackedHeader.version)")
    } catch {
      throw damaged("the header is damaged")
    }
    guard header.fileSize == file.count else {
      throw damaged("holds \(file.count) bytes, of \(header.fileSize) that were written")
    }
    let table = PackedHeader.size..<PackedHeader.size + header.records * PackedRecord.size
    let (end, overflow) = header.descriptionOffset.addingReportingOverflow(header.descriptionLength)
    guard !overflow, table.upperBound <= header.descriptionOffset, end <= file.count else {
      throw damaged("the header leads beyond the end of the file")
    }
    self.table = try file.bytes(table)
    guard self.table.withUnsafeBytes({ Checksum.crc32($0) }) == header.tableChecksum else {
      throw damaged("the table of images is damaged (its checksum differs)")
    }
    let text = try file.bytes(header.descriptionOffset..<end)
    guard text.withUnsafeBytes({ Checksum.crc32($0) }) == header.descriptionChecksum else {
      throw damaged("the description is damaged (its checksum differs)")
    }
    do {
      description = try JSONDecoder().decode(PackedDescription.self, from: Data(text))
    } catch {
      throw damaged("the description cannot be understood (\(error))")
    }
    verified = [Bool](repeating: false, count: header.records)
    try check(damaged)
  }

  // A checksum tells damage from what was written, not hostile content: nothing is taken on trust.
  private func check(_ damaged: (String) -> FileFailure) throws {
    let (training, heldOut) = (description.training.images, description.heldOut.images)
    guard training >= 0, heldOut >= 0, training <= header.records, heldOut == header.records - training else {
      throw damaged("describes \(training) and \(heldOut) images, and has \(header.records)")
    }
    guard !description.classNames.isEmpty, description.channels == 1 || description.channels == 3,
      description.normalization.channels == description.channels,
      (1...ImageLimits.resolution).contains(description.resolution)
    else { throw damaged("the description has impossible values") }
    for split in [description.training, description.heldOut] {
      guard let size = split.uniformSize else { continue }
      guard size.count == 2, size.allSatisfy((1...ImageLimits.resolution).contains) else {
        throw damaged("the description has impossible values")
      }
    }
    for number in 0..<header.records {
      guard let record = record(number), record.label < description.classNames.count, record.offset >= 0,
        record.length <= header.descriptionOffset, record.offset <= header.descriptionOffset - record.length
      else { throw damaged("record \(number) has impossible values") }
      if record.encoding == .raw {
        let (pixels, overflow) = record.imageSize.width.multipliedReportingOverflow(by: record.imageSize.height)
        guard !overflow, pixels > 0, pixels <= Int(UInt32.max), pixels * record.channels == record.length,
          record.channels == description.channels
        else { throw damaged("record \(number) has a size that is not that of its samples") }
      }
    }
  }

  private func record(_ number: Int) -> PackedRecord? {
    table.withUnsafeBytes {
      PackedRecord(UnsafeRawBufferPointer(rebasing: $0[number * PackedRecord.size..<(number + 1) * PackedRecord.size]))
    }
  }

  /// The class of a record.
  func label(of number: Int) -> Int { record(number)?.label ?? 0 }

  /// The size of a record's image.
  func size(of number: Int) -> ImageSize { record(number)?.imageSize ?? ImageSize(width: 1, height: 1) }

  /// What messages call a record.
  func name(of number: Int) -> String { "\(path): image \(number)" }

  /// Calls `body` with a record and its bytes, or a part of them. The checksum of all of them is compared the first time.
  ///
  /// - Parameter part: The bytes that are wanted, from the record's first on.
  func read<Result>(
    _ number: Int, part: (PackedRecord) -> Range<Int> = { 0..<$0.length },
    _ body: (PackedRecord, UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    guard let record = record(number) else {
      throw FileFailure(.badData, path: name(of: number), reason: "the record is damaged")
    }
    let wanted = part(record)
    if lock.withLock({ verified[number] }) {
      let start = record.offset + wanted.lowerBound
      return try content.withBytes(start..<start + wanted.count) { try body(record, $0) }
    }
    return try content.withBytes(record.offset..<record.offset + record.length) { bytes in
      guard Checksum.crc32(bytes) == record.checksum else {
        throw FileFailure(
          .badData, path: name(of: number),
          reason: "the bytes of the image have changed since it was packed (their checksum differs)")
      }
      lock.withLock { verified[number] = true }
      return try body(record, UnsafeRawBufferPointer(rebasing: bytes[wanted]))
    }
  }

  /// The data set.
  func open(_ options: ReadingOptions) -> Dataset {
    let training = description.training.images
    func source(_ numbers: Range<Int>, _ split: PackedDescription.Split, _ kind: String) -> PackedImages {
      PackedImages(
        file: self, numbers: numbers, name: "\(description.name) \(kind)", uniformSize: split.uniformSize,
        limits: options.images)
    }
    return Dataset(
      name: description.name, training: source(0..<training, description.training, "training"),
      heldOut: source(training..<header.records, description.heldOut, "held-out"), resolution: description.resolution,
      normalization: description.normalization, format: description.source,
      onBadImage: options.onBadImage)
  }
}
