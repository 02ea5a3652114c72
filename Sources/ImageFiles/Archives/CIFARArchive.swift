import Foundation
import Support

/// CIFAR's binary version as its authors publish it: one archive with a folder of binary files.
struct CIFARArchive {
  private let shard: ArchiveShard
  private let layout: CIFARLayout
  private let training: [Int]
  private let heldOut: Int

  /// Finds the files in an archive; nil when there are none.
  ///
  /// - Throws: ``Support/FileFailure`` when it is another version, or a part is missing.
  init?(_ shards: [ArchiveShard]) throws {
    guard shards.count == 1, let shard = shards.first else { return nil }
    let names = shard.members.map { ($0.name as NSString).lastPathComponent }
    func index(_ name: String) -> Int? { names.firstIndex(of: name) }
    let batches = names.indices.filter { names[$0].hasPrefix("data_batch_") }
    if names.contains("data_batch_1") || (names.contains("train") && names.contains("meta")) {
      throw FileFailure(
        .badData, path: shard.path,
        reason:
          "is CIFAR's version for Python, whose files are pickles, which are not read because reading them can run "
          + "code; take the binary version (cifar-10-binary.tar.gz, cifar-100-binary.tar.gz)")
    }
    let binary = batches.filter { names[$0].hasSuffix(".bin") }
    if !binary.isEmpty, let test = index("test_batch.bin") {
      (layout, training, heldOut) = (.cifar10, binary.sorted { names[$0] < names[$1] }, test)
    } else if let train = index("train.bin"), let test = index("test.bin") {
      (layout, training, heldOut) = (.cifar100, [train], test)
    } else {
      return nil
    }
    self.shard = shard
  }

  func open(name: String) throws -> Dataset {
    let classNames =
      layout == .cifar10 ? CIFARFolder.cifar10Names : try fineNames() ?? (0..<100).map(String.init)
    func images(_ members: [Int], _ split: String) throws -> InMemoryImages {
      let shard = shard
      return try InMemoryImages(
        cifar: layout,
        contents: members.map { member in
          (shard.name(of: member), { try shard.bytes(of: member, limit: ImageLimits.archiveMemberBytes) })
        }, name: "\(name) \(split)", classNames: classNames)
    }
    return Dataset(
      name: name, training: try images(training, "training"), heldOut: try images([heldOut], "held-out"),
      resolution: 32, normalization: layout == .cifar10 ? .cifar10 : .cifar100,
      format: "an archive of CIFAR binary files")
  }

  private func fineNames() throws -> [String]? {
    let place = shard.members.firstIndex { $0.name.hasSuffix("fine_label_names.txt") }
    let names = try place.map { member in
      String(decoding: try shard.bytes(of: member, limit: 1 << 20), as: UTF8.self)
        .split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
    return names?.count == 100 ? names : nil
  }
}
