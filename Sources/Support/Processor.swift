import Foundation

/// The processor that this process runs on.
package enum Processor {
  /// The name of one that says nothing of itself: no two of these are known to be the same.
  package static let unknown = "unknown processor"

  /// Its name as the kernel tells it, by numbers where it has no other (`ARM 0x41, part 0xd0c`); ``unknown`` where it does not.
  package static var name: String {
    name(in: (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? "")
  }

  static func name(in text: String) -> String {
    func value(_ key: String) -> String? {
      for line in text.split(separator: "\n") {
        let parts = line.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, parts[0].trimmingCharacters(in: .whitespaces) == key else { continue }
        let value = parts[1].trimmingCharacters(in: .whitespaces)
        if !value.isEmpty { return value }
      }
      return nil
    }
    if let name = value("model name") { return name }
    guard let implementer = value("CPU implementer"), let part = value("CPU part") else { return unknown }
    return "ARM \(implementer), part \(part)"
  }
}
