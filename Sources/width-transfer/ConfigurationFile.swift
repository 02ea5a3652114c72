import Foundation
import Runs
import Support
import Yams

/// `--config FILE.yaml`: flags in a file. What is said on the command line wins.
enum ConfigurationFile {
  /// Replaces `--config FILE` by the flags that the file stands for.
  ///
  /// - Throws: `FileFailure` when the file is missing or is not a mapping from flags to values.
  static func expand(_ arguments: [String]) throws -> [String] {
    guard let position = arguments.firstIndex(where: { $0 == "--config" || $0.hasPrefix("--config=") }) else {
      return arguments
    }
    var rest = arguments
    let path: String
    if rest[position] == "--config" {
      guard position + 1 < rest.count else { throw UsageFailure("--config needs a file") }
      path = rest[position + 1]
      rest.removeSubrange(position...position + 1)
    } else {
      path = String(rest[position].dropFirst("--config=".count))
      rest.remove(at: position)
    }
    let values = try YAMLFile.read(
      [String: Value].self, path: path, expecting: "a configuration maps flags, without dashes, to their values")
    let said = Set(rest.compactMap { $0.hasPrefix("--") ? $0.dropFirst(2).split(separator: "=").first.map(String.init) : nil })
    var flags: [String] = []
    for (key, value) in values.sorted(by: { $0.key < $1.key }) where !said.contains(key) && key != "command" {
      switch value {
      case .flag(true): flags.append("--\(key)")
      case .flag(false): break
      case .text(let text): flags.append("--\(key)=\(text)")
      case .list(let list): flags += list.map { "--\(key)=\($0)" }
      }
    }
    // The command comes first, then the file's flags, then what was typed.
    let command = rest.prefix { !$0.hasPrefix("-") }
    return Array(command) + flags + rest.dropFirst(command.count)
  }

  enum Value: Decodable {
    case flag(Bool)
    case text(String)
    case list([String])

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let flag = try? container.decode(Bool.self) {
        self = .flag(flag)
      } else if let list = try? container.decode([String].self) {
        self = .list(list)
      } else {
        self = .text(try container.decode(String.self))
      }
    }
  }
}
