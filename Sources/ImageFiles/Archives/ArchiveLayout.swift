import Foundation
import Support

/// What the members of tar archives mean: which are images, and which class each has.
enum ArchiveLayout {
  /// Samples whose classes are known by name or by number.
  struct Found {
    /// The class of every sample: its name for class folders, its number for WebDataset.
    enum Class: Hashable {
      case named(ByteName)
      case numbered(Int)
    }

    /// Where each sample is.
    var places: [(shard: Int, member: Int)] = []
    /// The class of each.
    var classes: [Class] = []
  }

  /// WebDataset where any member ends in `.cls`, else class folders.
  ///
  /// - Throws: ``Support/FileFailure`` of kind `badData` that names the shard and the member at fault.
  static func samples(of shards: [ArchiveShard]) throws -> Found {
    let isWebDataset = shards.contains { shard in shard.members.contains { key($0.name).field == "cls" } }
    return try isWebDataset ? webDataset(shards) : classFolders(shards)
  }

  /// WebDataset's rule: the key is the path up to the first dot of the base name, the field is the rest.
  static func key(_ name: String) -> (key: Substring, field: String) {
    let base = name.lastIndex(of: "/").map { name.index(after: $0) } ?? name.startIndex
    guard let dot = name[base...].firstIndex(of: ".") else { return (name[...], "") }
    return (name[..<dot], name[name.index(after: dot)...].lowercased())
  }

  private static func webDataset(_ shards: [ArchiveShard]) throws -> Found {
    var found = Found()
    for (number, shard) in shards.enumerated() {
      var current: Substring?
      var (image, label): (Int?, Int?) = (nil, nil)
      func finish() throws {
        defer { (image, label) = (nil, nil) }
        // Samples of other kinds (text, say) may lie between the images.
        guard let image else { return }
        guard let label else {
          throw FileFailure(
            .badData, path: shard.name(of: image), reason: "has no class: there is no .cls beside it in the shard")
        }
        found.places.append((number, image))
        found.classes.append(.numbered(label))
      }
      for (index, member) in shard.members.enumerated() {
        let (key, field) = key(member.name)
        if key != current {
          try finish()
          current = key
        }
        if field == "cls" {
          label = try Self.label(shard, index)
        } else if !field.contains("."), ImageFolder.isImageName("." + field) {
          // `seg.png` is a field of its own, and not the image.
          guard image == nil else {
            throw FileFailure(.badData, path: shard.name(of: index), reason: "is the second image of its sample")
          }
          image = index
        }
      }
      try finish()
    }
    return found
  }

  private static func label(_ shard: ArchiveShard, _ index: Int) throws -> Int {
    let text = String(decoding: try shard.bytes(of: index, limit: 64), as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    guard let label = Int(text), (0..<1_000_000).contains(label) else {
      throw FileFailure(
        .badData, path: shard.name(of: index),
        reason: "holds \"\(ArchiveReader.shown(text))\"; a class is a number from 0 on")
    }
    return label
  }

  // The first folder is the class; which folders lie above the classes is not known yet.
  private static func classFolders(_ shards: [ArchiveShard]) throws -> Found {
    var found = Found()
    var stray: (shard: Int, member: Int)?
    for (number, shard) in shards.enumerated() {
      for (index, member) in shard.members.enumerated() {
        let parts = member.name.split(separator: "/")
        guard ImageFolder.isImageName(member.name), parts.last?.hasPrefix(".") == false else { continue }
        guard parts.count > 1 else {
          stray = stray ?? (number, index)
          continue
        }
        found.places.append((number, index))
        found.classes.append(.named(ByteName(String(parts[0]))))
      }
    }
    // Beside class folders, as a picture beside the text about a data set, it is passed over.
    if found.places.isEmpty, let stray {
      throw FileFailure(
        .badData, path: shards[stray.shard].name(of: stray.member),
        reason: "lies in no class folder and has no .cls beside it, so that its class is unknown")
    }
    return found
  }
}
