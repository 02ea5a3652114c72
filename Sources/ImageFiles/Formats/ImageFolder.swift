import Support

/// Images in folders, one folder a class: torchvision's `ImageFolder`.
///
/// Classes are the names of the folders in the order of their bytes. Files are found at any depth, in a fixed order, by
/// their extension; which codec decodes a file is told from its first bytes. Every image comes back in colour.
public struct ImageFolder: ImageSource {
  /// What the images are called in messages.
  public let name: String
  /// The names of the class folders, sorted.
  public let classNames: [String]
  /// The common size, where all images looked at have one size of at most 96 pixels a side.
  public let uniformSize: ImageSize?
  private let root: String
  // Paths relative to the folder of the class.
  private let files: FileNames
  private let labels: [Int32]
  private let limits: ImageLimits
  // The folder of each class, relative to the root.
  private let folders: [String]
  /// What was left out while it was listed, in words.
  private(set) var remarks: [String] = []

  /// Lists the class folders in `root`.
  ///
  /// - Parameters:
  ///   - root: the folder that holds the class folders.
  ///   - name: what the images are called in messages.
  ///   - classNames: the classes that must be there, for a held-out split; nil takes the folders that are there.
  ///   - options: how images are read. Where a bad image ends the work, a file of another format ends it here.
  /// - Throws: ``Support/FileFailure`` when the folder is missing, a class has no image or a file is of another format.
  public init(root: String, name: String, classNames: [String]? = nil, options: ReadingOptions = .init()) throws {
    try self.init(root: root, name: name, classNames: classNames, options: options, uniformSize: nil)
  }

  /// Lists the class folders in `root`.
  ///
  /// - Parameter uniformSize: what is known of the images' size from another split, which decides for all; nil looks at them.
  init(
    root: String, name: String, classNames: [String]? = nil, options: ReadingOptions, uniformSize: ImageSize??
  ) throws {
    let index = try FolderIndex.open(root, cache: options.cache.map { FolderIndexCache(folder: $0, root: root) })
    // A folder of other files is no class; an empty one is a class without images.
    let classes = try index.classes.filter { found in
      guard found.count == 0 else { return true }
      if classNames != nil, options.allowsMissingClasses { return false }
      guard try !DiskFolder(root + "/" + found.name).isEmpty() else {
        throw FileFailure(
          .badData, path: root + "/" + found.name,
          reason: "the class has no image: the folder is empty. Fill it, or take it away here and in the other splits")
      }
      return false
    }
    let folders = classes.map(\.name)
    guard !folders.isEmpty else {
      throw FileFailure(.badData, path: root, reason: "holds no class folders")
    }
    let expected = classNames ?? folders
    let numbers = Dictionary(expected.enumerated().map { (ByteName($1), $0) }, uniquingKeysWith: { first, _ in first })
    let known = classes.compactMap { numbers[ByteName($0.name)] }
    let missing = expected.indices.filter { !Set(known).contains($0) }
    guard known.count == classes.count, missing.isEmpty || options.allowsMissingClasses else {
      throw Self.differentClasses(root: root, expected: expected, found: folders)
    }
    var labels: [Int32] = []
    for (label, found) in zip(known, classes) { labels += [Int32](repeating: Int32(label), count: found.count) }
    self.init(
      root: root, name: name, classNames: expected, folders: expected, files: index.files, labels: labels,
      limits: options.images, uniformSize: uniformSize)
    remarks =
      [index.others.otherFiles, index.brokenLinks.brokenLinks].compactMap { $0 }
      + Self.noImages(of: missing.map { expected[$0] })
    if options.onBadImage == .fail { try refuseOtherFormats(index) }
  }

  /// Images that a list names.
  ///
  /// - Parameters:
  ///   - files: paths relative to the root.
  ///   - labels: the class of each.
  init(
    root: String, name: String, classNames: [String], files: [String], labels: [Int], options: ReadingOptions,
    uniformSize: ImageSize?
  ) {
    self.init(
      root: root, name: name, classNames: classNames, folders: classNames.map { _ in "" }, files: FileNames(files),
      labels: labels.map(Int32.init), limits: options.images, uniformSize: .some(uniformSize))
  }

  private init(
    root: String, name: String, classNames: [String], folders: [String], files: FileNames, labels: [Int32],
    limits: ImageLimits, uniformSize: ImageSize??
  ) {
    self.root = root
    self.name = name
    self.classNames = classNames
    self.folders = folders
    self.files = files
    self.labels = labels
    self.limits = limits
    self.uniformSize =
      uniformSize
      ?? Self.commonSize(
        of: Self.probes(files.count).map { index in
          let path = Self.path(root, folders[Int(labels[index])], files[index])
          return { try PixelImage.declaredSize(path: path, limits: limits) }
        })
  }

