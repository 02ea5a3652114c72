/// Which samples of an archive are for training and which are held out, told from the folders that they lie in.
struct ArchiveSplits {
  /// What folders of training images are called; letter case does not matter.
  static let trainingNames = ["train", "training"]
  /// What folders and shards of held-out images are called, the best first.
  static let heldOutNames = ["val", "validation", "valid", "test", "testing"]

  /// All samples, with their classes where no folder says that it is a split.
  private(set) var all: ArchiveLayout.Found
  /// The samples of the training folder; nil when there is none.
  private(set) var training: ArchiveLayout.Found?
  /// The samples of the held-out folder; nil when there is none.
  private(set) var heldOut: ArchiveLayout.Found?

  /// Sorts samples by their folders: `ROOT/SPLIT/CLASS/IMAGE`, of which the first two may be missing. WebDataset's samples know their
  /// classes and need no class folder.
  init(_ found: ArchiveLayout.Found, _ shards: [ArchiveShard]) {
    all = found
    guard let first = found.classes.first else { return }
    // Folders below a split: the class, or none.
    let depth: Int
    if case .named = first { depth = 1 } else { depth = 0 }
    let folders = found.places.map {
      shards[$0.shard].members[$0.member].name.split(separator: "/").dropLast().map(String.init)
    }
    // A folder around everything, as archives of folders have. Images in it directly are of no class.
    let tops = Set(folders.map { ByteName($0.first ?? "") })
    let root = tops.count == 1 && !folders[0].isEmpty && folders.contains { $0.count > depth } ? 1 : 0
    func part(_ names: [String]) -> ArchiveLayout.Found? {
      for name in names {
        var part = ArchiveLayout.Found()
        for (index, path) in folders.enumerated() where path.count > root + depth && path[root].lowercased() == name {
          part.places.append(found.places[index])
          part.classes.append(depth == 1 ? .named(ByteName(path[root + 1])) : found.classes[index])
        }
        if !part.places.isEmpty { return part }
      }
      return nil
    }
    training = part(Self.trainingNames)
    heldOut = part(Self.heldOutNames)
    guard depth == 1, root == 1 else { return }
    all = .init()
    for (index, path) in folders.enumerated() where path.count > root {
      all.places.append(found.places[index])
      all.classes.append(.named(ByteName(path[root])))
    }
  }
}
