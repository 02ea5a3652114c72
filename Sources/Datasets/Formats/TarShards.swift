import Foundation
import Support

/// A data set in tar archives: one file, or the shards of a folder.
struct TarShards {
  /// The paths of the shards by split; without splits all are training shards.
  private let training: [String]
  private let heldOut: [String]
  private let options: ReadingOptions

  private static let endings = [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst"]
  private static let heldOutNames = ["val", "validation", "test"]
  /// Images that are held out of each class when there is no split.
  private static let heldOutFraction = 0.1

  static func isArchiveName(_ name: String) -> Bool { endings.contains { name.lowercased().hasSuffix($0) } }

  /// Finds shards among the files of a folder; nil when there are none.
  init?(folder: String, files: [String], options: ReadingOptions = .init()) {
    let archives = files.filter(Self.isArchiveName)
    guard !archives.isEmpty else { return nil }
    // The first word that names a split: `train-000.tar`, `imagenet-val-00.tar.gz`.
    func split(_ name: String) -> String? {
      name.lowercased().split { !$0.isLetter }.map(String.init).first {
        $0 == "train" || $0 == "training" || Self.heldOutNames.contains($0)
      }
    }
    // Several held-out splits: the first of val, validation, test.
    let heldOutSplit = Self.heldOutNames.first { name in archives.contains { split($0) == name } }
    let heldOut = archives.filter { heldOutSplit != nil && split($0) == heldOutSplit }
    let training = archives.filter { name in !(split(name).map(Self.heldOutNames.contains) ?? false) }
    self.init(
      training: training.map { folder + "/" + $0 }, heldOut: heldOut.map { folder + "/" + $0 }, options: options)
  }

  /// One archive.
  init(file: String, options: ReadingOptions = .init()) { self.init(training: [file], heldOut: [], options: options) }

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
    let found = try ArchiveLayout.samples(of: shards)
    guard !found.places.isEmpty else { throw nothing(shards) }
    if heldOut.isEmpty, let splits = Self.inner(found, shards) { return try dataset(name: name, shards, splits) }
    let heldOutShards = try heldOut.map { try ArchiveShard(path: $0, limits: options.archives) }
    let other = heldOutShards.isEmpty ? nil : try ArchiveLayout.samples(of: heldOutShards)
    let classNames = try Self.classNames(found, other, at: heldOut.first ?? place)
    let all = source("\(name) training", shards, found, classNames)
    if let other {
      guard !other.places.isEmpty else { throw nothing(heldOutShards) }
      return dataset(
        name: name, training: all, heldOut: source("\(name) held-out", heldOutShards, other, classNames))
    }
    return try split(all, name: name, place: place)
  }

  /// Holds a part of every class out.
  private func split(_ all: ArchiveImages, name: String, place: String) throws -> Dataset {
    let chosen = Set(all.classBalancedIndices(fraction: Self.heldOutFraction, seed: 0))
    let rest = all.indices.filter { !chosen.contains($0) }
    guard Set(rest.map(all.label)).count == Set(all.indices.map(all.label)).count else {
      throw FileFailure(
        .badData, path: place,
        reason: "a class has one image; to hold some out it needs two, or give the data set a shard called val")
    }
    return dataset(
      name: name, training: all.subset(rest, name: "\(name) training"),
      heldOut: all.subset(chosen.sorted(), name: "\(name) held-out"))
  }

  private func nothing(_ shards: [ArchiveShard]) -> FileFailure {
    FileFailure(
      .badData, path: shards[0].path,
      reason: "holds no images. Looked for WebDataset samples (KEY.jpg with KEY.cls), class folders (CLASS/IMAGE.jpg, "
        + "with train/ and val/ around them or not) and CIFAR's binary files. Its first member is "
        + ArchiveReader.shown(shards[0].members[0].name))
  }

  private func dataset(name: String, training: ArchiveImages, heldOut: ArchiveImages) -> Dataset {
    Dataset(
      name: name, training: training, heldOut: heldOut, resolution: training.uniformSize?.shortSide ?? 224,
      normalization: .imageNet, format: "tar archives of images", onBadImage: options.onBadImage)
  }

