import Foundation
import Support
import Testing

@testable import ImageFiles
@testable import Loading

@Suite("Opening a data set")
struct DatasetTests {
  private func writeQuartet(
    _ folder: String, suffix: String = "", labels: [UInt8] = [0, 1, 2], heldOut: [UInt8]? = nil
  ) throws {
    for (split, labels) in [("train", labels), ("t10k", heldOut ?? labels.reversed())] {
      let images = idx(shape: [labels.count, 2, 2], [UInt8](repeating: 5, count: 4 * labels.count))
      let pairs = [("images-idx3", images), ("labels-idx1", idx(shape: [labels.count], labels))]
      for (kind, bytes) in pairs {
        let content = suffix.isEmpty ? bytes : try gzip(bytes, in: folder)
        try write(content, to: "\(folder)/\(split)-\(kind)-ubyte\(suffix)")
      }
    }
  }

  @Test("finds the four IDX files, raw or compressed")
  func findsQuartet() throws {
    try withTemporaryFolder { folder in
      for suffix in ["", ".gz"] {
        let place = folder + "/data" + suffix
        try writeQuartet(place, suffix: suffix)
        let dataset = try Dataset.open(place)
        #expect(dataset.training.count == 3 && dataset.heldOut.count == 3)
        #expect(dataset.channels == 1 && dataset.resolution == 2 && dataset.normalization == .grey)
      }
    }
  }

  @Test("tells Fashion-MNIST and MNIST by their first labels")
  func tellsMembers() throws {
    try withTemporaryFolder { folder in
      try writeQuartet(folder + "/a", labels: [9, 0, 0, 3, 0, 2, 7, 2, 5, 5])
      let fashion = try Dataset.open(folder + "/a")
      #expect(fashion.normalization == .fashionMNIST && fashion.classNames[9] == "Ankle boot")
      try writeQuartet(folder + "/b", labels: [5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
      #expect(try Dataset.open(folder + "/b").normalization == .mnist)
    }
  }

  @Test("compares the numbered classes of the two splits")
  func numberedClasses() throws {
    try withTemporaryFolder { folder in
      // As EMNIST's letters: from 1 on, which leaves class 0 without an image in both splits.
      try writeQuartet(folder + "/a", labels: [1, 2, 3])
      let letters = try Dataset.open(folder + "/a")
      #expect(letters.classNames == ["0", "1", "2", "3"])
      #expect(letters.remarks.count == 1 && letters.remarks[0].hasPrefix("no training image of 0:"))
      try writeQuartet(folder + "/b", labels: [0, 1, 3], heldOut: [0, 2, 1])
      expectFailure(.badData, path: "t10k-labels-idx1-ubyte", "classes that training lacks: 2") {
        try Dataset.open(folder + "/b")
      }
      try writeQuartet(folder + "/c", labels: [0, 1, 2], heldOut: [2, 2])
      expectFailure(.badData, path: "t10k-labels-idx1-ubyte", "lacks images of the classes 0, 1;") {
        try Dataset.open(folder + "/c")
      }
      let lacking = try Dataset.open(folder + "/c", options: ReadingOptions(allowsMissingClasses: true))
      #expect(lacking.heldOut.label(at: 0) == 2)
      #expect(lacking.remarks.count == 1 && lacking.remarks[0].hasPrefix("no held-out image of 0, 1:"))
    }
  }

  @Test("names the file that a quartet lacks")
  func namesMissingFile() throws {
    try withTemporaryFolder { folder in
      try writeQuartet(folder)
      try FileManager.default.removeItem(atPath: folder + "/t10k-labels-idx1-ubyte")
      expectFailure(.missing, path: folder, "t10k-labels-idx1-ubyte") { try Dataset.open(folder) }
    }
  }

  @Test("looks for known names where the environment says")
  func knownNames() throws {
    try withTemporaryFolder { folder in
      try writeQuartet(folder + "/mnist", labels: [1, 2, 3])
      let mnist = try Dataset.open("mnist", environment: ["WIDTH_TRANSFER_DATA": folder])
      #expect(mnist.name == "mnist" && mnist.normalization == .mnist && mnist.classNames.count == 10)
      let fashion = try Dataset.open("fashion-mnist", environment: ["FASHION_MNIST": folder + "/mnist"])
      #expect(fashion.normalization == .fashionMNIST)
      expectFailure(.missing, path: "cifar100", folder + "/cifar100", "data/cifar100", "WIDTH_TRANSFER_DATA") {
        try Dataset.open("cifar100", environment: ["WIDTH_TRANSFER_DATA": folder])
      }
    }
  }

  @Test("says what was looked for and what was found when a folder is not recognised")
  func unrecognised() throws {
    try withTemporaryFolder { folder in
      expectFailure(.badData, path: folder, "Looked for", "data_batch_1.bin", "Found: nothing") {
        try Dataset.open(folder)
      }
      try write([1], to: folder + "/train.tar")
      expectFailure(.badData, path: "train.tar", "no tar archive") { try Dataset.open(folder) }
      expectFailure(.badData, path: "train.tar", "no tar archive") { try Dataset.open(folder + "/train.tar") }
      try FileManager.default.moveItem(atPath: folder + "/train.tar", toPath: folder + "/train.zip")
      expectFailure(.badData, path: folder, "Found: train.zip", "Unpack") { try Dataset.open(folder) }
      expectFailure(.badData, path: "train.zip", "is a file") { try Dataset.open(folder + "/train.zip") }
      expectFailure(.missing, path: "nowhere", "fashion-mnist") { try Dataset.open(folder + "/nowhere") }
    }
  }
}
