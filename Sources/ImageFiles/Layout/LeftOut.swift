/// What lies among the images and is none: counted, and the first of it named.
struct LeftOut: Hashable, Sendable {
  /// How many of these are named.
  static let named = 5

  private(set) var count = 0
  private(set) var examples: [String] = []

  init(count: Int = 0, examples: [String] = []) { (self.count, self.examples) = (count, examples) }

  /// Counts one; its name is made only when it is shown.
  mutating func add(_ name: @autoclosure () -> String) {
    count += 1
    if examples.count < Self.named { examples.append(name()) }
  }

  mutating func add(_ other: LeftOut) {
    count += other.count
    examples += other.examples.prefix(Self.named - examples.count)
  }

  /// With a folder in front of the names.
  func below(_ folder: String) -> LeftOut { LeftOut(count: count, examples: examples.map { folder + "/" + $0 }) }

  /// In words; nil when there is nothing.
  ///
  /// - Parameters:
  ///   - noun: What it is, for one and for several.
  ///   - reason: Why it is left out.
  func remark(_ noun: (one: String, several: String), _ reason: String) -> String? {
    guard count > 0 else { return nil }
    let rest = count - examples.count
    return "\(count) \(count == 1 ? noun.one : noun.several): \(reason) (\(examples.joined(separator: ", "))"
      + (rest > 0 ? " and \(rest) more)" : ")")
  }
}

extension LeftOut {
  /// Files that are no images by their names.
  var otherFiles: String? {
    remark(("file is left out", "files are left out"), "not JPEG or PNG by name")
  }

  /// Links to what is not there.
  var brokenLinks: String? { remark(("link leads nowhere", "links lead nowhere"), "what it names is not there") }
}
