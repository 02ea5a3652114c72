import Support
import Testing

@testable import ImageFiles
@testable import Loading

@Suite("CIFAR's binary files")
struct CIFARTests {
  /// A record whose red samples count up, whose green ones are all 7 and whose blue ones all 9.
  private func record(_ labels: [UInt8]) -> [UInt8] {
    labels + (0..<1024).map { UInt8($0 & 0xFF) } + [UInt8](repeating: 7, count: 1024)
      + [UInt8](repeating: 9, count: 1024)
  }

  @Test("hold any whole number of records, with the channels of a pixel brought together")
  func readsRecords() throws {
    try withTemporaryFolder { folder in
      let first = try write(record([3]) + record([1]), to: folder + "/data_batch_1.bin")
      let second = try write(record([9]), to: folder + "/data_batch_2.bin")
      let source = try InMemoryImages(
        cifar: .cifar10, files: [first, second], name: "test", classNames: (0..<10).map(String.init))
      #expect((0..<source.count).map(source.label) == [3, 1, 9])
      #expect(Array(source.image(at: 2).pixels[0..<9]) == [0, 7, 9, 1, 7, 9, 2, 7, 9])
      #expect(source.uniformSize == ImageSize(width: 32, height: 32))
    }
  }

  @Test("of CIFAR-100 give the fine label")
  func readsFineLabel() throws {
    try withTemporaryFolder { folder in
      let path = try write(record([4, 72]), to: folder + "/train.bin")
      let source = try InMemoryImages(
        cifar: .cifar100, files: [path], name: "test", classNames: (0..<100).map(String.init))
      #expect(source.label(at: 0) == 72)
    }
  }

  @Test("that are cut off, padded or empty are refused", arguments: [0, 1, 3072, 3074, 6145])
  func refusesPartialRecords(length: Int) throws {
    try withTemporaryFolder { folder in
      let path = try write(Array((record([1]) + record([1])).prefix(length)), to: folder + "/data_batch_1.bin")
      expectFailure(.badData, path: "data_batch_1.bin", "\(length) bytes", "3073") {
        try InMemoryImages(cifar: .cifar10, files: [path], name: "test", classNames: (0..<10).map(String.init))
      }
    }
  }

  @Test("with a label beyond the classes are refused, naming the record")
  func refusesLabels() throws {
    try withTemporaryFolder { folder in
      let path = try write(record([1]) + record([10]), to: folder + "/data_batch_1.bin")
      expectFailure(.badData, path: "data_batch_1.bin", "record 1 at byte 3073", "label 10") {
        try InMemoryImages(cifar: .cifar10, files: [path], name: "test", classNames: (0..<10).map(String.init))
      }
    }
  }

  @Test("are opened as a folder, with the names in it")
  func opensFolder() throws {
    try withTemporaryFolder { folder in
      let batches = folder + "/cifar-10-batches-bin"
      try write(record([3]), to: batches + "/data_batch_1.bin")
      try write(record([0]), to: batches + "/test_batch.bin")
      let names = (0..<10).map { "name\($0)" }
      try write(Array((names.joined(separator: "\n") + "\n\n").utf8), to: batches + "/batches.meta.txt")
      let dataset = try Dataset.open(folder)
      #expect(dataset.classNames == names)
      #expect(dataset.resolution == 32 && dataset.channels == 3)
      #expect(dataset.normalization == .cifar10)
      #expect(dataset.training.count == 1 && dataset.heldOut.label(at: 0) == 0)
    }
  }

  @Test("without a test batch are refused as incomplete")
  func refusesIncomplete() throws {
    try withTemporaryFolder { folder in
      try write(record([3]), to: folder + "/data_batch_1.bin")
      expectFailure(.missing, path: folder, "test_batch.bin") { try Dataset.open(folder) }
    }
  }
}
