import Foundation
import Support

/// A data set in tar archives: one file, or the shards of a folder.
struct TarShards {
  /// The paths of the shards by split; without splits all are training shards.
  private let training: [String]
  private let heldOut: [String]
  private let options: ReadingOptions

  private static let endings = [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst"]
  static func isArchiveName(_ name: String) -> Bool { endings.contains { name.lowercased().hasSuffix($0) } }

  /// Finds shards among the files of a folder, or in its folders that are called as splits are; nil when there are none.
  init?(folder: String, folders: [String] = [], files: [String], options: ReadingOptions = .init()) throws {
    let archives = files.filter(Self.isArchiveName)
    guard archives.isEmpty else {
      let (training, heldOut) = Self.splits(archives) { name in
        // The first word that names a split: `train-000.tar`, `imagenet-val-00.tar.gz`.
        name.lowercased().split { !$0.isLetter }.map(String.init).first { word in
          ImageLayout.trainingNames.contains(word) || ImageLayout.heldOutNames.contains(word)
        }
      }
      self.init(
        training: training.map { folder + "/" + $0 }, heldOut: heldOut.map { folder + "/" + $0 }, options: options)
      return
    }
    var inner: [String] = []
    for name in folders
    where (ImageLayout.trainingNames + ImageLayout.heldOutNames).contains(name.lowercased()) {
      inner += try FolderListing.entries(of: folder + "/" + name).files.filter(Self.isArchiveName).map {
        name + "/" + $0
      }
    }
    guard !inner.isEmpty else { return nil }
    let (training, heldOut) = Self.splits(inner) { $0.split(separator: "/").first?.lowercased() }
    self.init(
      training: training.map { folder + "/" + $0 }, heldOut: heldOut.map { folder + "/" + $0 }, options: options)
  }

  /// Of several held-out splits the first of val, valid, …; what is called as no split is for training.
  private static func splits(
    _ archives: [String], _ split: (String) -> String?
  ) -> (training: [String], heldOut: [String]) {
    let heldOutSplit = ImageLayout.heldOutNames.first { name in archives.contains { split($0) == name } }
    return (
      archives.filter { name in !(split(name).map(ImageLayout.heldOutNames.contains) ?? false) },
      archives.filter { heldOutSplit != nil && split($0) == heldOutSplit }
    )
  }

  /// Some archives.
  init(files: [String], options: ReadingOptions = .init()) { self.init(training: files, heldOut: [], options: options) }

  private init(training: [String], heldOut: [String], options: ReadingOptions) {
    self.training = training
    self.heldOut = heldOut
    self.options = options
  }

  /// Lists the archives and finds out what they hold.
  func open(name: String, place: String) throws -> Dataset {
    guard !training.isEmpty else {
      throw FileFailure(
        .badData, path: place, reason: "has held-out shards (\(heldOut[0])) but none to train on")
    }
    let shards = try training.map { try ArchiveShard(path: $0, limits: options.archives) }
    if let cifar = try CIFARArchive(shards) { return try cifar.open(name: name) }
    let (layout, samples) = try read(shards, .all)
    let own = samples.of(layout.training)
    guard !own.places.isEmpty else { throw nothing(shards) }
    var remarks = layout.remarks + [samples.others].compactMap { $0 }
    var other: (found: ArchiveLayout.Found, shards: [ArchiveShard])?
    if !heldOut.isEmpty {
      let heldOutShards = try heldOut.map { try ArchiveShard(path: $0, limits: options.archives) }
      let (layout, samples) = try read(heldOutShards, .heldOut)
      let found = samples.of(layout.training)
      guard !found.places.isEmpty else { throw nothing(heldOutShards) }
      other = (found, heldOutShards)
      remarks += layout.remarks + [samples.others].compactMap { $0 }
    } else if let split = layout.heldOut {
      other = (samples.of(split), shards)
    }
    let classNames = try classNames(own, other?.found, at: heldOut.first ?? place, shards, &remarks)
    let all = try source("\(name) training", shards, own, classNames, &remarks)
    if let other {
      let source = try source(
        "\(name) held-out", other.shards, other.found, classNames, &remarks, uniformSize: .some(all.uniformSize))
      return dataset(name: name, training: all, heldOut: source, remarks)
    }
    return try split(all, name: name, place: place, remarks + [ClassFolders.noHeldOut])
  }

  private func read(
    _ shards: [ArchiveShard], _ part: ImageLayout.Part
  ) throws -> (layout: ImageLayout, samples: ArchiveLayout.Samples) {
    do {
      return try ArchiveLayout.read(shards, part: part)
    } catch let refusal as ImageLayout.Refusal {
      guard refusal.isUnrecognised else { throw refusal.failure(at: shards[0].path) }
      guard let stray = ArchiveLayout.firstImage(shards) else { throw nothing(shards) }
      if let labels = try ArchiveLayout.otherLabels(shards) {
        return try ArchiveLayout.read(shards, part: part, labels: labels)
      }
      throw FileFailure(
        .badData, path: stray,
        reason:
          "lies in no class folder and has no .cls beside it, nor a .json or .txt that says a class, so that its class is unknown"
          + (stray.split(separator: "/").last.map { $0.count { $0 == "." } > 1 } ?? false
            ? "; its name has several dots, and a sample's key ends at the first" : "")
      )
    }
  }

  /// Holds a part of every class out.
  private func split(_ all: ArchiveImages, name: String, place: String, _ remarks: [String]) throws -> Dataset {
    let chosen = Set(all.classBalancedIndices(fraction: ClassFolders.heldOutFraction, seed: 0))
    let rest = all.indices.filter { !chosen.contains($0) }
    guard Set(rest.map(all.label)).count == Set(all.indices.map(all.label)).count else {
      throw FileFailure(
        .badData, path: place,
        reason: "a class has one image; to hold some out it needs two, or give the data set a shard called val")
    }
    return dataset(
      name: name, training: all.subset(rest, name: "\(name) training"),
      heldOut: all.subset(chosen.sorted(), name: "\(name) held-out"), remarks)
  }

  private func nothing(_ shards: [ArchiveShard]) -> FileFailure {
    FileFailure(
      .badData, path: shards[0].path,
      reason: "holds no images. Looked for WebDataset samples (KEY.jpg with KEY.cls), class folders (CLASS/IMAGE.jpg, "
        + "with train/ and val/ around them or not) and CIFAR's binary files. Its first member is "
        + ArchiveReader.shown(shards[0].members[0].name))
  }

  private func dataset(
    name: String, training: ArchiveImages, heldOut: ArchiveImages, _ remarks: [String]
  ) -> Dataset {
    Dataset(
      name: name, training: training, heldOut: heldOut, resolution: training.uniformSize?.shortSide ?? 224,
      normalization: .imageNet, format: "tar archives of images", onBadImage: options.onBadImage,
      remarks: remarks)
  }

  private func source(
    _ name: String, _ shards: [ArchiveShard], _ found: ArchiveLayout.Found, _ classNames: [String],
    _ remarks: inout [String], uniformSize: ImageSize?? = nil
  ) throws -> ArchiveImages {
    let labels = Dictionary(classNames.enumerated().map { (ByteName($1), $0) }, uniquingKeysWith: { first, _ in first })
    var samples = zip(found.places, found.classes).map { place, kind in
      let label: Int
      switch kind {
      case .named(let name): label = labels[name] ?? 0
      case .numbered(let number): label = number
      case nil: label = 0
      }
      return ArchiveImages.Sample(shard: place.shard, member: place.member, label: label)
    }
    let count = samples.count
    samples = Self.latest(samples, shards)
    if samples.count < count {
      remarks.append(
        "\(name): \(count - samples.count) of \(count) images \(count - samples.count == 1 ? "has" : "have") the name of a later "
          + "one in the same archive, which takes the place")
    }
    Self.sort(&samples, shards)
    return ArchiveImages(
      name: name, classNames: classNames, shards: shards, samples: samples, limits: options.images,
      uniformSize: uniformSize)
  }

  /// Of images of one archive with one name, only the last: that is how an archive is brought up to date.
  private static func latest(
    _ samples: [ArchiveImages.Sample], _ shards: [ArchiveShard]
  ) -> [ArchiveImages.Sample] {
    struct Key: Hashable {
      var shard: Int
      var name: ByteName
    }
    var known: Set<Key> = []
    return samples.reversed().filter { sample in
      known.insert(Key(shard: sample.shard, name: ByteName(shards[sample.shard].members[sample.member].name))).inserted
    }
  }

  /// Brings samples into the order that the same images have in class folders, so that equal seeds draw equal samples from both.
  /// Equal names (shards that each count from zero) keep the order of the shards.
  private static func sort(_ samples: inout [ArchiveImages.Sample], _ shards: [ArchiveShard]) {
    func precedes(_ a: ArchiveImages.Sample, _ b: ArchiveImages.Sample) -> Bool {
      if a.label != b.label { return a.label < b.label }
      let (first, second) = (shards[a.shard].members[a.member].name, shards[b.shard].members[b.member].name)
      if !first.utf8.elementsEqual(second.utf8) { return ByteOrder.visitsBefore(first, second) }
      return (a.shard, a.member) < (b.shard, b.member)
    }
    samples.sort(by: precedes)
  }

  /// Names of folders in the order of their bytes, or numbers up to the largest.
  private func classNames(
    _ found: ArchiveLayout.Found, _ other: ArchiveLayout.Found?, at path: String, _ shards: [ArchiveShard],
    _ remarks: inout [String]
  ) throws -> [String] {
    func names(_ found: ArchiveLayout.Found) -> (named: Set<ByteName>, numbers: Set<Int>) {
      var (named, numbers): (Set<ByteName>, Set<Int>) = ([], [])
      for kind in Set(found.classes.compactMap { $0 }) {
        switch kind {
        case .named(let name): named.insert(name)
        case .numbered(let number): numbers.insert(number)
        }
      }
      return (named, numbers)
    }
    let (own, others) = (names(found), other.map(names))
    if let largest = own.numbers.max() {
      // A number from elsewhere, such as an identifier: nobody has a class for each and ten more.
      if largest >= max(1000, 10 * found.places.count), let index = found.classes.firstIndex(of: .numbered(largest)) {
        let place = found.places[index]
        throw FileFailure(
          .badData, path: shards[place.shard].name(of: place.member),
          reason: "has the class \(largest), in \(found.places.count) images; classes are numbered from 0 on")
      }
      guard others?.named.isEmpty ?? true else {
        throw FileFailure(.badData, path: path, reason: "has classes that the training shards do not have")
      }
      guard largest > 0 else {
        throw FileFailure(
          .badData, path: path,
          reason: "every image has the class 0: one class; to tell classes apart, two or more are needed")
      }
      let names = (0...largest).map(String.init)
      remarks += try NumberedClasses.remarks(
        names: names, training: own.numbers, heldOut: others?.numbers, at: path, options: options)
      return names
    }
    if let others, !others.numbers.isEmpty {
      throw FileFailure(
        .badData, path: path,
        reason: "has classes that are numbers beside classes that are names; which is which is not known")
    }
    if options.allowsMissingClasses, let others, others.named.isSubset(of: own.named) {
      let missing = own.named.subtracting(others.named).map(\.text)
      remarks += ImageFolder.noImages(of: missing.sorted { ByteOrder.precedes($0, $1) })
      return own.named.map(\.text).sorted { ByteOrder.precedes($0, $1) }
    }
    guard others == nil || others?.named == own.named else {
      let differing = own.named.symmetricDifference(others?.named ?? []).map(\.text).sorted().prefix(5).joined(
        separator: ", ")
      throw FileFailure(
        .badData, path: path,
        reason: "has other classes than the training shards: \(differing)"
          + (others?.named.isSubset(of: own.named) ?? false ? "; `allow-missing-classes` evaluates on the others" : ""))
    }
    return own.named.map(\.text).sorted { ByteOrder.precedes($0, $1) }
  }
}
