import Foundation
import Support
import Testing

@testable import ImageFiles
@testable import Loading

@Suite("Class folders")
struct ImageFolderTests {
  private func fill(_ root: String, _ files: [String], side: Int = 8) throws {
    for (number, file) in files.enumerated() {
      try write(png(gradient(width: side, height: side, phase: number)), to: root + "/" + file)
    }
  }

  @Test("have their classes in the order of bytes and their files at any depth, sorted")
  func sorts() throws {
    try withTemporaryFolder { root in
      try fill(root, ["b/2.png", "b/10.PNG", "B/x.png", "a/z/1.png", "a/m.png", "a/z-1/0.png", "é/1.png"])
      try write([1], to: root + "/a/notes.txt")
      try write([1], to: root + "/.hidden/1.png")
      let source = try ImageFolder(root: root, name: "test")
      #expect(source.classNames == ["B", "a", "b", "é"])
      let paths = (0..<source.count).map { source.path(at: $0).dropFirst(root.count + 1) }
      #expect(
        paths == ["B/x.png", "a/m.png", "a/z/1.png", "a/z-1/0.png", "b/10.PNG", "b/2.png", "é/1.png"].sortedAsListed)
      #expect((0..<source.count).map(source.label) == [0, 1, 1, 1, 2, 2, 3])
    }
  }

  @Test(
    "may lack classes in the held-out split where that is allowed; classes keep their numbers, and it is said",
    arguments: [false, true])
  func missingClasses(asArchive: Bool) throws {
    try withTemporaryFolder { root in
      let place = asArchive ? root + "/d.tar" : root + "/d"
      func make(_ files: [String]) throws {
        if asArchive {
          try TarWriter.write(files: files.map { ($0, try png(gradient(width: 8, height: 8))) }, to: place)
        } else {
          try fill(place, files)
        }
      }
      let files = ["train/a/1.png", "train/b/1.png", "train/c/1.png", "val/c/1.png", "val/a/1.png"]
      try make(files)
      let parts = asArchive ? ["other classes", "b"] : ["lacks the class folder(s) b", "`allow-missing-classes`"]
      expectFailure(.badData, path: asArchive ? "d.tar" : "/val", parts[0], parts[1]) { try Dataset.open(place) }
      let dataset = try Dataset.open(place, options: ReadingOptions(allowsMissingClasses: true))
      #expect(dataset.classNames == ["a", "b", "c"] && dataset.heldOut.classNames == dataset.classNames)
      #expect(dataset.heldOut.indices.map(dataset.heldOut.label) == [0, 2])
      #expect(try dataset.heldOut.image(at: 1).size == ImageSize(width: 8, height: 8))
      #expect(dataset.remarks.contains { $0.contains("no held-out image of b") })
      // What training does not know is never taken.
      try make(files + ["val/e/1.png"])
      #expect(throws: FileFailure.self) {
        try Dataset.open(place, options: ReadingOptions(allowsMissingClasses: true))
      }
    }
  }

  @Test("with train and val are the two splits")
  func opensSplits() throws {
    try withTemporaryFolder { root in
      try fill(root, ["train/cat/1.png", "train/cat/2.png", "train/dog/1.png", "val/cat/1.png", "val/dog/1.png"])
      let dataset = try Dataset.open(root)
      #expect(dataset.classNames == ["cat", "dog"])
      #expect(dataset.training.count == 3 && dataset.heldOut.count == 2)
      #expect(dataset.resolution == 8 && dataset.channels == 3)
      #expect(dataset.training.uniformSize == ImageSize(width: 8, height: 8))
      #expect(try dataset.training.image(at: 0).size == ImageSize(width: 8, height: 8))
    }
  }

  @Test("with images of several sizes are trained at 224 unless asked otherwise")
  func mixedSizes() throws {
    try withTemporaryFolder { root in
      try fill(root, ["train/a/1.png", "train/b/1.png", "val/a/1.png", "val/b/1.png"])
      try fill(root, ["train/a/2.png"], side: 9)
      let dataset = try Dataset.open(root)
      #expect(dataset.resolution == 224 && dataset.training.uniformSize == nil)
    }
  }

  @Test("without a held-out split lose a tenth of every class to one, the same each time")
  func splitsOff() throws {
    try withTemporaryFolder { root in
      try fill(root, (0..<20).map { "train/a/\($0).png" } + (0..<4).map { "train/b/\($0).png" })
      let dataset = try Dataset.open(root)
      #expect(dataset.heldOut.count == 3 && dataset.training.count == 21)
      #expect((0..<3).map(dataset.heldOut.label) == [0, 0, 1])
      let again = try Dataset.open(root)
      for index in 0..<3 { #expect(try dataset.heldOut.image(at: index) == again.heldOut.image(at: index)) }
    }
  }

  @Test("lying directly in the folder are recognised too")
  func withoutTrain() throws {
    try withTemporaryFolder { root in
      try fill(root, ["a/1.png", "a/2.png", "b/1.png", "b/2.png"])
      #expect(try Dataset.open(root).training.count == 2)
    }
  }

  @Test("with an empty class, a lone image or other classes in the held-out split are refused")
  func refusesClasses() throws {
    try withTemporaryFolder { root in
      try fill(root, ["train/a/1.png", "val/a/1.png", "train/c/1.png", "val/c/1.png"])
      let empty = root + "/train/b"
      try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
      expectFailure(.badData, path: "/train/b", "no image") { try Dataset.open(root) }
      expectFailure(.badData, path: "/train/b", "no image") { try ImageFolder(root: root + "/train", name: "test") }
      // A folder of other files is passed over.
      try write([1], to: root + "/train/b/readme.txt")
      #expect(try Dataset.open(root).classNames == ["a", "c"])
      try fill(root, ["train/b/1.png"])
      expectFailure(.badData, path: "/val", "lacks", "b") { try Dataset.open(root) }
      try fill(root, ["val/b/1.png", "val/d/1.png"])
      expectFailure(.badData, path: "/val", "training lacks: d") { try Dataset.open(root) }
      try FileManager.default.removeItem(atPath: root + "/val")
      expectFailure(.badData, path: "/train/a", "one image") { try Dataset.open(root) }
    }
  }

  @Test("whose names look the same in both splits and are written otherwise are told so")
  func lookAlikes() throws {
    try withTemporaryFolder { root in
      try fill(root, ["train/caf\u{E9}/1.png", "train/b/1.png", "val/cafe\u{301}/1.png", "val/b/1.png"])
      expectFailure(.badData, path: "/val", "lacks the class folder(s) caf", "written in other bytes") {
        try Dataset.open(root)
      }
    }
  }

  @Test("with images of a format that is not read are refused when they are listed")
  func refusesFormats() throws {
    try withTemporaryFolder { root in
      try fill(root, ["a/1.png"])
      try write(Array("BM123456789".utf8), to: root + "/a/2.bmp")
      expectFailure(.unsupported, path: "2.bmp", "BMP") { try ImageFolder(root: root, name: "test") }
      #expect(try ImageFolder(root: root, name: "test", options: ReadingOptions(onBadImage: .skip)).count == 2)
      // A PNG image by another name is none of these.
      try write(png(gradient(width: 8, height: 8)), to: root + "/a/2.bmp")
      #expect(try ImageFolder(root: root, name: "test").count == 2)
    }
  }

  @Test("that hold a link to themselves are refused, not followed for ever")
  func refusesCircles() throws {
    try withTemporaryFolder { root in
      try fill(root, ["a/1.png"])
      try FileManager.default.createSymbolicLink(atPath: root + "/a/again", withDestinationPath: root + "/a")
      expectFailure(.badData, path: "/a", "circle") { try ImageFolder(root: root, name: "test") }
    }
  }

  @Test("are small images of one size or photographs as the training images are, whatever some others look like")
  func uniformity() throws {
    try withTemporaryFolder { root in
      try fill(
        root,
        (0..<20).map { "train/a/\(10 + $0).png" } + ["val/a/0.png", "train/b/1.png", "train/b/2.png", "val/b/1.png"])
      try write(png(gradient(width: 9, height: 8)), to: root + "/val/a/1.png")
      try write([1, 2, 3], to: root + "/train/a/10.png")
      try write([1, 2, 3], to: root + "/val/a/0.png")
      let dataset = try Dataset.open(root, options: ReadingOptions(onBadImage: .skip))
      let size = ImageSize(width: 8, height: 8)
      #expect(dataset.training.uniformSize == size && dataset.heldOut.uniformSize == size && dataset.resolution == 8)
      // A part that is held out, too, and what is packed of it.
      try FileManager.default.removeItem(atPath: root + "/val")
      let split = try Dataset.open(root, options: ReadingOptions(onBadImage: .skip))
      #expect(split.training.uniformSize == size && split.heldOut.uniformSize == size)
      _ = try Packing().write(split, to: root + "/packed", threads: 1)
      let packed = try Dataset.open(root + "/packed")
      #expect(packed.resolution == 8 && packed.heldOut.uniformSize == size)
    }
  }

  @Test("with names that are not UTF-8 are refused with the folder's name")
  func notUTF8() throws {
    try withTemporaryFolder { root in
      try fill(root, ["a/1.png", "a/2.png", "b/1.png", "b/2.png"])
      func create(_ ending: String) {
        let path = (Array((root + "/b/n").utf8) + [0xE9] + Array(ending.utf8) + [0]).map { CChar(bitPattern: $0) }
        close(open(path, O_WRONLY | O_CREAT, 0o644))
      }
      create(".txt")
      #expect(try Dataset.open(root).training.count == 2)
      create(".png")
      expectFailure(.badData, path: "/b", "not UTF-8") { try Dataset.open(root) }
    }
  }

  @Test("in Tiny ImageNet's layout have their held-out classes in a list")
  func tinyImageNet() throws {
    try withTemporaryFolder { root in
      let folder = root + "/tiny-imagenet-200"
      try fill(folder, ["train/n01/images/n01_0.JPEG", "train/n01/images/n01_1.JPEG", "train/n02/images/n02_0.JPEG"])
      try write(Array("n01_0.JPEG\t0\t0\t7\t7\n".utf8), to: folder + "/train/n01/n01_boxes.txt")
      try fill(
        folder, ["val/images/val_0.JPEG", "val/images/val_1.JPEG", "val/images/val_2.JPEG", "test/images/test_0.JPEG"])
      let list = folder + "/val/val_annotations.txt"
      func annotate(_ lines: String) throws { try write(Array(lines.utf8), to: list) }
      try annotate("val_0.JPEG\tn02\t0\t32\t44\t62\nval_1.JPEG\tn01\t0\t0\t7\t7\r\nval_2.JPEG\tn01\t0\t0\t7\t7\n")
      let dataset = try Dataset.open(root)
      #expect(dataset.classNames == ["n01", "n02"] && dataset.training.count == 3)
      #expect((0..<3).map(dataset.heldOut.label) == [0, 0, 1])
      #expect(
        (0..<3).map { (dataset.heldOut.place(at: $0) as NSString).lastPathComponent } == [
          "val_1.JPEG", "val_2.JPEG", "val_0.JPEG",
        ])
      #expect(try dataset.heldOut.image(at: 2).pixels == gradient(width: 8, height: 8, phase: 0).pixels)
      try annotate("val_0.JPEG\tn03\t0\t0\t1\t1\n")
      expectFailure(.badData, path: "val_annotations.txt", "n03") { try Dataset.open(root) }
      try annotate("val_0.JPEG\tn01\n../../secret\tn01\n")
      expectFailure(.badData, path: "val_annotations.txt", "line 2") { try Dataset.open(root) }
      try FileManager.default.moveItem(atPath: folder + "/val/images", toPath: folder + "/val/n01")
      try fill(folder, ["val/n02/0.JPEG"])
      // Rearranged by a script, with the list left there.
      #expect(try Dataset.open(root).heldOut.count == 4)
      try FileManager.default.removeItem(atPath: folder + "/val/n02")
      try FileManager.default.moveItem(atPath: folder + "/val/n01", toPath: folder + "/val/images")
      try annotate("")
      expectFailure(.badData, path: "val_annotations.txt", "no images") { try Dataset.open(root) }
    }
  }
}

extension [String] {
  // Paths are compared as torchvision compares them: the folder first, then the name.
  fileprivate var sortedAsListed: [Substring] {
    sorted { a, b in
      let (first, second) = (a as NSString, b as NSString)
      let folders = (first.deletingLastPathComponent, second.deletingLastPathComponent)
      return folders.0 == folders.1
        ? first.lastPathComponent.utf8.lexicographicallyPrecedes(second.lastPathComponent.utf8)
        : folders.0.utf8.lexicographicallyPrecedes(folders.1.utf8)
    }.map { $0[...] }
  }
}
