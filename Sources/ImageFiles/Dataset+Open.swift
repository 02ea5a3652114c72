import Foundation
import Support

extension Dataset {
  /// The names that ``open(_:options:)`` knows without a path.
  public static var knownNames: [String] { KnownDataset.allCases.map(\.rawValue) }

  /// Opens a data set by its name or by the path of its folder.
  ///
  /// A known name is looked for in `$FASHION_MNIST` (that one only), `$WIDTH_TRANSFER_DATA/NAME`, `./data/NAME` and where
  /// the system's package puts it. A path is recognised by what the folder holds: the four IDX files of the MNIST family
  /// (raw or gzip-compressed), CIFAR's binary files, tar archives, or class folders; a file is a tar archive or packed.
  ///
  /// - Throws: ``Support/FileFailure``: `missing` when there is nothing at the place, `badData` when it is not recognised
  ///   or damaged.
  public static func open(_ nameOrPath: String, options: ReadingOptions = .init()) throws -> Dataset {
    try open(nameOrPath, environment: ProcessInfo.processInfo.environment, options: options)
  }

  static func open(
    _ nameOrPath: String, environment: [String: String], options: ReadingOptions = .init()
  ) throws -> Dataset {
    if let known = KnownDataset(rawValue: nameOrPath) {
      return try open(folder: known.folder(environment: environment), name: nameOrPath, known: known, options)
    }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: nameOrPath, isDirectory: &isFolder) else {
      if let shards = try PathPattern(nameOrPath)?.matches(), !shards.isEmpty {
        return try open(shards: shards, pattern: nameOrPath, options)
      }
      throw FileFailure(
        .missing, path: nameOrPath,
        reason: "there is no such folder, and no data set is known by this name; known are "
          + knownNames.joined(separator: ", "))
    }
    guard isFolder.boolValue else {
      let file = (nameOrPath as NSString).lastPathComponent
      if try PackedFile.isPacked(nameOrPath) { return try PackedFile(path: nameOrPath).open(options) }
      guard TarShards.isArchiveName(file) else {
        throw FileFailure(
          .badData, path: nameOrPath,
          reason:
            "is a file, but neither packed by `data pack` nor a tar archive; name a .tar, .tar.gz, .tar.bz2, .tar.xz or "
            + ".tar.zst, or the folder that holds the data set")
      }
      return try TarShards(files: [nameOrPath], options: options).open(
        name: file.split(separator: ".").first.map(String.init) ?? file, place: nameOrPath)
    }
    return try open(folder: nameOrPath, name: URL(fileURLWithPath: nameOrPath).lastPathComponent, options)
  }

  /// Recognises what `folder` holds and opens it.
  private static func open(
    folder: String, name: String, known: KnownDataset? = nil, _ options: ReadingOptions
  ) throws -> Dataset {
    let (folders, files) = try FolderListing.entries(of: folder)
    if let quartet = try IDXQuartet(folder: folder, files: files) {
      return try quartet.open(name: name, known: known, options: options)
    }
    if let binary = try CIFARFolder(folder: folder, files: files) { return try binary.open(name: name) }
    for nested in ["cifar-10-batches-bin", "cifar-100-binary", "tiny-imagenet-200", "FashionMNIST", "MNIST", "raw"]
    where folders.contains(nested) {
      return try open(folder: folder + "/" + nested, name: name, known: known, options)
    }
    if let shards = try TarShards(folder: folder, folders: folders, files: files, options: options) {
      return try shards.open(name: name, place: folder)
    }
    if let classes = try ClassFolders(folder: folder, options: options) {
      return try classes.open(name: name)
    }
    throw FileFailure(.badData, path: folder, reason: notRecognised(folders: folders, files: files))
  }

  /// Archives that a pattern names.
  private static func open(shards: [String], pattern: String, _ options: ReadingOptions) throws -> Dataset {
    if let other = shards.first(where: { !TarShards.isArchiveName($0) }) {
      throw FileFailure(.badData, path: other, reason: "is no tar archive, and the pattern \(pattern) names it")
    }
    let folder = URL(fileURLWithPath: shards[0]).deletingLastPathComponent().lastPathComponent
    return try TarShards(files: shards, options: options).open(name: folder, place: pattern)
  }

  private static func notRecognised(folders: [String], files: [String]) -> String {
    let found = folders.map { $0 + "/" } + files
    let list = found.prefix(8).joined(separator: ", ") + (found.count > 8 ? ", and \(found.count - 8) more" : "")
    var message =
      "is not a data set that is recognised. Looked for: "
      + "train-images-idx3-ubyte and its three companions (raw or .gz); "
      + "data_batch_1.bin with test_batch.bin, or train.bin with test.bin (CIFAR's binary version); "
      + "train/ with class folders of JPEG or PNG images, and val/ or test/; class folders alone; tar archives of such or of "
      + "WebDataset's samples. "
      + "Found: " + (found.isEmpty ? "nothing" : list)
    if files.contains(where: { $0.hasSuffix(".part") }) {
      message += ". A download is not finished: run width-transfer data download again, which goes on with it"
    } else if files.contains(where: { $0.hasSuffix(".zip") }) {
      message += ". Unpack the archives first: of archives, tar is read"
    }
    return message
  }
}
