import Support

/// The parsed and validated header of a safetensors file.
struct SafetensorsHeader {
  /// The format's limit on the length of a header.
  static let longest = 100_000_000
  /// The key under which free text stands.
  static let metadataKey = "__metadata__"

  var entries: [String: SafetensorsFile.Entry] = [:]
  var metadata: [String: String] = [:]

  /// What else a file is by its first bytes, and what to do about it; nil for what may be a safetensors file.
  private static func otherKind(_ bytes: UnsafeRawBufferPointer) -> String? {
    func begins(_ text: String) -> Bool { bytes.starts(with: text.utf8) }
    if PyTorchCheckpoint.begins(bytes) {
      return
        "it is a file of torch.save (.pth, .pt); convert it once: python3 -c \"import torch, safetensors.torch as s; "
        + "s.save_file(torch.load('FILE.pth', weights_only=True), 'FILE.safetensors')\""
    }
    if begins("version https://git-lfs") {
      return "it is a pointer of Git LFS that stands for the file; git lfs pull fetches the file itself"
    }
    if begins("<!") || begins("<html") || begins("<?xml") {
      return "it is a web page, as a download that was refused leaves one; download the file again"
    }
    if begins("{") {
      return "it is a JSON document, such as an index of shards; name the .safetensors file, or join the shards first"
    }
    return nil
  }

  /// Whether a file begins as one of this kind: with the length of a header that fits it, and a header that is an object.
  static func begins(_ start: [UInt8], fileSize: Int) -> Bool {
    guard start.count >= 9, start[8] == UInt8(ascii: "{") else { return false }
    let length = start[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return length <= UInt64(longest) && Int(length) <= fileSize - 8
  }

  /// The bytes at the start of a file that its header takes, as far as the first 8 of them tell.
  static func extent(_ start: UnsafeRawBufferPointer, fileSize: Int) -> Int {
    guard start.count >= 8 else { return start.count }
    let length = UInt64(littleEndian: start.loadUnaligned(as: UInt64.self))
    return length <= UInt64(longest) ? min(fileSize, 8 + Int(length)) : min(fileSize, 64)
  }

  /// Reads and checks the header of a whole file.
  init(file bytes: UnsafeRawBufferPointer, path: String) throws {
    try self.init(start: bytes, fileSize: bytes.count, path: path)
  }

  /// Reads and checks the header of a file.
  ///
  /// - Parameters:
  ///   - bytes: The file's first bytes, as many as ``extent(_:fileSize:)`` says or more.
  ///   - fileSize: The bytes of the whole file.
  init(start bytes: UnsafeRawBufferPointer, fileSize: Int, path: String) throws {
    func bad(_ reason: String) -> FileFailure {
      FileFailure(.badData, path: path, reason: "not a valid safetensors file: \(reason)")
    }
    guard bytes.count >= 8 else {
      throw bad("it has \(bytes.count) bytes, and the length of its header alone takes 8")
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(Self.longest) else {
      // Text as a number is longer than any header.
      if let other = Self.otherKind(bytes) { throw bad(other) }
      throw bad("its header claims \(length) bytes; the limit is \(Self.longest)")
    }
    let dataStart = 8 + Int(length)
    guard dataStart <= fileSize else {
      throw bad("its header claims \(length) bytes, but the file ends after \(fileSize - 8) of them")
    }
    var scanner = JSONScanner(UnsafeRawBufferPointer(rebasing: bytes[8..<dataStart]))
    var offsets: [String: Range<Int>] = [:]
    do {
      try read(&scanner, dataStart: dataStart, into: &offsets)
    } catch let error as JSONScannerError {
      throw bad("header, byte \(error.offset): \(error.reason)")
    }
    if let reason = Self.tilingFault(offsets, dataLength: fileSize - dataStart) { throw bad(reason) }
  }

  private mutating func read(
    _ scanner: inout JSONScanner, dataStart: Int, into offsets: inout [String: Range<Int>]
  ) throws {
    var entries: [String: SafetensorsFile.Entry] = [:]
    var metadata: [String: String] = [:]
    try scanner.object { scanner, name in
      if name == Self.metadataKey {
        try scanner.object { scanner, key in metadata[key] = try scanner.string() }
        return
      }
      let start = scanner.position
      let (type, shape, range) = try Self.tensor(&scanner)
      guard let byteCount = type.byteCount(shape: shape) else {
        throw scanner.failure("\(name): the size of shape \(shape) overflows", at: start)
      }
      guard range.count == byteCount else {
        throw scanner.failure(
          "\(name): \(type.rawValue) of shape \(shape) takes \(byteCount) bytes, data_offsets give \(range.count)",
          at: start)
      }
      let (end, overflow) = range.upperBound.addingReportingOverflow(dataStart)
      guard !overflow else { throw scanner.failure("\(name): data_offsets overflow", at: start) }
      offsets[name] = range
      entries[name] = SafetensorsFile.Entry(
        type: type, shape: shape, byteRange: range.lowerBound + dataStart..<end)
    }
    scanner.skipWhitespace()
    guard scanner.isAtEnd else { throw scanner.failure("something follows the header's object") }
    self.entries = entries
    self.metadata = metadata
  }

  private static func tensor(
    _ scanner: inout JSONScanner
  ) throws -> (type: SafetensorsType, shape: [Int], range: Range<Int>) {
    let start = scanner.position
    var type: SafetensorsType?
    var shape: [Int]?
    var offsets: [Int]?
    try scanner.object { scanner, key in
      switch key {
      case "dtype":
        let place = scanner.position
        let name = try scanner.string()
        guard let known = SafetensorsType(rawValue: name) else {
          let all = SafetensorsType.allCases.map(\.rawValue).joined(separator: " ")
          throw scanner.failure("the dtype '\(name)' is not supported; supported are \(all)", at: place)
        }
        type = known
      case "shape": shape = try scanner.integers()
      case "data_offsets": offsets = try scanner.integers()
      default: try scanner.skipValue()
      }
    }
    guard let type, let shape, let offsets else {
      throw scanner.failure("a tensor needs dtype, shape and data_offsets", at: start)
    }
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw scanner.failure("data_offsets must be [begin, end] with begin ≤ end, found \(offsets)", at: start)
    }
    return (type, shape, offsets[0]..<offsets[1])
  }

  /// Why the tensors do not cover the data area exactly once, or nil.
  private static func tilingFault(_ offsets: [String: Range<Int>], dataLength: Int) -> String? {
    let ordered = offsets.sorted { a, b in
      (a.value.lowerBound, a.value.upperBound, a.key) < (b.value.lowerBound, b.value.upperBound, b.key)
    }
    var end = 0
    for (name, range) in ordered {
      if range.lowerBound > end { return "\(name): bytes \(end)..<\(range.lowerBound) before it belong to no tensor" }
      if range.lowerBound < end { return "\(name): it begins at \(range.lowerBound), inside another tensor" }
      end = range.upperBound
    }
    if end > dataLength { return "it is cut short: the tensors take \(end) bytes, \(dataLength) are there" }
    if end < dataLength { return "\(dataLength - end) bytes follow the last tensor" }
    return nil
  }
}
