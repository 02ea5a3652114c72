import Foundation
import Support
import Testing

@testable import ImageFiles
@testable import Loading

/// A way in which people lay out a data set, and what is made of it.
struct Layout: Sendable, CustomTestStringConvertible {
  enum Outcome: Sendable {
    /// Class names, and training and held-out images.
    case opens([String], Int, Int)
    /// Words of the refusal.
    case refused(String)
  }

  var name: String
  /// Paths; what ends in `.png` is an image, what ends in `/` an empty folder.
  var files: [String]
  var outcome: Outcome
  /// Words of a remark.
  var remark: String?
  var testDescription: String { name }

  init(_ name: String, _ files: [String], _ outcome: Outcome, remark: String? = nil) {
    (self.name, self.files, self.outcome, self.remark) = (name, files, outcome, remark)
  }

  /// Images of classes: as many as asked for in each.
  static func images(_ prefix: String, _ classes: [String] = ["cat", "dog"], _ count: Int = 2) -> [String] {
    classes.flatMap { name in (0..<count).map { "\(prefix)\(name)/\($0).png" } }
  }

  private static func splits(_ training: String, _ heldOut: String) -> [String] {
    images("\(training)/", ["cat", "dog"], 3) + images("\(heldOut)/", ["cat", "dog"], 1)
  }

  private static let two = ["cat", "dog"]
  private static let both = Outcome.opens(two, 6, 2)
  /// Of two classes of two images one of each is held out.
  private static let parted = Outcome.opens(two, 2, 2)

