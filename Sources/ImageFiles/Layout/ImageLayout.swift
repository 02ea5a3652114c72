import Support

/// Which folders are splits and which are classes: one set of rules for folders on disk and for archives.
///
/// 1. Hidden names and `__MACOSX` are not there.
/// 2. A folder that holds one folder with images and no image itself is a wrapping; splits and classes lie below it.
/// 3. `train` or `training` with class folders in it is the training split, and of the folders beside it the first of
///    ``heldOutNames`` with class folders (or Tiny ImageNet's list) is the held-out one; letter case does not matter. Without one, a
///    part of every class is held out.
/// 4. Where there are no splits, the folders are the classes. One class is not enough.
/// 5. A class has its images at any depth. A folder of other files is passed over; an empty one is a class without images, which is
///    refused.
struct ImageLayout {
  /// What folders of training images are called.
  static let trainingNames = ["train", "training"]
  /// What folders and shards of held-out images are called, the best first.
  static let heldOutNames = ["val", "valid", "validation", "dev", "eval", "evaluation", "test", "testing"]

  /// A folder and the classes in it.
  struct Split: Equatable {
    /// The names of the folders that lead to it.
    var path: [String]
    /// The names of the class folders, in the order of their bytes; empty where a list has the classes.
    var classes: [String]
  }

  /// What of the images is looked for.
  enum Part {
    /// Both splits, or whatever is there.
    case all
    /// The held-out split, or whatever is there: the images of a shard that is called so.
    case heldOut
  }

  /// Why a layout is none.
  struct Refusal: Error {
    /// The folders that lead to the place.
    var path: [String]
    /// What is wrong there, and what to do.
    var reason: String
    /// Whether there was nothing at all to be recognised.
    var isUnrecognised = false
  }

  /// The images to train on, or all that there are.
  private(set) var training: Split
  /// The images that are held out; nil when a part is to be.
  private(set) var heldOut: Split?
  /// What was passed over or decided, in words.
  private(set) var remarks: [String] = []

  /// Finds splits and classes.
  ///
  /// - Parameter needsClasses: Whether folders are to say the classes; WebDataset's samples know theirs.
  /// - Throws: ``Refusal``; what listing throws.
  init(_ top: some LayoutFolder, needsClasses: Bool = true, part: Part = .all) throws {
    (training, heldOut) = (Split(path: [], classes: []), nil)
    try find(top, needsClasses, part)
  }

  private mutating func find<Folder: LayoutFolder>(
    _ top: Folder, _ needsClasses: Bool, _ part: Part
  ) throws {
    var (here, path) = (top, [String]())
    while true {
      let folders = try here.folders()
      if try splits(here, path, folders, needsClasses, part) { return }
      guard try !here.holdsImages() else { break }
      let full = try folders.filter { try $0.holdsImagesBelow() }
      // A wrapping holds folders, where folders say classes.
      guard full.count == 1, try !needsClasses || full[0].folders().contains(where: { try $0.holdsImagesBelow() })
      else {
        break
      }
      pass(over: folders.filter { $0.name != full[0].name }.map(\.name), in: path, because: "no images")
      path.append(full[0].name)
      here = full[0]
    }
    guard needsClasses else {
      training = Split(path: path, classes: [])
      return
    }
    let classes = try self.classes(of: here, path)
    try refuseUnclear(here, path, classes)
    if part == .all { try refuseOne(classes, path) }
    training = Split(path: path, classes: classes.map(\.name))
  }

  /// Takes the splits among `folders`; false when there are none.
  private mutating func splits<Folder: LayoutFolder>(
    _ here: Folder, _ path: [String], _ folders: [Folder], _ needsClasses: Bool, _ part: Part
  ) throws -> Bool {
    func isSplit(_ folder: Folder) throws -> Bool {
      guard needsClasses else { return try folder.holdsImagesBelow() }
      return try folder.hasClassList() || folder.folders().contains { try $0.holdsImagesBelow() }
    }
    func named(_ names: [String]) throws -> [Folder] {
      try names.flatMap { name in try folders.filter { $0.name.lowercased() == name }.filter(isSplit) }
    }
    let (training, heldOut) = (try named(Self.trainingNames), try named(Self.heldOutNames))
    if part == .heldOut, let chosen = heldOut.first {
      self.training = try split(chosen, path, needsClasses)
      return true
    }
    guard let chosen = training.first else { return false }
    if training.count > 1 {
      throw Refusal(
        path: path, reason: "holds \(Self.list(training.map(\.name))), and one of them can be the training split")
    }
    self.training = try split(chosen, path, needsClasses)
    if let only = self.training.classes.first, self.training.classes.count == 1 {
      try refuseOne(try chosen.folders().filter { ByteName($0.name) == ByteName(only) }, path + [chosen.name])
    }
    if let held = heldOut.first { self.heldOut = try split(held, path, needsClasses) }
    let used = [chosen.name] + heldOut.prefix(1).map(\.name)
    let others = folders.filter { !used.contains($0.name) }
    let flat = try others.filter { Self.heldOutNames.contains($0.name.lowercased()) }.filter { try !isSplit($0) }.map(
      \.name)
    pass(over: flat, in: path, because: "no class folders in \(flat.count == 1 ? "it" : "them")")
    let spare = others.map(\.name).filter { !flat.contains($0) }
    pass(over: spare, in: path, because: heldOut.isEmpty ? "no split" : "\(heldOut[0].name) is the held-out split")
    return true
  }