  // JPEG or PNG by name; the content of the other files is looked at while listing, so that a run fails at its start.
  private func refuseOtherFormats(_ index: FolderIndex) throws {
    for number in index.oddlyNamed {
      let signature = try FileBytes.prefix(path: path(at: number), count: 16)
      if ImageCodec(signature: signature) == nil {
        throw ImageCodec.unsupported(path: path(at: number), signature: signature)
      }
    }
  }

  /// The number of images.
  public var count: Int { files.count }

  /// 3: grey images are repeated, as torchvision does.
  public var channels: Int { 3 }

  /// The class of image `index`.
  public func label(at index: Int) -> Int { Int(labels[index]) }

  /// The path of image `index`.
  public func path(at index: Int) -> String { Self.path(root, folders[Int(labels[index])], files[index]) }

  /// The path of image `index`.
  public func place(at index: Int) -> String { path(at: index) }

  /// The path below the root.
  public func relativeName(at index: Int) -> String { "\(folders[Int(labels[index])])/\(files[index])" }

  /// The size of image `index`'s file.
  public func byteCount(at index: Int) -> Int? { FileStatus(path: path(at: index))?.size }

  /// A part of image `index`, in colour; JPEG at 1/2, 1/4 or 1/8 of its size where that is enough.
  public func image(at index: Int, as request: (ImageSize) -> ImageRequest) throws -> PixelImage {
    try PixelImage.decode(path: path(at: index), channels: channels, limits: limits, as: request)
  }

  /// Reads image `index`'s file whole, to find out what is wrong with it.
  public func damage(at index: Int) throws -> String? {
    let path = path(at: index)
    return try FileBytes.read(path: path, limit: ImageLimits.fileBytes).withUnsafeBytes {
      try PixelImage.damage(bytes: $0, path: path, limits: limits)
    }
  }

  /// The content of image `index`'s file.
  public func file(at index: Int) throws -> [UInt8]? {
    try FileBytes.read(path: path(at: index), limit: ImageLimits.fileBytes)
  }

  private static func path(_ root: String, _ folder: String, _ file: String) -> String {
    folder.isEmpty ? "\(root)/\(file)" : "\(root)/\(folder)/\(file)"
  }

  /// The images at `indices` as a source of their own.
  func subset(_ indices: [Int], name: String) -> ImageFolder {
    ImageFolder(
      root: root, name: name, classNames: classNames, folders: folders, files: FileNames(indices.map { files[$0] }),
      labels: indices.map { labels[$0] }, limits: limits, uniformSize: .some(uniformSize))
  }
}

extension ImageFolder {
  private static let extensions = ["jpg", "jpeg", "png", "jfif", "jpe", "ppm", "bmp", "pgm", "tif", "tiff", "webp"]
  private static let largestUniformSide = 96

  private static func fileExtension(_ name: String) -> String {
    name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() } ?? ""
  }

  static func isImageName(_ name: String) -> Bool { extensions.contains(fileExtension(name)) }

  /// Whether a file is JPEG or PNG by its name.
  static func isDecodableName(_ name: String) -> Bool { extensions.prefix(5).contains(fileExtension(name)) }

  // Sixteen images, evenly spread.
  static func probes(_ count: Int) -> [Int] {
    (0..<min(16, count)).map { $0 * count / min(16, count) }
  }

  // A damaged image is passed over; it is reported when it is decoded, with its own message.
  static func commonSize(of sizes: [() throws -> ImageSize]) -> ImageSize? {
    var common: ImageSize?
    for declared in sizes {
      guard let size = try? declared() else { continue }
      guard max(size.width, size.height) <= largestUniformSide, common == nil || common == size else { return nil }
      common = size
    }
    return common
  }

  /// What to say of a held-out split that lacks classes.
  static func noImages(of classes: [String]) -> [String] {
    classes.isEmpty
      ? []
      : [
        "no held-out image of \(Format.list(classes, most: 5)): top-1, top-5 and loss are those of the others"
      ]
  }

  private static func differentClasses(root: String, expected: [String], found: [String]) -> FileFailure {
    let (own, others) = (Set(expected.map { ByteName($0) }), Set(found.map { ByteName($0) }))
    let missing = expected.filter { !others.contains(ByteName($0)) }
    let extra = found.filter { !own.contains(ByteName($0)) }
    var parts: [String] = []
    if !missing.isEmpty { parts.append("lacks the class folder(s) " + missing.prefix(5).joined(separator: ", ")) }
    if !extra.isEmpty {
      parts.append("has class folder(s) that training lacks: " + extra.prefix(5).joined(separator: ", "))
    }
    // To Unicode these are the same text; to file systems and to us they are not.
    let isLookAlike = missing.contains { name in extra.contains { $0 == name } }
    return FileFailure(
      .badData, path: root,
      reason: parts.joined(separator: " and ")
        + (isLookAlike
          ? "; some look the same and are written in other bytes (é as one character, or as e with an accent): rename them alike"
          : extra.isEmpty ? "; `allow-missing-classes` evaluates on the others" : ""))
  }
}
