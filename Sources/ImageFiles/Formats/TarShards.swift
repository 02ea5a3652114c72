import Foundation
import Support

/// A data set in tar archives: one file, or the shards of a folder.
struct TarShards {
  /// The paths of the shards by split; without splits all are training shards.
  private let training: [String]
  private let heldOut: [String]
  private let options: ReadingOptions

  private static let endings = [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst"]
  private static let heldOutNames = ArchiveSplits.heldOutNames
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
        ArchiveSplits.trainingNames.contains($0) || Self.heldOutNames.contains($0)
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
    let splits = ArchiveSplits(try ArchiveLayout.samples(of: shards), shards)
    let found = splits.training ?? splits.all
    guard !found.places.isEmpty else { throw nothing(shards) }
    if heldOut.isEmpty, splits.training != nil { return try dataset(name: name, place: place, shards, splits) }
    let heldOutShards = try heldOut.map { try ArchiveShard(path: $0, limits: options.archives) }
    let others =
      heldOutShards.isEmpty ? nil : ArchiveSplits(try ArchiveLayout.samples(of: heldOutShards), heldOutShards)
    let other = others.map { $0.heldOut ?? $0.all }
    if let other, other.places.isEmpty { throw nothing(heldOutShards) }
    let classNames = try Self.classNames(found, other, at: heldOut.first ?? place)
    let all = source("\(name) training", shards, found, classNames)
    if let other {
      return dataset(
        name: name, training: all,
        heldOut: source("\(name) held-out", heldOutShards, other, classNames, uniformSize: .some(all.uniformSize)))
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
    _ name: String, _ shards: [ArchiveShard], _ found: ArchiveLayout.Found, _ classNames: [String],
    uniformSize: ImageSize?? = nil
  ) -> ArchiveImages {
    let labels = Dictionary(classNames.enumerated().map { (ByteName($1), $0) }, uniquingKeysWith: { first, _ in first })
    var samples = zip(found.places, found.classes).map { place, kind in
      let label: Int
      switch kind {
      case .named(let name): label = labels[name] ?? 0
      case .numbered(let number): label = number
      }
      return ArchiveImages.Sample(shard: place.shard, member: place.member, label: label)
    }
    samples = Self.latest(samples, shards)
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
  private static func classNames(
    _ found: ArchiveLayout.Found, _ other: ArchiveLayout.Found?, at path: String
  ) throws -> [String] {
    func names(_ found: ArchiveLayout.Found) -> (named: Set<ByteName>, largest: Int?) {
      var (named, largest): (Set<ByteName>, Int?) = ([], nil)
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
      let differing = own.named.symmetricDifference(others?.named ?? []).map(\.text).sorted().prefix(5).joined(
        separator: ", ")
      throw FileFailure(.badData, path: path, reason: "has other classes than the training shards: \(differing)")
    }
    return own.named.map(\.text).sorted { ByteOrder.precedes($0, $1) }
  }
}

extension TarShards {
  private func dataset(name: String, place: String, _ shards: [ArchiveShard], _ splits: ArchiveSplits) throws -> Dataset
  {
    let training = splits.training ?? splits.all
    let classNames = try Self.classNames(training, splits.heldOut, at: shards[0].path)
    let all = source("\(name) training", shards, training, classNames)
    guard let heldOut = splits.heldOut else { return try split(all, name: name, place: place) }
    return dataset(
      name: name, training: all,
      heldOut: source("\(name) held-out", shards, heldOut, classNames, uniformSize: .some(all.uniformSize)))
  }
}
