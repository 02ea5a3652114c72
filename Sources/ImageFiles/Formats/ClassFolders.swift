import Support

/// A folder whose sub-folders are splits or classes of images.
struct ClassFolders {
  private let folder: String
  private let layout: ImageLayout
  private let options: ReadingOptions

  /// Images that are held out of each class when there is no split of its own.
  static let heldOutFraction = 0.1
  /// What is said then.
  static let noHeldOut = "there is no held-out split: a tenth of every class is held out"

  /// Finds splits and classes; nil when there are neither.
  ///
  /// - Throws: ``Support/FileFailure`` for a layout that can be taken in more ways than one, or in none.
  init?(folder: String, options: ReadingOptions) throws {
    self.folder = folder
    self.options = options
    do {
      layout = try ImageLayout(DiskFolder(folder))
    } catch let refusal as ImageLayout.Refusal {
      if refusal.isUnrecognised { return nil }
      throw refusal.failure(at: folder)
    }
  }

  /// Lists the images.
  func open(name: String) throws -> Dataset {
    let root = place(layout.training)
    let all = try ImageFolder(root: root, name: "\(name) training", options: options)
    if let split = layout.heldOut {
      let other = try heldOut(place(split), name: "\(name) held-out", like: all)
      return dataset(
        name: name, training: all, heldOut: other, layout.remarks + said(all, layout.training) + said(other, split))
    }
    let chosen = Set(all.classBalancedIndices(fraction: Self.heldOutFraction, seed: 0))
    let rest = all.indices.filter { !chosen.contains($0) }
    guard Set(rest.map(all.label)).count == all.classNames.count else {
      let lonely = all.classNames.indices.first { label in !rest.contains { all.label(at: $0) == label } } ?? 0
      throw FileFailure(
        .badData, path: root + "/" + all.classNames[lonely],
        reason: "the class has one image; to hold some out it needs two, or give the data set a val/ folder")
    }
    return dataset(
      name: name, training: all.subset(rest, name: "\(name) training"),
      heldOut: all.subset(chosen.sorted(), name: "\(name) held-out"),
      layout.remarks + said(all, layout.training) + [Self.noHeldOut])
  }

  private func said(_ images: ImageFolder, _ split: ImageLayout.Split) -> [String] {
    images.remarks.map { split.path.isEmpty ? $0 : "in \(split.path.joined(separator: "/")): \($0)" }
  }

  private func place(_ split: ImageLayout.Split) -> String { ([folder] + split.path).joined(separator: "/") }

  // Class folders, or images beside a list of their classes, as Tiny ImageNet has them.
  private func heldOut(_ root: String, name: String, like training: ImageFolder) throws -> ImageFolder {
    if let annotations = try TinyImageNetAnnotations(folder: root) {
      return try annotations.images(name: name, like: training, options: options)
    }
    return try ImageFolder(
      root: root, name: name, classNames: training.classNames, options: options,
      uniformSize: .some(training.uniformSize))
  }

  private func dataset(
    name: String, training: ImageFolder, heldOut: ImageFolder, _ remarks: [String]
  ) -> Dataset {
    Dataset(
      name: name, training: training, heldOut: heldOut, resolution: training.uniformSize?.shortSide ?? 224,
      normalization: .imageNet, format: "class folders of images", onBadImage: options.onBadImage, remarks: remarks)
  }
}
