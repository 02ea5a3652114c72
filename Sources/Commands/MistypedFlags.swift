import Support

/// Flags that a command does not have, told before its parser takes their values for names.
enum MistypedFlags {
  /// Looks for a flag that the named command does not have.
  ///
  /// - Throws: `UsageFailure` with the nearest one.
  static func refuse(_ arguments: [String], _ vocabulary: @autoclosure () throws -> Vocabulary) throws {
    guard let first = arguments.first, !first.hasPrefix("-"), !arguments.contains("--help"), !arguments.contains("-h")
    else { return }
    let vocabulary = try vocabulary()
    let inner = arguments.count > 1 ? "\(first) \(arguments[1])" : first
    let command = vocabulary.has(command: inner) ? inner : first
    guard vocabulary.has(command: command) else { return }
    var rest = arguments.dropFirst()[...]
    while let word = rest.popFirst(), word != "--" {
      guard word.hasPrefix("--") else { continue }
      let flag = word.dropFirst(2).split(separator: "=", omittingEmptySubsequences: false).first.map(String.init) ?? ""
      guard let kind = vocabulary.kind(of: flag, in: command) else {
        guard !["help", "help-hidden", "version", "config"].contains(flag),
          !flag.hasPrefix("generate-completion-script"),
          !flag.hasPrefix("experimental-")
        else { continue }
        let message = "Unknown option '--\(flag)'"
        if let hint = FamiliarFlags.hint(for: message) { throw UsageFailure("\(message). \(hint)") }
        let near = nearestNames(to: flag, in: vocabulary.flags(of: command), count: 1)
        throw UsageFailure(
          "\(message)\(near.isEmpty ? "" : ". Did you mean '--\(near[0])'?") width-transfer \(command) --help shows all"
        )
      }
      // Its value may look like a flag.
      if kind != .none, !word.contains("=") { rest = rest.dropFirst() }
    }
  }
}
