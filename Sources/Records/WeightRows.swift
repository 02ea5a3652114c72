import Foundation
import Interchange
import Support

extension SafetensorsFile {
  /// The entries of a float32 tensor in order, with the length of its first axis.
  ///
  /// - Throws: `FileFailure` when the file holds no such tensor of two or more axes.
  func rows(of name: String) throws -> (values: [Float], count: Int) {
    guard let entry = entries[name], entry.type == .float32, entry.shape.count >= 2 else {
      throw FileFailure(.badData, path: path, reason: "it holds no weights \(name) in float32")
    }
    let values = try withBytes(of: name) { bytes in
      (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
    return (values, entry.shape[0])
  }
}
