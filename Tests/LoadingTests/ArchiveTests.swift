import Foundation
import Support
import Testing

@testable import ImageFiles
@testable import Loading

@Suite("Tar archives")
struct ArchiveTests {
  private func image(_ phase: Int, side: Int = 8) throws -> [UInt8] {
    try png(gradient(width: side, height: side, phase: phase))
  }

  /// Images of two classes in the splits that the prefix says.
  private func classes(_ prefix: String, _ count: Int) throws -> [(String, [UInt8])] {
    try (0..<2 * count).map { ("\(prefix)\($0 % 2 == 0 ? "cat" : "dog")/\($0).png", try image($0)) }
  }

  private func equal(_ a: any ImageSource, _ b: any ImageSource) throws {
    #expect(a.count == b.count && a.classNames == b.classNames && a.uniformSize == b.uniformSize)
    let key = { (source: any ImageSource) in
      try (0..<source.count).map { index in
        let pixels = try source.image(at: index).pixels.map(String.init).joined(separator: ",")
        return "\(source.label(at: index)) \(pixels)"
      }.sorted()
    }
    #expect(try key(a) == key(b))
  }

  @Test(
    "of class folders hold what the folder holds, however they are compressed",
    arguments: TarWriter.Compression.allCases)
  func classFolders(compression: TarWriter.Compression) throws {
    try withTemporaryFolder { folder in
      let files = try classes("train/", 6) + classes("val/", 2)
      for (name, bytes) in files { try write(bytes, to: "\(folder)/unpacked/\(name)") }
      let expected = try Dataset.open(folder + "/unpacked")
      for prefix in ["", "./", "tiny/"] {
        let path = try TarWriter.write(
          files: files.map { (prefix + $0.0, $0.1) }, to: "\(folder)/all.tar.gz", compression)
        let found = try Dataset.open(path)
        try equal(found.training, expected.training)
        try equal(found.heldOut, expected.heldOut)
        #expect(found.resolution == 8)
      }
    }
  }

  @Test("lie in a folder as shards of splits, or without splits")
  func shards() throws {
    try withTemporaryFolder { folder in
      let all = try classes("", 12)
      try TarWriter.write(files: Array(all[..<10]), to: folder + "/set-train-000.tar")
      try TarWriter.write(files: Array(all[10..<20]), to: folder + "/set-train-001.tar.gz", .gzip)
      try TarWriter.write(files: Array(all[20...]), to: folder + "/set-val-000.tar")
      let dataset = try Dataset.open(folder)
      #expect(dataset.training.count == 20 && dataset.heldOut.count == 4)
      #expect(dataset.classNames == ["cat", "dog"] && dataset.format == "tar archives of images")
      #expect((0..<20).map(dataset.training.label) == [Int](repeating: 0, count: 10) + [Int](repeating: 1, count: 10))
      try FileManager.default.removeItem(atPath: folder + "/set-val-000.tar")
      let split = try Dataset.open(folder)
      #expect(split.training.count == 18 && split.heldOut.count == 2)
      #expect(Set((0..<2).map(split.heldOut.label)) == [0, 1])
      let whole = try ArchiveShard(path: folder + "/set-train-000.tar")
      #expect(whole.members.count == 10 && whole.name(of: 0).hasSuffix("set-train-000.tar: cat/0.png"))
    }
  }

  @Test("of WebDataset give each sample's image and class, whatever else a sample holds")
  func webDataset() throws {
    try withTemporaryFolder { folder in
      try TarWriter.write(
        files: [
          ("a/x.png", try image(1)), ("a/y.png", try image(2)), ("a/y.json", Array("{}".utf8)),
          ("a/y.cls", Array("0".utf8)), ("b/x.cls", Array("1".utf8)), ("b/x.seg.png", try image(4)),
          ("b/x.jpg", try jpeg(gradient(width: 8, height: 8))),
        ], to: folder + "/train-0.tar")
      // The first sample has no class: its neighbour's is not taken for it.
      expectFailure(.badData, path: "train-0.tar: a/x.png", "no class") { try Dataset.open(folder) }
      try TarWriter.write(
        files: [
          ("a/x.cls", Array("2\n".utf8)), ("a/x.png", try image(1)), ("a/y.png", try image(2)),
          ("a/y.cls", Array(" 0".utf8)), ("a/z.txt", [1]),
        ], to: folder + "/train-0.tar")
      try TarWriter.write(
        files: [("x.cls", Array("1".utf8)), ("x.PNG", try image(3))], to: folder + "/validation-0.tar")
      expectFailure(.badData, path: "validation-0.tar", "classes that training lacks: 1") { try Dataset.open(folder) }
      try TarWriter.write(
        files: [("x.cls", Array("2".utf8)), ("x.PNG", try image(3))], to: folder + "/validation-0.tar")
      expectFailure(.badData, path: "validation-0.tar", "lacks images of the classes 0; `allow-missing-classes`") {
        try Dataset.open(folder)
      }
      let dataset = try Dataset.open(folder, options: ReadingOptions(allowsMissingClasses: true))
      #expect(dataset.classNames == ["0", "1", "2"])
      #expect(dataset.remarks.contains { $0.hasPrefix("no training image of 1:") })
      #expect(dataset.remarks.contains { $0.hasPrefix("no held-out image of 0:") })
      #expect((0..<2).map(dataset.training.label) == [0, 2] && dataset.heldOut.label(at: 0) == 2)
      #expect(try dataset.training.image(at: 0).pixels == gradient(width: 8, height: 8, phase: 2).pixels)
    }
  }

