import Support

/// A file of `torch.save` with a state dict, alone or in a checkpoint: what `torch.load(weights_only=True)` reads and a little more.
///
/// Both forms are read: the zip archive of PyTorch 1.6 and later, and the pickles in a row of before, which torchvision's older weights
/// still are. No code of the file is run. The file is read into memory as a whole.
struct PyTorchCheckpoint: Sendable {
  /// One tensor.
  struct Entry: Sendable {
    var type: SafetensorsType
    var shape: [Int]
    fileprivate var strides: [Int]
    fileprivate var offset: Int
    fileprivate var storage: String
  }

  let path: String
  let entries: [String: Entry]
  private let storages: [String: [UInt8]]

  /// Whether a file that begins with these bytes is one.
  static func begins(_ start: some Collection<UInt8>) -> Bool {
    start.starts(with: [0x50, 0x4B, 3, 4]) || start.starts(with: [0x80, 2])
  }

  /// Reads a file.
  ///
  /// - Throws: ``Support/FileFailure``: `badData` when the file is damaged or holds no state dict, `beyondLimit` when it is compressed.
  init(path: String) throws {
    let file = try RandomAccessFile(path: path)
    let isArchive = try file.bytes(0..<min(2, file.count)) == [0x50, 0x4B]
    let contents = isArchive ? try Contents(archive: path, size: file.count) : try Contents(file: file, path: path)
    self.path = path
    var entries: [String: Entry] = [:]
    for (name, view) in contents.tensors {
      func bad(_ reason: String) -> FileFailure { FileFailure(.badData, path: path, reason: "\(name): \(reason)") }
      guard let type = Self.types[view.storage.type] else {
        throw bad("elements in a \(view.storage.type) are not read")
      }
      guard let storage = contents.storages[view.storage.key] else { throw bad("its elements are not in the file") }
      let (bytes, overflows) = view.storage.elements.multipliedReportingOverflow(by: type.byteSize)
      guard view.storage.elements >= 0, !overflows, storage.count == bytes else {
        throw bad("\(view.storage.elements) elements are announced, and there are \(storage.count) bytes")
      }
      guard Self.lies(view, within: view.storage.elements) else {
        throw bad("shape \(view.shape) with strides \(view.strides) leads out of its elements, or repeats them")
      }
      entries[name] = Entry(
        type: type, shape: view.shape, strides: view.strides, offset: view.offset, storage: view.storage.key)
    }
    self.entries = entries
    storages = contents.storages
  }

  /// Calls `body` with a tensor's elements, row-major.
  func withBytes<Result>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
    guard let entry = entries[name], let storage = storages[entry.storage] else {
      throw FileFailure(.badData, path: path, reason: "it holds no tensor named '\(name)'")
    }
    // Its other sizes may be any numbers.
    guard !entry.shape.contains(0) else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    let size = entry.type.byteSize
    let count = entry.shape.reduce(1, *)
    return try storage.withUnsafeBytes { bytes in
      if entry.isRowMajor {
        return try body(UnsafeRawBufferPointer(rebasing: bytes[entry.offset * size..<(entry.offset + count) * size]))
      }
      let gathered = [UInt8](unsafeUninitializedCapacity: count * size) { output, initialized in
        let output = UnsafeMutableRawBufferPointer(output)
        var index = [Int](repeating: 0, count: entry.shape.count)
        var place = entry.offset
        for element in 0..<count {
          (output.baseAddress! + element * size).copyMemory(from: bytes.baseAddress! + place * size, byteCount: size)
          for dimension in entry.shape.indices.reversed() {
            index[dimension] += 1
            place += entry.strides[dimension]
            if index[dimension] < entry.shape[dimension] { break }
            place -= entry.strides[dimension] * entry.shape[dimension]
            index[dimension] = 0
          }
        }
        initialized = count * size
      }
      return try gathered.withUnsafeBytes(body)
    }
  }

  private static let types: [String: SafetensorsType] = [
    "torch.DoubleStorage": .float64, "torch.FloatStorage": .float32, "torch.HalfStorage": .float16,
    "torch.BFloat16Storage": .bfloat16, "torch.LongStorage": .int64, "torch.IntStorage": .int32,
    "torch.ShortStorage": .int16, "torch.CharStorage": .int8, "torch.ByteStorage": .uint8, "torch.BoolStorage": .bool,
  ]

  /// The bytes of an element in a storage of a type, nil for a type that is not known.
  fileprivate static func elementSize(_ type: String) -> Int? { types[type]?.byteSize }

  /// The most dimensions of a tensor: LibTorch's own limit.
  static let mostDimensions = 64

  /// Whether every element of a view is one of a storage's, no more of them than it has.
  private static func lies(_ view: Pickle.TensorView, within elements: Int) -> Bool {
    guard view.shape.count == view.strides.count, view.shape.count <= mostDimensions, view.offset >= 0,
      view.shape.allSatisfy({ $0 >= 0 }), view.strides.allSatisfy({ $0 >= 0 })
    else { return false }
    if view.shape.contains(0) { return true }
    var (last, count) = (view.offset, 1)
    for (size, stride) in zip(view.shape, view.strides) {
      let (step, tooFar) = (size - 1).multipliedReportingOverflow(by: stride)
      let (sum, tooLarge) = last.addingReportingOverflow(step)
      let (product, tooMany) = count.multipliedReportingOverflow(by: size)
      guard !tooFar, !tooLarge, !tooMany else { return false }
      (last, count) = (sum, product)
    }
    return last < elements && count <= elements
  }
}