  static let all: [Layout] = [
    // Splits by name
    .init("train and val", splits("train", "val"), both),
    .init("train and valid", splits("train", "valid"), both),
    .init("train and validation", splits("train", "validation"), both),
    .init("train and dev", splits("train", "dev"), both),
    .init("train and eval", splits("train", "eval"), both),
    .init("train and evaluation", splits("train", "evaluation"), both),
    .init("train and test", splits("train", "test"), both),
    .init("train and testing", splits("train", "testing"), both),
    .init("training and testing", splits("training", "testing"), both),
    .init("Train and Val", splits("Train", "Val"), both),
    .init("TRAIN and TEST", splits("TRAIN", "TEST"), both),
    .init("Training and Validation", splits("Training", "Validation"), both),
    .init(
      "val before test", splits("train", "val") + images("test/", two, 5), both, remark: "val is the held-out split"),
    .init("valid before test", splits("train", "valid") + images("test/", two, 5), both),
    .init(
      "train alone", images("train/"), parted, remark: "a tenth of every class is held out"),
    .init(
      "a test split without classes", images("train/") + ["test/1.png", "test/2.png"], parted,
      remark: "test/ is left out: no class folders in it"),
    .init("a val split without classes, a test split with", splits("train", "test") + ["val/9.png"], both),
    // Foldings
    .init("one folder around", splits("pets/train", "pets/val"), both),
    .init("two folders around", splits("me/pets/train", "me/pets/val"), both),
    .init("three folders around", splits("home/me/pets/train", "home/me/pets/val"), both),
    .init(
      "ImageNet's own",
      images("ILSVRC/Data/CLS-LOC/train/", ["n01", "n02"]) + ["ILSVRC/Data/CLS-LOC/val/v1.png"]
        + ["ILSVRC/Data/CLS-LOC/test/t1.png", "ILSVRC/Annotations/CLS-LOC/train/n01/a.xml", "ILSVRC/ImageSets/x.txt"],
      .opens(["n01", "n02"], 2, 2), remark: "no class folders in them"),
    .init("classes below a folder", images("pets/"), parted),
    .init("classes below two folders", images("me/pets/"), parted),
    .init(
      "images deeper in their classes",
      ["train/cat/a/1.png", "train/cat/b/2.png", "train/dog/1.png"]
        + images("val/", two, 1), .opens(two, 3, 2)),
    .init(
      "images deeper, no splits", ["cat/images/1.png", "cat/images/2.png", "dog/images/1.png", "dog/images/2.png"],
      parted),
    // Classes alone
    .init("class folders alone", images(""), parted),
    .init("a class called train", images("", ["bus", "train"]), .opens(["bus", "train"], 2, 2)),
    .init("a class called test", images("", ["exam", "test"]), .opens(["exam", "test"], 2, 2)),
    .init(
      "a class called train in splits", images("train/", ["bus", "train"]) + images("val/", ["bus", "train"], 1),
      .opens(["bus", "train"], 4, 2)),
    .init("classes that differ in case", images("", ["Cat", "cat"]), .opens(["Cat", "cat"], 2, 2)),
    .init("upper case before lower", images("", ["a", "B"]), .opens(["B", "a"], 2, 2)),
    .init("a name with spaces and an umlaut", images("", ["a b", "ü"]), .opens(["a b", "ü"], 2, 2)),
    // What is not looked at
    .init("hidden folders beside classes", images("") + [".ipynb_checkpoints/1.png", ".thumbnails/2.png"], parted),
    .init("a hidden folder in a class", images("") + ["cat/.thumbnails/t.png"], parted),
    .init("a hidden folder in a split", splits("train", "val") + ["train/.ipynb_checkpoints/1.png"], both),
    .init("hidden files", images("") + ["cat/._0.png", "dog/.DS_Store.png"], parted),
    .init("what macOS adds", splits("pets/train", "pets/val") + ["__MACOSX/pets/train/cat/._0.png"], both),
    .init("macOS's folder beside classes", images("") + ["__MACOSX/cat/0.png"], parted),
    .init(
      "a stray folder beside classes", images("") + ["annotations/1.xml"], parted,
      remark: "annotations/ is left out: no images"),
    .init("a stray folder in a split", splits("train", "val") + ["train/lists/1.txt"], both),
    .init(
      "a stray folder beside splits", splits("train", "val") + ["extra/1.png"], both, remark: "extra/ is left out"),
    .init(
      "a picture beside the classes", images("") + ["logo.png"], parted,
      remark: "images beside the class folders are left out"),
    .init("a picture beside the splits", splits("my/train", "my/val") + ["my/logo.png"], both),
    .init("text beside the classes", images("") + ["README.md", "cat/notes.txt"], parted),
    // Refused
    .init("one class", images("", ["cat"]), .refused("one class, cat")),
    .init("one class in splits", images("train/", ["cat"]) + images("val/", ["cat"]), .refused("one class, cat")),
    .init("a split in itself", images("train/train/"), .refused("In train/ lie cat/, dog/")),
    .init(
      "splits without classes", ["train/1.png", "train/2.png", "val/3.png"],
      .refused("their classes are unknown")),
    .init("held-out alone", images("val/") + images("test/"), .refused("no train/ beside it")),
    .init("splits by other names", images("Trainset/") + images("Testset/"), .refused("are those the classes?")),
    .init(
      "splits in classes", images("cat/", ["train", "val"]) + images("dog/", ["train", "val"]),
      .refused("are those the classes?")),
    .init("two folders around each split", images("a/") + images("b/"), .refused("are those the classes?")),
    .init("two training splits", images("train/") + images("Train/"), .refused("one of them can be")),
    .init("an empty class", images("train/") + images("val/") + ["train/owl/"], .refused("the class has no image")),
    .init("a class that is not held out", images("train/") + images("val/", ["cat"]), .refused("dog")),
    .init(
      "another class held out", images("train/") + images("val/", ["cat", "owl"]), .refused("owl")),
    .init("a lone image", images("", ["cat"]) + ["dog/1.png"], .refused("one image")),
    .init("images alone", ["1.png", "2.png"], .refused("class")),
    .init("text alone", ["a/1.txt", "b/2.txt"], .refused("WebDataset")),
  ]
}

@Suite("Layouts of data sets")
struct LayoutTests {
  private static let picture: [UInt8] = (try? png(gradient(width: 8, height: 8))) ?? []

  private struct Opened: Equatable {
    var classes: [String]
    var training: Int
    var heldOut: Int
    var labels: [[Int]]
    var places: [String]
  }

  private func content(_ path: String) -> [UInt8] { path.hasSuffix(".png") ? Self.picture : Array("text".utf8) }

