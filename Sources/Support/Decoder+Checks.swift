extension Decoder {
  /// The values of a thing called `name`, where any other key than these is an error: it is a misspelt one.
  package func container<Key: CodingKey & CaseIterable>(
    withOnly keys: Key.Type, of name: String
  ) throws -> KeyedDecodingContainer<Key> {
    let known = Key.allCases.map(\.stringValue)
    let all = try container(keyedBy: AnyKey.self)
    if let unknown = all.allKeys.map(\.stringValue).sorted().first(where: { !known.contains($0) }) {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: codingPath,
          debugDescription: "'\(unknown)' is not part of \(name); known are \(known.joined(separator: ", "))"))
    }
    return try container(keyedBy: Key.self)
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
