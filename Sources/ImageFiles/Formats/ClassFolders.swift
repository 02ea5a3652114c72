import Support

/// A folder whose sub-folders are splits or classes of images.
struct ClassFolders {
  private let folder: String
  // Relative to the folder; empty when the classes lie directly in it.
  private let training: String
  private let heldOut: String?
  private let options: ReadingOptions

  /// Images that are held out of each class when the folder has no split of its own.
  private static let heldOutFraction = 0.1

  /// Finds the splits among `folders`; nil when there are neither splits nor class folders with images.
  init?(folder: String, folders: [String], options: ReadingOptions) throws {
    self.folder = folder
    self.options = options
    if folders.contains("train") {
      training = "/train"
      heldOut = ["val", "test", "validation"].first(where: folders.contains).map { "/" + $0 }
    } else {
      let holdImages =
        try folders.count >= 2
        && folders.allSatisfy { name in
          try FolderListing.mayBeClass(folder + "/" + name, isWanted: ImageFolder.isImageName)
        }
      guard holdImages else { return nil }
      training = ""
      heldOut = nil
    }
  }

  /// Lists the images.
  func open(name: String) throws -> Dataset {
    let all = try ImageFolder(root: folder + training, name: "\(name) training", options: options)
    if let heldOut {
      let other = try self.heldOut(folder + heldOut, name: "\(name) held-out", like: all)
      return dataset(name: name, training: all, heldOut: other)
    }
    let chosen = Set(all.classBalancedIndices(fraction: Self.heldOutFraction, seed: 0))
    let rest = all.indices.filter { !chosen.contains($0) }
    guard Set(rest.map(all.label)).count == all.classNames.count else {
      let lonely = all.classNames.indices.first { label in !rest.contains { all.label(at: $0) == label } } ?? 0
      throw FileFailure(
        .badData, path: folder + training + "/" + all.classNames[lonely],
        reason: "the class has one image; to hold some out it needs two, or give the data set a val/ folder")
    }
    return dataset(
      name: name, training: all.subset(rest, name: "\(name) training"),
      heldOut: all.subset(chosen.sorted(), name: "\(name) held-out"))
  }

  // Class folders, or images beside a list of their classes, as Tiny ImageNet has them.
  private func heldOut(_ root: String, name: String, like training: ImageFolder) throws -> ImageFolder {
    if let annotations = try TinyImageNetAnnotations(folder: root) {
      return try annotations.images(name: name, like: training, options: options)
    }
    return try ImageFolder(
      root: root, name: name, classNames: training.classNames, options: options,
      uniformSize: .some(training.uniformSize))
  }

  private func dataset(name: String, training: ImageFolder, heldOut: ImageFolder) -> Dataset {
    Dataset(
      name: name, training: training, heldOut: heldOut, resolution: training.uniformSize?.shortSide ?? 224,
      normalization: .imageNet, format: "class folders of images", onBadImage: options.onBadImage)
  }
}
