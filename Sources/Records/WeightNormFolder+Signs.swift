import Diagnosis
import Foundation
import Support

extension WeightNormFolder {
  /// How many weights changed their sign, a record an epoch.
  private var signs: String { (path as NSString).appendingPathComponent("sign-changes.json") }
  /// The signs of all weights after so many epochs, while they are needed.
  package func signs(epoch: Int) -> String {
    (path as NSString).appendingPathComponent("signs-\(epoch).safetensors")
  }

  /// Removes the signs of all epochs but some.
  package func removeSigns(besides kept: Set<Int> = []) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] where Self.isSigns(name) {
      if kept.contains(where: { signs(epoch: $0).hasSuffix("/" + name) }) { continue }
      try? FileManager.default.removeItem(atPath: (path as NSString).appendingPathComponent(name))
    }
  }

  private static func isSigns(_ name: String) -> Bool {
    name.hasPrefix("signs-") && name.hasSuffix(".safetensors")
  }

  /// Whether a file of that name is one that following signs writes here.
  static func isOfSigns(_ name: String) -> Bool { name == "sign-changes.json" || isSigns(name) }

  /// Reads the records.
  ///
  /// - Throws: `FileFailure` when there are none.
  public func signChanges() throws -> [SignChange] {
    try JSONFile.read([SignChange].self, path: signs, expecting: "`train --track sign-changes` writes it")
  }

  /// Writes the records, all of them.
  ///
  /// - Throws: `FileFailure` of kind `io` when they cannot be written.
  public func write(_ changes: [SignChange]) throws {
    try AtomicFile.createFolder(path)
    try JSONFile.write(changes, to: signs)
  }
}