  private func opened(_ dataset: Dataset, _ root: String) -> Opened {
    func labels(_ source: any ImageSource) -> [Int] { (0..<source.count).map(source.label) }
    func names(_ source: any ImageSource) -> [String] {
      (0..<source.count).map { index in
        let place = source.place(at: index)
        return place.contains(".tar")
          ? String(place.split(separator: ": ").last ?? "") : String(place.dropFirst(root.count + 1))
      }
    }
    return Opened(
      classes: dataset.classNames, training: dataset.training.count, heldOut: dataset.heldOut.count,
      labels: [labels(dataset.training), labels(dataset.heldOut)],
      places: names(dataset.training) + names(dataset.heldOut))
  }

  @Test("are the same data set, or the same refusal, as folder, archive and packed", arguments: Layout.all)
  func forms(layout: Layout) throws {
    try withTemporaryFolder { place in
      let root = place + "/folder"
      for file in layout.files {
        if file.hasSuffix("/") {
          try FileManager.default.createDirectory(atPath: "\(root)/\(file)", withIntermediateDirectories: true)
        } else {
          try write(content(file), to: "\(root)/\(file)")
        }
      }
      let members = layout.files.map { file -> (name: String, kind: TarWriter.Kind) in
        file.hasSuffix("/") ? (file, .folder) : (file, .file(content(file)))
      }
      let forms = [
        root, try TarWriter.write(members, to: place + "/x.tar"),
        try TarWriter.write(members.map { ("./" + $0.name, $0.kind) }, to: place + "/y.tar.gz", .gzip),
      ]
      var first: Opened?
      for form in forms {
        switch layout.outcome {
        case .opens(let classes, let training, let heldOut):
          let dataset = try Dataset.open(form)
          let found = opened(dataset, root)
          #expect(
            found.classes == classes && found.training == training && found.heldOut == heldOut, "\(form): \(found)")
          if let first { #expect(found == first, "\(form)") }
          first = found
          if let remark = layout.remark {
            #expect(dataset.remarks.contains { $0.contains(remark) }, "\(form): \(dataset.remarks)")
          }
          _ = try Packing().write(dataset, to: place + "/packed", threads: 1)
          let packed = try Dataset.open(place + "/packed")
          #expect(packed.classNames == classes && packed.training.count == training && packed.heldOut.count == heldOut)
        case .refused(let words):
          expectFailure(nil, path: "", words) { try Dataset.open(form) }
        }
      }
    }
  }

  @Test("of WebDataset have the splits that their folders say", arguments: Layout.all)
  func webDataset(layout: Layout) throws {
    // Samples know their classes: folders are splits, or nothing.
    guard case .opens(let classes, _, _) = layout.outcome else { return }
    let images = layout.files.filter { $0.hasSuffix(".png") }
    try withTemporaryFolder { place in
      try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
      let members = images.enumerated().flatMap { number, file in
        // Of every class, in the layout's own order where it has some.
        let label =
          classes.firstIndex { file.split(separator: "/").dropLast().map(String.init).contains($0) } ?? number % 2
        return [
          (file, content(file)), (String(file.dropLast(3)) + "cls", Array("\(label)".utf8)),
        ]
      }
      // Where no folder says a class, a held-out split of one image has one class.
      let dataset = try Dataset.open(
        try TarWriter.write(files: members, to: place + "/x.tar"), options: ReadingOptions(allowsMissingClasses: true))
      #expect(dataset.classNames.count == 2)
      func names(_ source: any ImageSource) -> [String] {
        (0..<source.count).map { String(source.place(at: $0).split(separator: ": ").last ?? "") }
      }
      let (training, heldOut) = (names(dataset.training), names(dataset.heldOut))
      #expect(!training.isEmpty && !heldOut.isEmpty && Set(training).isDisjoint(with: heldOut))
      #expect(!(training + heldOut).contains { HiddenNames.hides($0) })
      // What lies in a folder for training is not held out where another folder is.
      func isTraining(_ name: String) -> Bool {
        let folders = name.lowercased().split(separator: "/").dropLast().map(String.init)
        let split = folders.first { (ImageLayout.trainingNames + ImageLayout.heldOutNames).contains($0) }
        return split.map(ImageLayout.trainingNames.contains) ?? false
      }
      if training.allSatisfy(isTraining), heldOut.contains(where: { !isTraining($0) }) {
        #expect(!heldOut.contains(where: isTraining))
      }
    }
  }

