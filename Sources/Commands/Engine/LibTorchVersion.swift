import CLibTorchHeaders
import Foundation

/// Versions of LibTorch, as far as they can be told without loading it.
enum LibTorchVersion {
  /// The one whose headers this was compiled with, for example `2.13.0`.
  static let built = "\(TORCH_VERSION_MAJOR).\(TORCH_VERSION_MINOR).\(TORCH_VERSION_PATCH)"

  /// What the files beside a `lib` folder say: a wheel's `version.py`, an unpacked LibTorch's `build-version`.
  static func found(beside folder: String) -> String? {
    let parent = URL(fileURLWithPath: folder).deletingLastPathComponent().path
    if let text = try? String(contentsOfFile: parent + "/build-version", encoding: .utf8) {
      return text.split(whereSeparator: \.isNewline).first.map(String.init)
    }
    guard let text = try? String(contentsOfFile: parent + "/version.py", encoding: .utf8) else { return nil }
    return text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("__version__") }
      .flatMap { $0.split(separator: "'").dropFirst().first ?? $0.split(separator: "\"").dropFirst().first }
      .map(String.init)
  }

  /// `2.13` of `2.13.0+cpu`.
  static func minor(_ version: String) -> String { version.split(separator: ".").prefix(2).joined(separator: ".") }
}