  private func source(
    _ name: String, _ shards: [ArchiveShard], _ found: ArchiveLayout.Found, _ classNames: [String]
  ) -> ArchiveImages {
    let labels = Dictionary(classNames.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    var samples = zip(found.places, found.classes).map { place, kind in
      let label: Int
      switch kind {
      case .named(let name): label = labels[name] ?? 0
      case .numbered(let number): label = number
      }
      return ArchiveImages.Sample(shard: place.shard, member: place.member, label: label)
    }
    Self.sort(&samples, shards)
    return ArchiveImages(
      name: name, classNames: classNames, shards: shards, samples: samples, limits: options.images)
  }

  /// Brings samples into the order that the same images have in class folders, so that equal seeds draw equal samples from both.
  /// Equal names (shards that each count from zero) keep the order of the shards.
  private static func sort(_ samples: inout [ArchiveImages.Sample], _ shards: [ArchiveShard]) {
    func precedes(_ a: ArchiveImages.Sample, _ b: ArchiveImages.Sample) -> Bool {
      if a.label != b.label { return a.label < b.label }
      let (first, second) = (shards[a.shard].members[a.member].name, shards[b.shard].members[b.member].name)
      if first != second { return ByteOrder.visitsBefore(first, second) }
      return (a.shard, a.member) < (b.shard, b.member)
    }
    samples.sort(by: precedes)
  }

  /// Names of folders in the order of their bytes, or numbers up to the largest.
  private static func classNames(
    _ found: ArchiveLayout.Found, _ other: ArchiveLayout.Found?, at path: String
  ) throws -> [String] {
    func names(_ found: ArchiveLayout.Found) -> (named: Set<String>, largest: Int?) {
      var (named, largest): (Set<String>, Int?) = ([], nil)
      for kind in Set(found.classes) {
        switch kind {
        case .named(let name): named.insert(name)
        case .numbered(let number): largest = max(largest ?? 0, number)
        }
      }
      return (named, largest)
    }
    let (own, others) = (names(found), other.map(names))
    if let largest = own.largest {
      guard others?.named.isEmpty ?? true, others?.largest.map({ $0 <= largest }) ?? true else {
        throw FileFailure(.badData, path: path, reason: "has classes that the training shards do not have")
      }
      return (0...largest).map(String.init)
    }
    guard others == nil || others?.named == own.named else {
      let differing = own.named.symmetricDifference(others?.named ?? []).sorted().prefix(5).joined(separator: ", ")
      throw FileFailure(.badData, path: path, reason: "has other classes than the training shards: \(differing)")
    }
    return own.named.sorted { ByteOrder.precedes($0, $1) }
  }
}

extension TarShards {
  /// The two splits of one archive whose folders are `train` and `val` (below a common folder or not), by class folders.
  fileprivate struct Splits {
    var training: ArchiveLayout.Found
    var heldOut: ArchiveLayout.Found?
  }

  fileprivate static func inner(_ found: ArchiveLayout.Found, _ shards: [ArchiveShard]) -> Splits? {
    guard case .named = found.classes.first else { return nil }
    let paths = found.places.map { shards[$0.shard].members[$0.member].name.split(separator: "/").map(String.init) }
    // A folder around everything, as archives of folders have.
    let root = Set(paths.map { $0[0] }).count == 1 && paths.allSatisfy { $0.count > 2 } ? 1 : 0
    let tops = Set(paths.map { $0[root] })
    let heldOutName = heldOutNames.first(where: tops.contains)
    guard tops.contains("train") || root == 1 else { return nil }
    func part(_ split: String?) -> ArchiveLayout.Found {
      var part = ArchiveLayout.Found()
      let depth = root + (split == nil ? 0 : 1)
      for (place, path) in zip(found.places, paths)
      where path.count > depth + 1 && (split == nil || path[root] == split) {
        part.places.append(place)
        part.classes.append(.named(path[depth]))
      }
      return part
    }
    guard tops.contains("train") else { return Splits(training: part(nil), heldOut: nil) }
    return Splits(training: part("train"), heldOut: heldOutName.map { part($0) })
  }

  fileprivate func dataset(name: String, _ shards: [ArchiveShard], _ splits: Splits) throws -> Dataset {
    let classNames = try Self.classNames(splits.training, splits.heldOut, at: shards[0].path)
    let all = source("\(name) training", shards, splits.training, classNames)
    if let heldOut = splits.heldOut, !heldOut.places.isEmpty {
      return dataset(name: name, training: all, heldOut: source("\(name) held-out", shards, heldOut, classNames))
    }
    return try split(all, name: name, place: shards[0].path)
  }
}
