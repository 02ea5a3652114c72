import ArgumentParser
import Foundation
import Records
import Support

/// What every command understands.
package struct GeneralOptions: ParsableArguments {
  package init() {}

  // Only here to be shown by --help: the file has been replaced by its flags before these are parsed.
  @Option(
    help: ArgumentHelp("Take these and other flags from a file; what is typed wins.", valueName: "file.yaml"),
    completion: .file())
  package var config: String?

  @Flag(help: "Show warnings and errors only.")
  package var quiet = false

  @Flag(name: .shortAndLong, help: "Show what is decided on the way.")
  package var verbose = false

  package func validate() throws {
    if quiet && verbose { throw ValidationError("--quiet and --verbose exclude each other") }
  }

  /// Tells something that a person may want to know.
  package func note(_ text: @autoclosure () -> String) {
    if !quiet, LaunchedProcess.isFirst { StandardError.write("width-transfer: \(Flags.spell(text()))\n") }
  }

  /// Tells something that helps to find out why.
  package func debug(_ text: @autoclosure () throws -> String) rethrows {
    if verbose, LaunchedProcess.isFirst { StandardError.write("width-transfer: \(try text())\n") }
  }

  /// Tells something that a person should know.
  package func warn(_ text: String) {
    if LaunchedProcess.isFirst { StandardError.write("width-transfer: warning: \(Flags.spell(text))\n") }
  }
}

/// Prints a result on standard output: JSON for programs, a few lines for people.
package enum Output {
  package static func json(_ value: some Encodable) throws {
    var data = try JSONFile.encoder().encode(value)
    data.append(0x0A)
    try StandardOutput.write(data)
  }

  /// One result as an object, several as a list.
  package static func one(_ values: [some Encodable]) throws {
    if values.count == 1 { try json(values[0]) } else { try json(values) }
  }

  package static func text(_ text: String) throws { try StandardOutput.write(Data((text + "\n").utf8)) }
}