  @Test("of shards: in folders of splits, by braces and by stars")
  func shards() throws {
    try withTemporaryFolder { place in
      let samples = (0..<4).flatMap { [("s\($0).png", Self.picture), ("s\($0).cls", Array("\($0 % 2)".utf8))] }
      for shard in ["train/00000", "train/00001", "val/00000"] {
        try FileManager.default.createDirectory(
          atPath: "\(place)/w/\(shard.split(separator: "/")[0])", withIntermediateDirectories: true)
        try TarWriter.write(files: samples, to: "\(place)/w/\(shard).tar")
      }
      try write([50], to: place + "/w/train/nshards.txt")
      let dataset = try Dataset.open(place + "/w")
      #expect(dataset.training.count == 8 && dataset.heldOut.count == 4 && dataset.classNames == ["0", "1"])
      for pattern in [
        "/w/train/{00000..00001}.tar", "/w/train/*.tar", "/w/train/0000[01].tar", "/w/train/{00000,00001}.tar",
      ] {
        let shards = try Dataset.open(place + pattern)
        #expect(shards.training.count + shards.heldOut.count == 8, "\(pattern)")
        #expect(shards.name == "train")
      }
      expectFailure(.missing, path: "00002.tar", "the pattern") {
        try Dataset.open(place + "/w/train/{00001..00002}.tar")
      }
      expectFailure(.missing, path: "*.tgz") { try Dataset.open(place + "/w/train/*.tgz") }
    }
  }

  @Test("Braces stand for words and for numbers, with the zeros that are written")
  func braces() throws {
    #expect(try PathPattern.expanded("a{08..11}b") == ["a08b", "a09b", "a10b", "a11b"])
    #expect(try PathPattern.expanded("a{8..10}") == ["a8", "a9", "a10"])
    #expect(try PathPattern.expanded("{x,y}-{1..2}") == ["x-1", "x-2", "y-1", "y-2"])
    #expect(try PathPattern.expanded("plain") == ["plain"])
    #expect(throws: FileFailure.self) { try PathPattern.expanded("{0..99999}{0..99999}") }
  }

  @Test("What macOS puts beside a sample, and a class beyond all others, are seen for what they are")
  func webDatasetMembers() throws {
    try withTemporaryFolder { place in
      try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
      var files: [(String, [UInt8])] = []
      for number in 0..<4 {
        for (name, bytes) in [("s\(number).cls", Array("\(number % 2)".utf8)), ("s\(number).png", Self.picture)] {
          files += [("./._" + name, [UInt8](repeating: 0, count: 163)), ("./" + name, bytes)]
        }
      }
      let dataset = try Dataset.open(try TarWriter.write(files: files, to: place + "/m.tar"))
      #expect(dataset.training.count + dataset.heldOut.count == 4 && dataset.classNames.count == 2)
      let far = files + [("z.cls", Array("999999".utf8)), ("z.png", Self.picture)]
      expectFailure(.badData, path: "z.png", "the class 999999, in 5 images") {
        try Dataset.open(try TarWriter.write(files: far, to: place + "/f.tar"))
      }
      let one = files.map { ($0.0, $0.0.hasSuffix("cls") && !$0.0.contains("._") ? Array("0".utf8) : $0.1) }
      expectFailure(.badData, path: "o.tar", "one class") {
        try Dataset.open(try TarWriter.write(files: one, to: place + "/o.tar"))
      }
      let more = (4..<8).flatMap { [("s\($0).cls", Array("\($0 % 2)".utf8)), ("s\($0).png", Self.picture)] }
      let twice = files + more + [("s0.cls", Array("1".utf8)), ("s0.png", Self.picture)]
      let updated = try Dataset.open(try TarWriter.write(files: twice, to: place + "/u.tar"))
      #expect(
        updated.remarks.contains { $0.contains("1 of 9 images has the name of a later one") }, "\(updated.remarks)")
    }
  }
}
