/// The images that a run has left out so far: how many of each sort, with an example.
public struct SkippedImages: Hashable, Codable, Sendable {
  private var files: [SkippedImage.Kind: Set<String>] = [:]

  /// No image.
  public init() {}

  /// Different images left out.
  public var count: Int { files.values.reduce(0) { $0 + $1.count } }

  /// Notes the images that a batch left out.
  ///
  /// - Returns: A warning for each sort of damage that is met for the first time.
  public mutating func add(_ skipped: [SkippedImage]) -> [String] {
    var warnings: [String] = []
    for image in skipped {
      if files[image.kind] == nil {
        warnings.append(
          "\(image.file): \(image.reason). Skipped; further images that are \(Self.words(image.kind)) are only counted")
      }
      files[image.kind, default: []].insert(image.file)
    }
    return warnings
  }

  /// Adds those that another has left out.
  package mutating func unite(_ other: SkippedImages) {
    files.merge(other.files) { $0.union($1) }
  }

  /// How many were left out and why; nil when there are none.
  public var summary: String? {
    guard count > 0 else { return nil }
    let parts = SkippedImage.Kind.allCases.compactMap { kind in
      files[kind].map { "\($0.count) \(Self.words(kind))" }
    }
    return "\(count) image(s) were skipped because they cannot be used: \(parts.joined(separator: ", ")). "
      + "width-transfer data verify lists them"
  }

  private enum CodingKeys: String, CodingKey {
    case files
  }

  /// Reads what was written.
  public init(from decoder: any Decoder) throws {
    let named = try decoder.container(keyedBy: CodingKeys.self).decode([String: [String]].self, forKey: .files)
    for (name, list) in named {
      guard let kind = SkippedImage.Kind(rawValue: name) else { continue }
      files[kind] = Set(list)
    }
  }

  /// Writes names in order, so that equal values give equal bytes.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    let named = files.map { ($0.key.rawValue, $0.value.sorted()) }
    try container.encode(Dictionary(uniqueKeysWithValues: named), forKey: .files)
  }

  private static func words(_ kind: SkippedImage.Kind) -> String {
    switch kind {
    case .missing: "missing"
    case .format: "of a format that is not read"
    case .limit: "beyond the limits"
    case .damaged: "damaged"
    }
  }
}
