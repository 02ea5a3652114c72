extension Decoder {
  /// The values of a thing called `name`, where any other key than these is an error: it is a misspelt one.
  package func container<Key: CodingKey & CaseIterable>(
    withOnly keys: Key.Type, of name: String
  ) throws -> KeyedDecodingContainer<Key> {
    try refuseKeys(besides: Key.allCases.map(\.stringValue), of: name)
    return try container(keyedBy: Key.self)
  }

  /// Refuses keys that a thing called `name` does not have: they are misspelt, or ask for what is not there.
  package func refuseKeys(besides known: [String], of name: String) throws {
    let all = try container(keyedBy: AnyKey.self)
    guard let unknown = all.allKeys.map(\.stringValue).sorted().first(where: { !known.contains($0) }) else { return }
    let nearest = known.count > 4 ? "nearest is \(nearestNames(to: unknown, in: known, count: 1)[0]); " : ""
    throw DecodingError.dataCorrupted(
      .init(
        codingPath: codingPath,
        debugDescription: "'\(unknown)' is not part of \(name); \(nearest)known are \(known.joined(separator: ", "))"))
  }

  /// Calls `validate` and throws its failure as one of decoding, which knows the place in the file.
  package func check(_ validate: () throws -> Void) throws {
    do {
      try validate()
    } catch {
      throw DecodingError.dataCorrupted(.init(codingPath: codingPath, debugDescription: "\(error)"))
    }
  }
}
