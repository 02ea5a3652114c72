import Records
import Support

/// `--config FILE.yaml`: flags in a file. What is said on the command line wins.
package enum ConfigurationFile {
  // What a run folder's run.yaml says beside flags, and what a file cannot say.
  private static let notes: Set = ["command", "version", "libtorch", "swift", "data", "processes"]
  private static let excluded: Set = ["config", "help", "version"]

  /// Replaces `--config FILE` by the flags that the file stands for.
  ///
  /// Flags of other commands are passed over, so that one file serves several; what is a flag of none is an error.
  ///
  /// - Throws: `FileFailure` when the file is missing or is not a mapping from flags to values.
  package static func expand(_ arguments: [String], _ vocabulary: @autoclosure () throws -> Vocabulary) throws
    -> [String]
  {
    guard let position = arguments.firstIndex(where: { $0 == "--config" || $0.hasPrefix("--config=") }) else {
      return arguments
    }
    var rest = arguments
    let path: String
    if rest[position] == "--config" {
      guard position + 1 < rest.count else { throw UsageFailure("--config needs a file, as in --config run.yaml") }
      path = rest[position + 1]
      rest.removeSubrange(position...position + 1)
    } else {
      path = String(rest[position].dropFirst("--config=".count))
      rest.remove(at: position)
    }
    guard !rest.contains(where: { $0 == "--config" || $0.hasPrefix("--config=") }) else {
      throw UsageFailure("--config is given twice; one file is read")
    }
    let configuration = try Configuration(path: path)
    // The command comes first, then the file's flags, then what was typed.
    var command = rest.first.flatMap { $0.hasPrefix("-") ? nil : $0 }
    if command != nil {
      rest.removeFirst()
    } else if case .text(let named) = configuration.values["command"] {
      command = named
    }
    let vocabulary = try vocabulary()
    guard var command, vocabulary.has(command: command) else { return (command.map { [$0] } ?? []) + rest }
    if let second = rest.first, vocabulary.has(command: "\(command) \(second)") {
      command += " \(second)"
      rest.removeFirst()
    }
    let words = command.split(separator: " ").map(String.init)
    // A figure of the width-transfer paper is a comparison.
    let commands =
      command == "experiment" && rest.contains(where: GridArguments.isGrid) ? ["compare", command] : [command]
    return try words + flags(of: configuration, path, commands, said: rest, vocabulary) + rest
  }

  /// The flags of a command that a configuration stands for, without those that are said.
  ///
  /// - Parameter commands: Whose flags they may be, the first before the others.
  /// - Parameter isOwn: Whether the file is of this command alone, so that a flag of another one is a mistake.
  /// - Throws: `FileFailure` for what is a flag of no command.
  static func flags(
    of configuration: Configuration, _ path: String, _ commands: [String], said arguments: [String],
    _ vocabulary: Vocabulary, isOwn: Bool = false
  ) throws -> [String] {
    let said = Set(
      arguments.compactMap { $0.hasPrefix("--") ? $0.dropFirst(2).split(separator: "=").first.map(String.init) : nil })
    return try configuration.values.sorted { $0.key < $1.key }.flatMap { key, value -> [String] in
      guard !notes.contains(key) else { return [] }
      let kind = excluded.contains(key) ? nil : commands.lazy.compactMap { vocabulary.kind(of: key, in: $0) }.first
      guard kind != nil || !isOwn && !excluded.contains(key) && vocabulary.flags().contains(key) else {
        let near = nearestNames(to: key, in: vocabulary.flags(of: commands[0]).subtracting(excluded))
        throw FileFailure(
          .badData, path: path,
          reason:
            "\(key): \(isOwn ? "\(commands[0]) has" : "there is") no flag --\(key); nearest are \(near.joined(separator: ", "))"
        )
      }
      guard let kind else { return [] }
      let flags = try flags(key, value, kind, path)
      return said.contains(key) ? [] : flags
    }
  }

  private static func flags(
    _ key: String, _ value: Configuration.Value, _ kind: Vocabulary.Kind, _ path: String
  ) throws -> [String] {
    switch (value, kind) {
    case (.text("true"), .none): return ["--\(key)"]
    case (.text("false"), .none): return []
    case (_, .none): throw FileFailure(.badData, path: path, reason: "\(key): it is true or false")
    case (.text(""), _): throw FileFailure(.badData, path: path, reason: "\(key): its value is missing")
    case (.text(let text), _): return ["--\(key)=\(text)"]
    case (.list(let texts), .several): return texts.map { "--\(key)=\($0)" }
    case (.mapping, _) where key == "recipe": return ["--recipe=\(try value.line())"]
    case (.list, .one), (.mapping, _): throw FileFailure(.badData, path: path, reason: "\(key): one value is expected")
    }
  }
}
