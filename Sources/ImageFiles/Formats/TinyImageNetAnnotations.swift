import Foundation
import Support

/// The held-out images of Tiny ImageNet as its authors publish them: `val/images/` and beside it `val_annotations.txt`, a line an
/// image: its name, its class and four numbers of a box, separated by tabs.
struct TinyImageNetAnnotations {
  static let fileName = "val_annotations.txt"
  private static let longestFile = 1 << 28

  private let folder: String
  private var files: [String] = []
  private var classes: [String] = []

  /// Whether there is a list, and images as it says.
  static func isThere(_ folder: String) -> Bool {
    // A val/ that was rearranged into class folders often still has the list.
    FileManager.default.fileExists(atPath: folder + "/" + fileName)
      && FileManager.default.fileExists(atPath: folder + "/images")
  }

  /// Reads the list; nil when there is none.
  ///
  /// - Throws: ``Support/FileFailure`` that names the line at fault.
  init?(folder: String) throws {
    guard Self.isThere(folder) else { return nil }
    let path = folder + "/" + Self.fileName
    self.folder = folder
    let text = String(decoding: try FileBytes.read(path: path, limit: Self.longestFile), as: UTF8.self)
    for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      if line.isEmpty { continue }
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard fields.count >= 2, !fields[0].isEmpty, !fields[1].isEmpty, !fields[0].contains("/"), fields[0] != ".."
      else {
        throw FileFailure(
          .badData, path: path, reason: "line \(number + 1) is not the name of an image, a tab and its class")
      }
      files.append("images/" + fields[0])
      classes.append(String(fields[1]))
    }
    guard !files.isEmpty else { throw FileFailure(.badData, path: path, reason: "names no images") }
  }

  /// The images, class by class as in class folders.
  func images(name: String, like training: ImageFolder, options: ReadingOptions) throws -> ImageFolder {
    let labels = Dictionary(
      training.classNames.enumerated().map { (ByteName($1), $0) }, uniquingKeysWith: { first, _ in first })
    let path = folder + "/" + Self.fileName
    var listed: [(label: Int, file: String)] = []
    for (file, kind) in zip(files, classes) {
      guard let label = labels[ByteName(kind)] else {
        throw FileFailure(.badData, path: path, reason: "\(file) has the class \(kind), which is no training folder")
      }
      listed.append((label, file))
    }
    listed.sort { $0.label != $1.label ? $0.label < $1.label : ByteOrder.precedes($0.file, $1.file) }
    return ImageFolder(
      root: folder, name: name, classNames: training.classNames, files: listed.map(\.file), labels: listed.map(\.label),
      options: options, uniformSize: training.uniformSize)
  }
}
