import Foundation
import Support

/// A folder with CIFAR's binary files.
struct CIFARFolder {
  static let cifar10Names = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]

  private let layout: CIFARLayout
  private let folder: String
  private let training: [String]
  private let heldOut: String

  /// Finds the files among `files`; nil when there are none.
  ///
  /// - Throws: ``Support/FileFailure`` when one split is there and the other is not.
  init?(folder: String, files: [String]) throws {
    let batches = files.filter { $0.hasPrefix("data_batch_") && $0.hasSuffix(".bin") }
    if !batches.isEmpty || files.contains("test_batch.bin") {
      layout = .cifar10
      training = batches.map { folder + "/" + $0 }
      heldOut = "test_batch.bin"
    } else if files.contains("train.bin") {
      layout = .cifar100
      training = [folder + "/train.bin"]
      heldOut = "test.bin"
    } else {
      return nil
    }
    guard !training.isEmpty, files.contains(heldOut) else {
      throw FileFailure(
        .missing, path: folder,
        reason: training.isEmpty ? "has test_batch.bin but no data_batch_1.bin" : "has training files but no \(heldOut)"
      )
    }
    self.folder = folder
  }

  /// Reads the files.
  func open(name: String) throws -> Dataset {
    let classNames = try classNames()
    return Dataset(
      name: name,
      training: try InMemoryImages(cifar: layout, files: training, name: "\(name) training", classNames: classNames),
      heldOut: try InMemoryImages(
        cifar: layout, files: [folder + "/" + heldOut], name: "\(name) held-out", classNames: classNames),
      resolution: 32, normalization: layout == .cifar10 ? .cifar10 : .cifar100,
      format: "CIFAR binary files")
  }

  // The file of names is a convenience; a folder without it gets CIFAR-10's names, or numbers.
  private func classNames() throws -> [String] {
    let path = folder + "/" + (layout == .cifar10 ? "batches.meta.txt" : "fine_label_names.txt")
    guard FileManager.default.fileExists(atPath: path) else {
      return layout == .cifar10
        ? Self.cifar10Names
        : (0..<100).map(String.init)
    }
    let text = String(decoding: try FileBytes.read(path: path, limit: 1 << 20), as: UTF8.self)
    let names = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty }
    guard names.count == layout.classCount else {
      throw FileFailure(.badData, path: path, reason: "names \(names.count) classes; there are \(layout.classCount)")
    }
    return names
  }
}
