import Support

/// The two layouts of CIFAR's binary files.
public enum CIFARLayout: Hashable, Sendable {
  /// Records of one label and 3,072 samples.
  case cifar10
  /// Records of a coarse label, a fine label and 3,072 samples; the fine label is the class.
  case cifar100

  /// The number of classes.
  public var classCount: Int { self == .cifar10 ? 10 : 100 }
  /// The bytes of labels before the samples.
  var labelBytes: Int { self == .cifar10 ? 1 : 2 }
  /// The bytes of one record.
  var recordBytes: Int { labelBytes + 3 * 1024 }
}

extension InMemoryImages {
  /// Reads CIFAR's binary files, one after the other; each holds any whole number of records.
  ///
  /// - Throws: ``Support/FileFailure`` naming the file, the place and the reason.
  public init(cifar layout: CIFARLayout, files: [String], name: String, classNames: [String]) throws {
    try self.init(
      cifar: layout, contents: files.map { path in (path, { try FileBytes.read(path: path, limit: 1 << 32) }) },
      name: name, classNames: classNames)
  }

  /// Reads the contents of CIFAR's binary files, wherever they come from.
  init(
    cifar layout: CIFARLayout, contents: [(path: String, read: () throws -> [UInt8])], name: String,
    classNames: [String]
  ) throws {
    var labels: [Int] = []
    var pixels: [UInt8] = []
    for (path, read) in contents {
      let bytes = try read()
      guard !bytes.isEmpty, bytes.count % layout.recordBytes == 0 else {
        throw FileFailure(
          .badData, path: path,
          reason: "holds \(bytes.count) bytes, which is no whole number of records of \(layout.recordBytes) bytes; "
            + "the file is cut off or not in CIFAR's binary version")
      }
      pixels.reserveCapacity(pixels.count + bytes.count / layout.recordBytes * 3072)
      for start in stride(from: 0, to: bytes.count, by: layout.recordBytes) {
        let label = Int(bytes[start + layout.labelBytes - 1])
        guard label < classNames.count else {
          throw FileFailure(
            .badData, path: path,
            reason: "record \(start / layout.recordBytes) at byte \(start) has label \(label); "
              + "there are \(classNames.count) classes")
        }
        labels.append(label)
        let planes = start + layout.labelBytes
        for pixel in planes..<planes + 1024 {
          pixels.append(bytes[pixel])
          pixels.append(bytes[pixel + 1024])
          pixels.append(bytes[pixel + 2048])
        }
      }
    }
    self.init(
      name: name, size: ImageSize(width: 32, height: 32), channels: 3, classNames: classNames, labels: labels,
      pixels: pixels)
  }
}
