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
  // Paths relative to the root, without the class folder.
  private let files: [String]
  private let labels: [Int]

  /// Lists the class folders in `root`.
  ///
  /// - Parameters:
  ///   - root: the folder that holds the class folders.
  ///   - name: what the images are called in messages.
  ///   - classNames: the classes that must be there, for a held-out split; nil takes the folders that are there.
  /// - Throws: ``Support/FileFailure`` when the folder is missing, a class has no image or a file is of another format.
  public init(root: String, name: String, classNames: [String]? = nil) throws {
    let folders = try FolderListing.entries(of: root).folders
    guard !folders.isEmpty else {
      throw FileFailure(.badData, path: root, reason: "holds no class folders")
    }
    if let classNames, classNames != folders {
      throw Self.differentClasses(root: root, expected: classNames, found: folders)
    }
    var files: [String] = []
    var labels: [Int] = []
    for (label, folder) in folders.enumerated() {
      let found = try FolderListing.filesBelow(root + "/" + folder, isWanted: Self.isImageName)
      guard !found.isEmpty else {
        throw FileFailure(
          .badData, path: root + "/" + folder,
          reason: "the class has no image (looked for \(Self.extensions.joined(separator: ", ")))")
      }
      for file in found where !Self.isDecodableName(file) {
        let path = "\(root)/\(folder)/\(file)"
        let signature = try FileBytes.prefix(path: path, count: 16)
        if ImageCodec(signature: signature) == nil {
          throw ImageCodec.unsupported(path: path, signature: signature)
        }
      }
      files += found
      labels += [Int](repeating: label, count: found.count)
    }
    self.init(root: root, name: name, classNames: folders, files: files, labels: labels)
  }

  private init(root: String, name: String, classNames: [String], files: [String], labels: [Int]) {
    self.root = root
    self.name = name
    self.classNames = classNames
    self.files = files
    self.labels = labels
    uniformSize = Self.commonSize(
      of: Self.probes(files.count).map { index in
        { try PixelImage.declaredSize(path: "\(root)/\(classNames[labels[index]])/\(files[index])") }
      })
  }

  /// The number of images.
  public var count: Int { files.count }

  /// 3: grey images are repeated, as torchvision does.
  public var channels: Int { 3 }

  /// The class of image `index`.
  public func label(at index: Int) -> Int { labels[index] }

  /// The path of image `index`.
  public func path(at index: Int) -> String { "\(root)/\(classNames[labels[index]])/\(files[index])" }

  /// Image `index`, in colour.
  public func image(at index: Int) throws -> PixelImage {
    try PixelImage.decode(path: path(at: index), channels: channels)
  }

  /// Image `index`, in colour; JPEG at 1/2, 1/4 or 1/8 of its size where `reduction` allows.
  public func image(at index: Int, reducedBy reduction: (ImageSize) -> Int) throws -> PixelImage {
    try PixelImage.decode(path: path(at: index), channels: channels, reducedBy: reduction)
  }

  /// The images at `indices` as a source of their own.
  func subset(_ indices: [Int], name: String) -> ImageFolder {
    ImageFolder(
      root: root, name: name, classNames: classNames, files: indices.map { files[$0] },
      labels: indices.map { labels[$0] })
  }
}

extension ImageFolder {
  private static let extensions = ["jpg", "jpeg", "png", "ppm", "bmp", "pgm", "tif", "tiff", "webp"]
  private static let largestUniformSide = 96

  private static func fileExtension(_ name: String) -> String {
    name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() } ?? ""
  }

  static func isImageName(_ name: String) -> Bool { extensions.contains(fileExtension(name)) }

  // JPEG or PNG by name; the content of the other files is looked at while listing, so that a run fails at its start.
  private static func isDecodableName(_ name: String) -> Bool {
    extensions.prefix(3).contains(fileExtension(name))
  }

  // Sixteen images, evenly spread.
  static func probes(_ count: Int) -> [Int] {
    (0..<min(16, count)).map { $0 * count / min(16, count) }
  }

  // A damaged image is not reported here but when it is decoded, with its own message.
  static func commonSize(of sizes: [() throws -> ImageSize]) -> ImageSize? {
    var common: ImageSize?
    for declared in sizes {
      guard let size = try? declared(), max(size.width, size.height) <= largestUniformSide,
        common == nil || common == size
      else { return nil }
      common = size
    }
    return common
  }

  private static func differentClasses(root: String, expected: [String], found: [String]) -> FileFailure {
    let missing = expected.filter { !found.contains($0) }
    let extra = found.filter { !expected.contains($0) }
    var parts: [String] = []
    if !missing.isEmpty { parts.append("lacks the class folder(s) " + missing.prefix(5).joined(separator: ", ")) }
    if !extra.isEmpty {
      parts.append("has class folder(s) that training lacks: " + extra.prefix(5).joined(separator: ", "))
    }
    return FileFailure(.badData, path: root, reason: parts.joined(separator: " and "))
  }
}
