import ArgumentParser
import Commands
import Foundation
import Testing

/// What the documents tell people to type.
@Suite struct DocumentedCommandTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// README, the guide, and the results with the commands that made them.
  private static func documents() throws -> [String] {
    var found = ["README.md", "CONTRIBUTING.md"]
    for folder in ["Sources/WidthTransfer/WidthTransfer.docc", "docs"] {
      let files = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path) ?? .init()
      for case let path as String in files where path.hasSuffix(".md") { found.append("\(folder)/\(path)") }
    }
    return found
  }

  /// The words behind `width-transfer` in every line of a block of shell commands, as far as a pipe, a redirection or a comment.
  static func commands(in document: String) -> [[String]] {
    document.components(separatedBy: "\n```sh\n").dropFirst().flatMap { block -> [[String]] in
      let lines = (block.components(separatedBy: "\n```").first ?? "").replacingOccurrences(of: "\\\n", with: " ")
      return lines.split(separator: "\n").compactMap { line in
        var words = [String](), current = "", isWord = false
        var quote: Character?
        for character in line {
          if let open = quote {
            if character == open { quote = nil } else { current.append(character) }
          } else if character == "'" || character == "\"" {
            (quote, isWord) = (character, true)
          } else if character == " " {
            if isWord { words.append(current) }
            (current, isWord) = ("", false)
          } else {
            current.append(character)
            isWord = true
          }
        }
        if isWord { words.append(current) }
        guard let program = words.firstIndex(where: { $0 == "width-transfer" || $0.hasSuffix("/width-transfer") }),
          words[..<program].allSatisfy({ $0.contains("=") || $0 == "&&" })
        else { return nil }
        return words[(program + 1)...].prefix { !["|", ">", "2>", "&&", ";", "&", "#"].contains($0) }.map { $0 }
      }
    }
  }

  @Test("Words of a shell are taken as a shell would")
  func words() {
    let text =
      "Text\n```sh\nA=1 width-transfer run --x 'a b' \\\n  --y=\"c\"   # why\npip install width-transfer\n```\n"
    #expect(Self.commands(in: text) == [["run", "--x", "a b", "--y=c"]])
  }

  @Test("Every command line of the documents is one that the program takes")
  func parsed() throws {
    var count = 0
    for document in try Self.documents() {
      let text = try String(contentsOf: Self.root.appendingPathComponent(document), encoding: .utf8)
      for words in Self.commands(in: text) where !words.contains(where: { $0.contains("$") || $0.contains("…") }) {
        // A grid of one's own is a file that is not there.
        if words.first == "experiment", words.dropFirst().first?.hasSuffix(".yaml") == true { continue }
        count += 1
        do {
          // As the program does: a figure's name becomes the flags of `compare`.
          _ = try WidthTransferCommand.parseAsRoot(try GridArguments.expand(words, Vocabulary()))
        } catch {
          // Help and completions are answers, not errors.
          guard WidthTransferCommand.exitCode(for: error) == .success else {
            Issue.record("\(document): \(words.joined(separator: " ")): \(WidthTransferCommand.message(for: error))")
            continue
          }
        }
      }
    }
    #expect(count > 40)
  }

  @Test("README says what `overhead` prints")
  func overhead() throws {
    let readme = try String(contentsOf: Self.root.appendingPathComponent("README.md"), encoding: .utf8)
    let words = try #require(Self.commands(in: readme).last { $0.first == "overhead" })
    let outcome = try Workplace().run(words)
    outcome.expect(0)
    let line = try #require(readme.split(separator: "\n").first { $0.hasPrefix("The last one prints") })
    let said = try #require(line.split(separator: "`").dropFirst().first)
    #expect(outcome.output.contains(said), "\(outcome.output)")
  }
}