  private mutating func split<Folder: LayoutFolder>(
    _ folder: Folder, _ path: [String], _ needsClasses: Bool
  ) throws -> Split {
    let place = path + [folder.name]
    guard needsClasses, !folder.hasClassList() else { return Split(path: place, classes: []) }
    let classes = try self.classes(of: folder, place)
    return Split(path: place, classes: classes.map(\.name))
  }

  /// The class folders of a folder.
  private mutating func classes<Folder: LayoutFolder>(of folder: Folder, _ path: [String]) throws -> [Folder] {
    var (classes, others) = ([Folder](), [String]())
    for inner in try folder.folders() {
      if try inner.holdsImagesBelow() {
        classes.append(inner)
      } else if try inner.isEmpty() {
        throw Refusal(
          path: path + [inner.name],
          reason: "the class has no image: the folder is empty. Fill it, or take it away here and in the other splits")
      } else {
        others.append(inner.name)
      }
    }
    pass(over: others, in: path, because: "no images")
    if try folder.holdsImages() { remarks.append("images beside the class folders\(Self.of(path)) are left out") }
    return classes
  }

  private func refuseOne<Folder: LayoutFolder>(_ classes: [Folder], _ path: [String]) throws {
    guard classes.count == 1 else { return }
    let inner = try classes[0].folders().filter { try $0.holdsImagesBelow() }.map(\.name)
    throw Refusal(
      path: path,
      reason: "holds one class, \(classes[0].name); to tell classes apart, two or more are needed"
        + (inner.count > 1 ? ". In \(classes[0].name)/ lie \(Self.list(inner)): are those the classes?" : ""))
  }

  /// Folders that are no classes, although they hold images.
  private func refuseUnclear<Folder: LayoutFolder>(_ here: Folder, _ path: [String], _ classes: [Folder]) throws {
    guard !classes.isEmpty else {
      throw Refusal(
        path: path, reason: try here.holdsImages() ? "holds images in no class folder" : "holds no class folders",
        isUnrecognised: true)
    }
    let names = classes.map { $0.name.lowercased() }
    if names.allSatisfy((Self.trainingNames + Self.heldOutNames).contains) {
      let isFlat = try classes.contains { try $0.holdsImages() }
      throw Refusal(
        path: path,
        reason: isFlat
          ? "holds \(Self.list(classes.map(\.name))) with images in no class folders, so that their classes are unknown"
          : "holds \(Self.list(classes.map(\.name))), and no train/ beside it")
    }
    // Splits by other names, or classes with a split in each: two folders that hold folders of the same names.
    guard classes.count > 1, try classes.allSatisfy({ try !$0.holdsImages() }) else { return }
    let inner = try classes.map { Set(try $0.folders().filter { try $0.holdsImagesBelow() }.map { ByteName($0.name) }) }
    let shared = inner.dropFirst().reduce(inner[0]) { $0.intersection($1) }.map(\.text).sorted()
    guard shared.count > 1 else { return }
    throw Refusal(
      path: path,
      reason:
        "holds \(Self.list(classes.map(\.name))), and in each of them lie \(Self.list(shared)): are those the classes? "
        + "Call the folders of splits train and val, with the class folders in them")
  }

  private mutating func pass(over names: [String], in path: [String], because reason: String) {
    guard !names.isEmpty else { return }
    remarks.append("\(Self.list(names))\(Self.of(path)) \(names.count == 1 ? "is" : "are") left out: \(reason)")
  }

  private static func of(_ path: [String]) -> String { path.isEmpty ? "" : " in \(path.joined(separator: "/"))" }

  private static func list(_ names: [String]) -> String {
    names.prefix(6).map { $0 + "/" }.joined(separator: ", ") + (names.count > 6 ? " and \(names.count - 6) more" : "")
  }
}

extension ImageLayout.Refusal {
  /// The failure for a data set at `place`.
  func failure(at place: String) -> FileFailure {
    FileFailure(.badData, path: ([place] + path).joined(separator: "/"), reason: reason)
  }
}
