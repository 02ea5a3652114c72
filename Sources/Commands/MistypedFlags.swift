import Support

/// Flags that a command does not have: what its parser says of them may be about their values, which it took for names.
enum MistypedFlags {
  /// Looks for a flag that the named command does not have.
  ///
  /// - Throws: `UsageFailure` with the nearest one.
  static func refuse(_ arguments: [String], _ vocabulary: Vocabulary) throws {
    guard let first = arguments.first, !first.hasPrefix("-"), !arguments.contains("--help"), !arguments.contains("-h")
    else { return }
    let inner = arguments.count > 1 ? "\(first) \(arguments[1])" : first
    let command = vocabulary.has(command: inner) ? inner : first
    guard vocabulary.has(command: command) else { return }
    var rest = arguments.dropFirst()[...]
    while let word = rest.popFirst(), word != "--" {
      guard word.hasPrefix("--") else {
        if let hint = FamiliarFlags.hint(of: word) { throw UsageFailure("Unknown option '\(word)'. \(hint)") }
        continue
      }
      let flag = word.dropFirst(2).split(separator: "=", omittingEmptySubsequences: false).first.map(String.init) ?? ""
      guard let kind = vocabulary.kind(of: flag, in: command) else {
        guard !["help", "help-hidden", "version", "config"].contains(flag),
          !flag.hasPrefix("generate-completion-script"),
          !flag.hasPrefix("experimental-")
        else { continue }
        let near = nearestNames(to: flag, in: vocabulary.flags(of: command), count: 1).first
        let hint = FamiliarFlags.hint(of: "--\(flag)") ?? near.map { "Did you mean '--\($0)'?" } ?? ""
        throw UsageFailure("Unknown option '--\(flag)'. \(hint) width-transfer \(command) --help shows all")
      }
      // Its value may look like a flag.
      if kind != .none, !word.contains("=") { rest = rest.dropFirst() }
    }
  }
}