extension PyTorchCheckpoint.Entry {
  fileprivate var isRowMajor: Bool {
    var expected = 1
    for (size, stride) in zip(shape, strides).reversed() {
      if size != 1 && stride != expected { return false }
      expected *= size
    }
    return true
  }
}

/// The two parts of a file: what stands in the pickle, and the elements.
private struct Contents {
  var tensors: [String: Pickle.TensorView]
  var storages: [String: [UInt8]] = [:]

  /// PyTorch 1.6 and later: `NAME/data.pkl`, and `NAME/data/KEY` for each storage.
  init(archive path: String, size: Int) throws {
    // torch.save does not compress; TorchScript does, its code alone.
    var members = try ZipMembers.read(path, limit: size + (1 << 26))
    guard let name = members.keys.first(where: { $0.hasSuffix("/data.pkl") || $0 == "data.pkl" }) else {
      let isModule = members.keys.contains { $0.hasSuffix("constants.pkl") }
      throw FileFailure(
        .badData, path: path,
        reason: isModule
          ? "it is a TorchScript module, whose code would have to be run; save its state_dict() instead"
          : "it is a zip archive, but none of torch.save: it has no data.pkl")
    }
    let folder = String(name.dropLast("data.pkl".count))
    if members["\(folder)constants.pkl"] != nil {
      throw FileFailure(
        .badData, path: path,
        reason: "it is a TorchScript module, whose code would have to be run; save its state_dict() instead")
    }
    if let order = members["\(folder)byteorder"], String(decoding: order, as: UTF8.self) != "little" {
      throw FileFailure(
        .badData, path: path, reason: "it was written on a big-endian machine; load it there and save it as safetensors"
      )
    }
    let pickle = members.removeValue(forKey: name) ?? []
    tensors = try pickle.withUnsafeBytes { bytes in
      try Self.reading(path) {
        var reader = PickleReader(bytes)
        return try StateDictionary(try reader.read(), in: reader).tensors
      }
    }
    for key in Set(tensors.values.map(\.storage.key)) { storages[key] = members["\(folder)data/\(key)"] }
  }

  /// Before PyTorch 1.6: a magic number, a version, the machine, the object, the storages' keys; then each storage's length and elements.
  init(file: RandomAccessFile, path: String) throws {
    (tensors, storages) = try file.withBytes(0..<file.count) { bytes in
      try Self.reading(path) {
        var reader = PickleReader(bytes)
        // What LibTorch's C++ writes, or any other program of Python's, begins otherwise.
        guard case .opaque("a long number") = try reader.read(), case .int(1001) = try reader.read() else {
          throw PickleError(offset: 0, reason: "it is a pickle, but none of torch.save")
        }
        _ = try reader.read()
        let tensors = try StateDictionary(try reader.read(), in: reader).tensors
        let keys = try reader.read()
        let types = Dictionary(tensors.values.map { ($0.storage.key, $0.storage.type) }) { first, _ in first }
        var storages: [String: [UInt8]] = [:]
        var position = reader.position
        for case .text(let key) in reader.list(keys) {
          guard position <= bytes.count - 8 else { throw PickleError(offset: position, reason: "it ends too early") }
          let count = Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Int64.self))
          position += 8
          guard let size = types[key].flatMap(PyTorchCheckpoint.elementSize) else {
            // Of an optimizer, say, and of a length that only its type tells: nothing behind it can be found.
            guard tensors.values.allSatisfy({ storages[$0.storage.key] != nil }) else {
              throw PickleError(
                offset: position, reason: "tensors of another kind lie before the weights; save the state dict alone")
            }
            break
          }
          let (length, overflow) = Int(count).multipliedReportingOverflow(by: size)
          guard !overflow, length >= 0, length <= bytes.count - position else {
            throw PickleError(offset: position, reason: "it ends within the tensors")
          }
          storages[key] = [UInt8](bytes[position..<position + length])
          position += length
        }
        return (tensors, storages)
      }
    }
  }

  private static func reading<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let error as PickleError {
      throw FileFailure(
        .badData, path: path, reason: "not a valid file of torch.save: \(error.reason), at byte \(error.offset)")
    } catch let absence as StateDictionary.Absence {
      throw FileFailure(.badData, path: path, reason: "it is a file of torch.save, but \(absence.reason)")
    }
  }
}
