import Foundation
import Networks
import Support
import Testing

/// What the documents say is there.
@Suite struct DocumentTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  private static let catalogue = "Sources/WidthTransfer/WidthTransfer.docc"

  private static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  private static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
  }

  /// The code between two marks, without the indentation that it has there.
  private static func snippets() throws -> Set<String> {
    let lines = try text("Tests/DocumentTests/GettingStartedSnippets.swift").split(
      separator: "\n", omittingEmptySubsequences: false)
    var (snippets, current) = (Set<String>(), [Substring]?.none)
    for line in lines {
      let trimmed = line.trimmingCharacters(in: .whitespaces)
      if trimmed.hasPrefix("// snippet: ") {
        current = []
      } else if trimmed == "// end", let code = current {
        snippets.insert(
          code.map { $0.hasPrefix("    ") ? String($0.dropFirst(4)) : String($0) }.joined(separator: "\n"))
        current = nil
      } else {
        current?.append(line)
      }
    }
    return snippets
  }

  private static func blocks(of document: String) throws -> [String] {
    try text(document).components(separatedBy: "```swift\n").dropFirst().compactMap {
      $0.components(separatedBy: "\n```").first
    }
  }

  @Test("All Swift code of the guide is code that the tests run")
  func snippets() throws {
    let known = try Self.snippets()
    let blocks = try Self.blocks(of: "\(Self.catalogue)/GettingStarted.md")
    #expect(blocks.count >= 6)
    for block in blocks where !block.hasPrefix("import ") { #expect(known.contains(block), "\(block)") }
  }

  @Test("README's exit codes are the program's")
  func exitCodes() throws {
    let rows = try Self.text("README.md").components(separatedBy: "| code | |\n| --- | --- |\n")[1]
      .split(separator: "\n", omittingEmptySubsequences: false).prefix { $0.hasPrefix("| ") }
    let codes = rows.flatMap { $0.split(separator: "|")[0].split(separator: ",") }
      .compactMap { Int32($0.trimmingCharacters(in: .whitespaces)) }
    #expect(Set(codes) == Set(ExitStatus.allCases.map(\.rawValue)))
    #expect(codes.count == ExitStatus.allCases.count)
  }

  @Test("What README says to depend on is what the package offers")
  func products() throws {
    let manifest = try Self.text("Package.swift")
    let section = try #require(
      Self.text("README.md").components(separatedBy: "## As a dependency\n").last?.components(separatedBy: "\n## ")
        .first)
    let block = try #require(try Self.blocks(of: "README.md").first)
    #expect(block.contains(#".product(name: "WidthTransfer", package: "width-transfer")"#))
    #expect(manifest.contains(#"name: "width-transfer","#))
    let names = section.matches(of: /`([A-Z][A-Za-z]+)`/).map { String($0.1) }
    #expect(names.count >= 13)
    for name in names { #expect(manifest.contains("\"\(name)\""), "\(name)") }
    #expect(try Self.blocks(of: "README.md").count == 1, "a new example belongs to the snippets that are compiled")
  }

  @Test("The schema of network files, their page and the program know the same operations and settings")
  func networkFiles() throws {
    let schema = try #require(
      try JSONSerialization.jsonObject(with: Data(Self.text("docs/schema/network.schema.json").utf8)) as? [String: Any])
    let definitions = try #require(schema["$defs"] as? [String: Any])
    let operation = try #require((definitions["operation"] as? [String: Any])?["oneOf"] as? [[String: Any]])
    var listed: [String: Set<String>] = [:]
    for form in operation {
      let properties = try #require(form["properties"] as? [String: Any])
      let kind = try #require((properties["kind"] as? [String: Any])?["const"] as? String)
      listed[kind] = Set(properties.keys).subtracting(["kind"])
    }
    let known = Dictionary(
      Networks.Operation.definitions.flatMap { type in type.kinds.map { ($0, Set(type.settingNames)) } },
      uniquingKeysWith: { first, _ in first })
    #expect(listed == known)
    let page = try Self.text("\(Self.catalogue)/NetworkFiles.md")
    for (kind, settings) in known {
      let row = try #require(page.split(separator: "\n").first { $0.hasPrefix("| `\(kind)` |") }, "\(kind)")
      for name in settings { #expect(row.contains("`\(name)`"), "\(kind): \(name)") }
    }
    let example = try #require(page.components(separatedBy: "```json\n").last?.components(separatedBy: "\n```").first)
    #expect(try Network(json: Data(example.utf8)).resolved().cost.macs > 0)
  }

  @Test("Every file that the page of places names is there")
  func places() throws {
    let page = try Self.text("\(Self.catalogue)/WhereThingsAre.md")
    let rows = page.split(separator: "\n").filter { $0.hasPrefix("| ") && $0.contains("`Sources/") }
    #expect(rows.count >= 25)
    for row in rows {
      let path = row.split(separator: "`")[1]
      #expect(Self.exists(String(path)), "\(path)")
    }
  }

  @Test("No source and no document names a Markdown file that is not in the repository")
  func citations() throws {
    let pattern = try Regex(#"[A-Za-z0-9_./-]+\.md\b"#)
    var known: Set<String> = []
    var files: [String] = []
    let folders = ["Sources", "Tests", "scripts", "Benchmarks", "docs"]
    for folder in folders {
      let base = Self.root.appendingPathComponent(folder)
      for case let path as String in FileManager.default.enumerator(atPath: base.path) ?? .init() {
        if path.hasSuffix(".md") { known.insert((path as NSString).lastPathComponent) }
        let isText =
          [".swift", ".md", ".py", ".sh", ".cpp", ".h"].contains(where: path.hasSuffix) || folder == "scripts"
        if isText { files.append("\(folder)/\(path)") }
      }
    }
    for name in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
      known.insert(name)
      files.append(name)
    }
    for file in files where !file.hasPrefix("Tests/DocumentTests/") {
      guard let text = try? Self.text(file) else { continue }
      for match in text.matches(of: pattern) {
        let name = (String(text[match.range]) as NSString).lastPathComponent
        #expect(known.contains(name), "\(file) names \(name)")
      }
    }
  }

  @Test("The scripts that documents name are there")
  func scripts() throws {
    let pattern = try Regex(#"scripts/[a-z][a-z0-9-]*"#)
    for document in ["README.md", "CONTRIBUTING.md", "\(Self.catalogue)/Architecture.md"] {
      let text = try Self.text(document)
      for match in text.matches(of: pattern) {
        #expect(Self.exists(String(text[match.range])), "\(document) names \(text[match.range])")
      }
    }
  }
}
