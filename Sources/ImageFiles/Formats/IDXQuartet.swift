import Support

/// The four files of the MNIST family, found by their names.
struct IDXQuartet {
  private let trainingImages: String
  private let trainingLabels: String
  private let heldOutImages: String
  private let heldOutLabels: String

  /// Finds the files among `files`; nil when none of them is there.
  ///
  /// - Throws: ``Support/FileFailure`` when some are there and others are not.
  init?(folder: String, files: [String]) throws {
    func find(_ prefixes: [String], _ kind: String) -> String? {
      let stems = prefixes.flatMap { ["\($0)-\(kind)-", "\($0)-\(kind)."] }
      let candidates = files.filter { file in
        stems.contains(where: file.hasPrefix) && (file.hasSuffix("ubyte") || file.hasSuffix("ubyte.gz"))
      }
      // A raw file is read faster than the compressed one next to it.
      return (candidates.first { !$0.hasSuffix(".gz") } ?? candidates.first).map { folder + "/" + $0 }
    }
    let found = [
      ("train-images-idx3-ubyte", find(["train"], "images")), ("train-labels-idx1-ubyte", find(["train"], "labels")),
      ("t10k-images-idx3-ubyte", find(["t10k", "test"], "images")),
      ("t10k-labels-idx1-ubyte", find(["t10k", "test"], "labels")),
    ]
    let paths = found.compactMap(\.1)
    if paths.isEmpty { return nil }
    guard paths.count == 4 else {
      let missing = found.filter { $0.1 == nil }.map(\.0)
      throw FileFailure(
        .missing, path: folder,
        reason: "lacks \(missing.joined(separator: ", ")) (raw or with .gz), though others are there")
    }
    trainingImages = paths[0]
    trainingLabels = paths[1]
    heldOutImages = paths[2]
    heldOutLabels = paths[3]
  }

  /// Reads the files.
  ///
  /// - Parameters:
  ///   - name: what the data set is called.
  ///   - known: what the data are, when they were asked for by their known name. A folder's name says nothing.
  ///   - options: whether the held-out split may lack classes.
  func open(name: String, known: KnownDataset? = nil, options: ReadingOptions = .init()) throws -> Dataset {
    let labels = try IDXFile(path: trainingLabels, dimensions: 1).bytes
    let kind = Kind(firstLabels: Array(labels.prefix(10)), known)
    let training = try InMemoryImages(
      idxImages: trainingImages, labels: trainingLabels, name: "\(name) training", classNames: kind.classNames)
    let heldOut = try InMemoryImages(
      idxImages: heldOutImages, labels: heldOutLabels, name: "\(name) held-out", classNames: training.classNames)
    guard training.size == heldOut.size else {
      throw FileFailure(
        .badData, path: heldOutImages,
        reason: "holds images of \(heldOut.size), the training images are \(training.size)")
    }
    let remarks = try NumberedClasses.remarks(
      names: training.classNames, training: Set(training.indices.map(training.label)),
      heldOut: Set(heldOut.indices.map(heldOut.label)), at: heldOutLabels, options: options)
    return Dataset(
      name: name, training: training, heldOut: heldOut, resolution: training.size.shortSide,
      normalization: kind.normalization, format: "IDX files", remarks: remarks)
  }

  /// Which member of the family it is: told from its first labels, as all members have the same file names.
  private enum Kind {
    case mnist
    case fashionMNIST
    case other

    init(firstLabels: [UInt8], _ known: KnownDataset?) {
      if known == .mnist || firstLabels == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4] {
        self = .mnist
      } else if known == .fashionMNIST || firstLabels == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5] {
        self = .fashionMNIST
      } else {
        self = .other
      }
    }

    var classNames: [String]? {
      switch self {
      case .mnist: (0..<10).map(String.init)
      case .fashionMNIST:
        [
          "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
        ]
      case .other: nil
      }
    }

    var normalization: Normalization {
      switch self {
      case .mnist: .mnist
      case .fashionMNIST: .fashionMNIST
      case .other: .grey
      }
    }
  }
}
