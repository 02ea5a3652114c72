import ArgumentParser
import Foundation

/// The flags of every command, as the parser itself describes them.
package struct Vocabulary {
  /// What may stand behind a flag.
  package enum Kind: Equatable {
    /// Nothing.
    case none
    /// One value.
    case one
    /// Several values, by giving the flag several times.
    case several
  }

  private let commands: [String: [String: Kind]]

  package init() throws {
    let tool = try JSONDecoder().decode(Tool.self, from: Data(WidthTransferCommand._dumpHelp().utf8))
    // Those of `data` are called by two words.
    let all = (tool.command.subcommands ?? []).flatMap { command in
      [(command.commandName, command.flags)]
        + (command.subcommands ?? []).map { ("\(command.commandName) \($0.commandName)", $0.flags) }
    }
    commands = Dictionary(all, uniquingKeysWith: { first, _ in first })
  }

  /// What stands behind `--flag` of a command; nil when the command has no such flag.
  package func kind(of flag: String, in command: String) -> Kind? { commands[command]?[flag] }

  /// The flags of a command, or of all.
  package func flags(of command: String? = nil) -> Set<String> {
    Set(commands.filter { command == nil || $0.key == command }.flatMap(\.value.keys))
  }

  package func has(command: String) -> Bool { commands[command] != nil }

  // The part of `--experimental-dump-help` that is used.
  private struct Tool: Decodable { var command: Command }

  private struct Command: Decodable {
    struct Argument: Decodable {
      struct Name: Decodable {
        var kind: String
        var name: String
      }

      var kind: String
      var isRepeating: Bool
      var names: [Name]?
    }

    var commandName: String
    var subcommands: [Command]?
    var arguments: [Argument]?

    var flags: [String: Kind] {
      var flags: [String: Kind] = [:]
      for argument in arguments ?? [] {
        for name in argument.names ?? [] where name.kind == "long" {
          flags[name.name] = argument.kind == "flag" ? Kind.none : argument.isRepeating ? .several : .one
        }
      }
      return flags
    }
  }
}
