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
    /// The class of each; nil where the folders have yet to say.
    var classes: [Class?] = []
  }

  /// Whether archives are WebDataset's: any member ends in `.cls`.
  static func isWebDataset(_ shards: [ArchiveShard]) -> Bool {
    shards.contains { shard in shard.members.contains { !HiddenNames.hides($0.name) && key($0.name).field == "cls" } }
  }

  /// Which field of WebDataset's samples says the class.
  enum LabelField: String {
    /// A number.
    case cls
    /// An object with a number or a name under `cls`, `label` or `class`.
    case json
    /// A number or a name.
    case txt
  }

  /// The field of classes in archives whose images lie in no class folders and have no `.cls` beside them; nil when there is none.
  ///
  /// Only then: beside images in class folders, such files are annotations of other kinds.
  static func otherLabels(_ shards: [ArchiveShard]) throws -> LabelField? {
    for field in [LabelField.json, .txt] {
      for shard in shards {
        guard
          let index = shard.members.firstIndex(where: {
            !HiddenNames.hides($0.name) && key($0.name).field == field.rawValue
          })
        else { continue }
        if field == .json, try className(inJSON: shard, index) == nil { break }
        return field
      }
    }
    return nil
  }

  /// The samples of archives and what their folders say.
  ///
  /// - Parameter labels: Which field says the class; nil for `.cls` where there is one, else for class folders.
  /// - Throws: ``Support/FileFailure`` of kind `badData` that names the shard and the member at fault, ``ImageLayout/Refusal``.
  static func read(
    _ shards: [ArchiveShard], part: ImageLayout.Part, labels: LabelField? = nil
  ) throws -> (layout: ImageLayout, samples: Samples) {
    let labels = labels ?? (isWebDataset(shards) ? .cls : nil)
    let isWebDataset = labels != nil
    let found = try labels.map { try webDataset(shards, $0) } ?? images(shards)
    let layout = try ImageLayout(
      ArchiveFolder(shards) { isWebDataset ? isImageField(key($0).field) : ImageFolder.isImageName($0) },
      needsClasses: !isWebDataset, part: part)
    return (layout, Samples(found: found, shards: shards, labels: labels))
  }

  /// All samples of archives, by folder.
  struct Samples {
    fileprivate let found: Found
    fileprivate let shards: [ArchiveShard]
    fileprivate let labels: LabelField?

    /// What class folders in archives hold besides images, in words; WebDataset's samples have fields of all kinds.
    var others: String? { labels == nil ? ArchiveLayout.others(shards) : nil }

    /// Those of a split; their classes are the folders below it where they are not known.
    func of(_ split: ImageLayout.Split) -> Found {
      let prefix = split.path.map { ByteName($0) }
      let classes = Set(split.classes.map { ByteName($0) })
      var part = Found()
      for (place, kind) in zip(found.places, found.classes) {
        let parts = shards[place.shard].members[place.member].name.split(separator: "/").dropLast()
        guard parts.count >= prefix.count, zip(parts, prefix).allSatisfy({ ByteName(String($0)) == $1 }) else {
          continue
        }
        if let kind {
          part.places.append(place)
          part.classes.append(kind)
        } else if let name = parts.dropFirst(prefix.count).first.map({ ByteName(String($0)) }), classes.contains(name) {
          part.places.append(place)
          part.classes.append(.named(name))
        }
      }
      return part
    }
  }

  /// WebDataset's rule: the key is the path up to the first dot of the base name, the field is the rest.
  static func key(_ name: String) -> (key: Substring, field: String) {
    let base = name.lastIndex(of: "/").map { name.index(after: $0) } ?? name.startIndex
    guard let dot = name[base...].firstIndex(of: ".") else { return (name[...], "") }
    return (name[..<dot], name[name.index(after: dot)...].lowercased())
  }

  private static func webDataset(_ shards: [ArchiveShard], _ labels: LabelField) throws -> Found {
    var found = Found()
    for (number, shard) in shards.enumerated() {
      var current: Substring?
      var (image, label): (Int?, Found.Class?) = (nil, nil)
      func finish() throws {
        defer { (image, label) = (nil, nil) }
        // Samples of other kinds (text, say) may lie between the images.
        guard let image else { return }
        guard let label else {
          throw FileFailure(
            .badData, path: shard.name(of: image),
            reason: "has no class: there is no .\(labels.rawValue) beside it in the shard")
        }
        found.places.append((number, image))
        found.classes.append(label)
      }
      for (index, member) in shard.members.enumerated() where !HiddenNames.hides(member.name) {
        let (key, field) = key(member.name)
        if key != current {
          try finish()
          current = key
        }
        if field == labels.rawValue {
          label = try Self.label(shard, index, labels)
        } else if isImageField(field) {
          guard image == nil else {
            throw FileFailure(.badData, path: shard.name(of: index), reason: "is the second image of its sample")
          }
          image = index
        }
      }
      try finish()
    }
    if labels != .cls { try refuseCaptions(found, shards) }
    return found
  }

  private static func refuseCaptions(_ found: Found, _ shards: [ArchiveShard]) throws {
    var (names, numbers): (Set<ByteName>, Int) = ([], 0)
    for kind in found.classes {
      if case .named(let name) = kind { names.insert(name) } else { numbers += 1 }
    }
    guard let first = found.places.first, !names.isEmpty else { return }
    guard numbers == 0 else {
      throw FileFailure(
        .badData, path: shards[first.shard].path,
        reason: "holds samples with the number of a class and samples with a name; one of both is read")
    }
    guard names.count < max(3, found.places.count) else {
      throw FileFailure(
        .badData, path: shards[first.shard].path,
        reason: "has as many classes as images: what lies beside the images are captions, say, and no classes")
    }
  }

  /// What the file beside a sample of the shard says of its class.
  private static func className(inJSON shard: ArchiveShard, _ index: Int) throws -> Any? {
    let bytes = try shard.bytes(of: index, limit: 1 << 20)
    guard let object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else { return nil }
    return ["cls", "label", "class"].lazy.compactMap { object[$0] }.first { $0 is Int || $0 is String }
  }

  private static func label(_ shard: ArchiveShard, _ index: Int, _ field: LabelField) throws -> Found.Class {
    var text: String
    if field == .json {
      guard let value = try className(inJSON: shard, index) else {
        throw FileFailure(
          .badData, path: shard.name(of: index),
          reason: "says no class: it is to have a number or a name under cls, label or class")
      }
      text = "\(value)"
    } else {
      text = String(decoding: try shard.bytes(of: index, limit: field == .cls ? 64 : 1024), as: UTF8.self)
    }
    text = text.trimmingCharacters(in: .whitespacesAndNewlines)
    if field != .cls, Int(text) == nil, !text.isEmpty, !text.contains(where: \.isNewline) {
      return .named(ByteName(text))
    }
    return .numbered(try number(text, shard, index))
  }

  private static func number(_ text: String, _ shard: ArchiveShard, _ index: Int) throws -> Int {
    guard let label = Int(text), (0..<1_000_000).contains(label) else {
      throw FileFailure(
        .badData, path: shard.name(of: index),
        reason: "holds \"\(ArchiveReader.shown(text))\"; a class is a number from 0 on")
    }
    return label
  }

  private static func isImageField(_ field: String) -> Bool {
    // `seg.png` is a field of its own, and not the image.
    !field.contains(".") && ImageFolder.isImageName("." + field)
  }

  private static func others(_ shards: [ArchiveShard]) -> String? {
    var others = LeftOut()
    for shard in shards {
      for member in shard.members where !HiddenNames.hides(member.name) && !ImageFolder.isImageName(member.name) {
        others.add(ArchiveReader.shown(member.name))
      }
    }
    return others.otherFiles
  }

  /// The name of an image that is there, for messages.
  static func firstImage(_ shards: [ArchiveShard]) -> String? {
    for shard in shards {
      let index = shard.members.firstIndex { ImageFolder.isImageName($0.name) && !HiddenNames.hides($0.name) }
      if let index { return shard.name(of: index) }
    }
    return nil
  }

  // Which folders are classes is not known yet.
  private static func images(_ shards: [ArchiveShard]) -> Found {
    var found = Found()
    for (number, shard) in shards.enumerated() {
      for (index, member) in shard.members.enumerated()
      where ImageFolder.isImageName(member.name) && !HiddenNames.hides(member.name) {
        found.places.append((number, index))
        found.classes.append(nil)
      }
    }
    return found
  }
}