  @Test(
    "of WebDataset may say the class in a .json or a .txt, by number or name, where no .cls and no class folders are")
  func otherLabels() throws {
    try withTemporaryFolder { folder in
      let place = folder + "/x.tar"
      let two = Array(repeating: ["0", "1"], count: 20).flatMap { $0 }
      let names = two.map { $0 == "0" ? "owl" : "cat" }
      for key in ["cls", "label", "class"] {
        #expect(
          try Self.opened(place, samples("json", two.map { "{\"id\": 7, \"\(key)\": \($0)}" })).classNames == [
            "0", "1",
          ])
        let named = try Self.opened(place, samples("json", names.map { "{\"\(key)\": \"\($0)\"}" }))
        #expect(named.classNames == ["cat", "owl"] && named.training.count + named.heldOut.count == 40)
        #expect(!named.remarks.contains { $0.contains("json") })
      }
      #expect(try Self.opened(place, samples("txt", names.map { $0 + "\n" })).classNames == ["cat", "owl"])
      #expect(try Self.opened(place, samples("txt", two)).classNames == ["0", "1"])
      // What is said of the images and is no class.
      let captions = (0..<40).map { "a picture of \($0) things" }
      expectFailure(.badData, path: "x.tar", "captions") { try Self.opened(place, samples("txt", captions)) }
      expectFailure(.badData, path: "x.tar", "number of a class and samples with a name") {
        try Self.opened(place, samples("txt", two.dropLast() + ["owl"]))
      }
      expectFailure(.badData, path: "x.tar: 39.json", "says no class") {
        try Self.opened(place, samples("json", two.dropLast().map { "{\"label\": \($0)}" } + ["{\"labels\": 1}"]))
      }
      expectFailure(.badData, path: "x.tar: 0.png", ".json or .txt") {
        try Self.opened(place, samples("json", two.map { _ in "{}" }))
      }
      expectFailure(.badData, path: "x.tar: a.1.png", "several dots") {
        try Self.opened(place, [("a.1.png", try image(0)), ("a.1.cls", [48])])
      }
      // Beside class folders they are notes of other kinds.
      var folders = try classes("", 20)
      for number in 0..<20 { folders.append(("cat/\(number).txt", Array("picture \(number)".utf8))) }
      #expect(try Self.opened(place, folders).classNames.count == 2)
    }
  }

  private func samples(_ field: String, _ labels: [String]) throws -> [(String, [UInt8])] {
    try labels.enumerated().flatMap { [("\($0).png", try image($0)), ("\($0).\(field)", Array($1.utf8))] }
  }

  private static func opened(_ place: String, _ files: [(String, [UInt8])]) throws -> Dataset {
    try TarWriter.write(files: files, to: place)
    return try Dataset.open(place)
  }

  /// Archives of two classes with eight training and two held-out images, in the ways that people make them.
  private func layouts() throws -> [(name: String, shards: [String: [(String, [UInt8])]])] {
    func web(_ prefix: String, _ count: Int) throws -> [(String, [UInt8])] {
      try (0..<2 * count).flatMap { index in
        [("\(prefix)\(index).png", try image(index)), ("\(prefix)\(index).cls", Array("\(index % 2)".utf8))]
      }
    }
    let logo = [("my/logo.png", try image(0))]
    return [
      ("a picture beside the splits", ["x.tar": try classes("my/train/", 4) + classes("my/val/", 1) + logo]),
      ("other words for splits", ["x.tar": try classes("Training/", 4) + classes("Validation/", 1)]),
      ("a folder in every shard", ["train.tar": try classes("imgs/", 4), "val.tar": try classes("imgs/", 1)]),
      ("the split in every shard", ["train.tar": try classes("train/", 4), "val.tar": try classes("val/", 1)]),
      ("both in every shard", ["train.tar": try classes("all/train/", 4), "test.tar": try classes("all/test/", 1)]),
      ("WebDataset with splits in one archive", ["x.tar": try web("train/", 4) + web("val/", 1)]),
      ("WebDataset below a folder", ["x.tar": try web("data/training/", 4) + web("data/test/", 1)]),
    ]
  }

  @Test("of many layouts have the classes and splits that their folders say", arguments: 0..<7)
  func splitsByFolders(number: Int) throws {
    try withTemporaryFolder { folder in
      let layout = try layouts()[number]
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      for (shard, files) in layout.shards { try TarWriter.write(files: files, to: "\(folder)/\(shard)") }
      let dataset = try Dataset.open(folder)
      #expect(
        dataset.classNames.count == 2 && dataset.training.count == 8 && dataset.heldOut.count == 2, "\(layout.name)")
      #expect((0..<dataset.training.count).map(dataset.training.label) == [0, 0, 0, 0, 1, 1, 1, 1], "\(layout.name)")
    }
  }

  @Test("may have a class called train")
  func classCalledTrain() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      for prefix in ["", "vehicles/"] {
        let files = try (0..<30).map { ("\(prefix)\(["bus", "car", "train"][$0 % 3])/\($0).png", try image($0)) }
        let dataset = try Dataset.open(try TarWriter.write(files: files, to: folder + "/x.tar"))
        #expect(dataset.classNames == ["bus", "car", "train"] && dataset.training.count == 27)
      }
    }
  }

  @Test("that were brought up to date hold the last of equal names")
  func updated() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let files = try classes("train/", 3) + classes("val/", 1) + [("train/cat/0.png", image(99))]
      let dataset = try Dataset.open(try TarWriter.write(files: files, to: folder + "/x.tar"))
      #expect(dataset.training.count == 6)
      #expect(try dataset.training.image(at: 0).pixels == gradient(width: 8, height: 8, phase: 99).pixels)
      // Another class for an image that is there.
      var shard: [(String, [UInt8])] = []
      for (index, label) in Array(["0", "1", "0", "1"].enumerated()) + [(0, "1")] {
        shard += [("\(index).png", try image(index)), ("\(index).cls", Array(label.utf8))]
      }
      try FileManager.default.createDirectory(atPath: folder + "/w", withIntermediateDirectories: true)
      try TarWriter.write(files: shard, to: folder + "/w/train-0.tar")
      try TarWriter.write(files: Array(shard.prefix(4)), to: folder + "/w/val-0.tar")
      let relabelled = try Dataset.open(folder + "/w")
      #expect(relabelled.training.count == 4 && (0..<4).map(relabelled.training.label) == [0, 1, 1, 1])
    }
  }

  @Test("tell classes apart whose names only look the same")
  func unicode() throws {
    try withTemporaryFolder { folder in
      var files: [(String, [UInt8])] = []
      for name in ["caf\u{E9}", "cafe\u{301}"] {
        for index in 0..<4 { files.append(("train/\(name)/\(index).png", try image(index))) }
        files.append(("val/\(name)/0.png", try image(0)))
      }
      for (name, bytes) in files { try write(bytes, to: "\(folder)/folder/\(name)") }
      let tar = try Dataset.open(try TarWriter.write(files: files, to: folder + "/x.tar"))
      let unpacked = try Dataset.open(folder + "/folder")
      #expect(tar.classNames.count == 2 && unpacked.classNames.count == 2)
      #expect((0..<8).map(tar.training.label) == (0..<8).map(unpacked.training.label))
    }
  }

  @Test("The key of a member ends at the first dot of its base name")
  func keys() {
    func key(_ name: String) -> [String] { [String(ArchiveLayout.key(name).key), ArchiveLayout.key(name).field] }
    #expect(key("n01/x.jpg") == ["n01/x", "jpg"])
    #expect(key("a.b/x.seg.PNG") == ["a.b/x", "seg.png"])
    #expect(key("README") == ["README", ""])
  }

  @Test("of CIFAR's binary version hold what its folder holds; the version for Python is refused")
  func cifar() throws {
    try withTemporaryFolder { folder in
      func record(_ label: UInt8) -> [UInt8] { [label] + [UInt8](repeating: 10 * label, count: 3072) }
      let files = [
        ("cifar-10-batches-bin/data_batch_2.bin", record(3)), ("cifar-10-batches-bin/data_batch_1.bin", record(1)),
        ("cifar-10-batches-bin/test_batch.bin", record(9)), ("cifar-10-batches-bin/readme.html", [1]),
      ]
      let path = try TarWriter.write(files: files, to: folder + "/cifar-10-binary.tar.gz", .gzip)
      let dataset = try Dataset.open(path)
      #expect((0..<2).map(dataset.training.label) == [1, 3] && dataset.heldOut.label(at: 0) == 9)
      #expect(dataset.classNames[9] == "truck" && dataset.resolution == 32)
      let other = try TarWriter.write(
        files: [("cifar-10-batches-py/data_batch_1", [1])], to: folder + "/py.tar.gz", .gzip)
      expectFailure(.badData, path: "py.tar.gz", "Python", "binary version") { try Dataset.open(other) }
    }
  }

  private static let hostile: [(words: String, members: [(name: String, kind: TarWriter.Kind)])] = [
    ("leads out of the archive", [("../evil.png", .file([1]))]),
    ("leads out of the archive", [("a/../../evil.png", .file([1]))]),
    ("leads out of the archive", [("/etc/evil.png", .file([1]))]),
    ("more than 32 folders deep", [(String(repeating: "a/", count: 40) + "x.png", .file([1]))]),
    ("symbolic link", [("a/x.png", .symbolicLink("/etc/passwd"))]),
    ("hard link", [("a/y.png", .file([1])), ("a/x.png", .hardLink("a/y.png"))]),
    ("no regular file", [("a/x.png", .device)]), ("holds no files", [("a", .folder)]),
    ("class is unknown", [("x.png", .file([1]))]), ("holds no images", [("a/notes.txt", .file([1]))]),
    ("a class is a number", [("x.png", .file([1])), ("x.cls", .file(Array("cat".utf8)))]),
    ("a class is a number", [("x.png", .file([1])), ("x.cls", .file(Array("-1".utf8)))]),
    ("second image", [("x.png", .file([1])), ("x.jpg", .file([1])), ("x.cls", .file([48]))]),
  ]

  @Test("with members that lead astray or mean nothing are refused by the member's name", arguments: hostile.indices)
  func refusals(index: Int) throws {
    try withTemporaryFolder { folder in
      let path = try TarWriter.write(Self.hostile[index].members, to: folder + "/x.tar")
      do {
        _ = try Dataset.open(path)
        Issue.record("nothing was thrown")
      } catch let failure as FileFailure {
        #expect(
          failure.kind == .badData && "\(failure.path) \(failure.reason)".contains(Self.hostile[index].words),
          "\(failure)")
      }
    }
  }

  @Test("that expand to far more than images do are taken for bombs, and ones with too many members refused")
  func bombs() throws {
    try withTemporaryFolder { folder in
      let zeros = [UInt8](repeating: 0, count: 3_000_000)
      let path = try TarWriter.write(files: [("a/x.png", zeros)], to: folder + "/x.tar.gz", .gzip)
      expectFailure(.beyondLimit, path: "x.tar.gz", "taken for a bomb", "`max-archive-expansion`") {
        try ArchiveShard(path: path, limits: ArchiveLimits(expansion: 20, smallExpansion: 1_000_000))
      }
      #expect(try ArchiveShard(path: path).members.count == 1)
      // Members without content are a bomb, too.
      let empty = try TarWriter.write(
        files: (0..<40_000).map { ("a/\($0).png", []) }, to: folder + "/z.tar.gz", .gzip)
      expectFailure(.beyondLimit, path: "z.tar.gz", "taken for a bomb") {
        try ArchiveShard(path: empty, limits: ArchiveLimits(expansion: 20, smallExpansion: 1_000_000))
      }
      let many = try TarWriter.write(files: (0..<20).map { ("a/\($0).png", [1]) }, to: folder + "/y.tar")
      expectFailure(.beyondLimit, path: "y.tar", "more than 10 members") {
        try ArchiveShard(path: many, limits: ArchiveLimits(members: 10))
      }
    }
  }

  @Test("that are cut off, or no archives, are refused", arguments: TarWriter.Compression.allCases)
  func damage(compression: TarWriter.Compression) throws {
    try withTemporaryFolder { folder in
      let path = try TarWriter.write(files: try classes("", 8), to: folder + "/x.tar", compression)
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
      for length in [0, 1, 100, 700, bytes.count / 2] where length < bytes.count {
        try write(Array(bytes.prefix(length)), to: path)
        #expect(throws: FileFailure.self, "\(length)") { try Dataset.open(path) }
      }
      var generator = SeededGenerator(seed: 5)
      for _ in 0..<200 {
        var damaged = bytes
        for _ in 0..<4 {
          damaged[generator.nextInt(below: damaged.count)] = UInt8(truncatingIfNeeded: generator.next())
        }
        try write(damaged, to: path)
        do {
          let dataset = try Dataset.open(path)
          for index in 0..<dataset.training.count { _ = try dataset.training.image(at: index) }
        } catch is FileFailure {
        }
      }
    }
  }
}
