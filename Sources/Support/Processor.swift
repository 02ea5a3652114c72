import Foundation

/// The processor that this process runs on.
package enum Processor {
  /// Its name as the kernel tells it; `unknown processor` where it does not.
  package static var name: String {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    for line in text.split(separator: "\n") where line.hasPrefix("model name") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }
    return "unknown processor"
  }
}
