import Support

// An operation is one flat object, `{"kind": "convolution", "outputChannels": 64, …}`, so that files are easy to read and
// to write by hand; the compiler's own form of enums is neither.

extension CodingUserInfoKey {
  /// The definitions of operations from elsewhere that a file may hold: `[any OperationDefinition.Type]`.
  public static let operations = CodingUserInfoKey(rawValue: "width-transfer.operations")!
}

extension Operation: Codable {
  private enum CodingKeys: String, CodingKey { case kind }

  private static let builtIn: [String: any OperationDefinition.Type] = byKind(definitions)

  private static func byKind(_ types: [any OperationDefinition.Type]) -> [String: any OperationDefinition.Type] {
    Dictionary(types.flatMap { type in type.kinds.map { ($0, type) } }, uniquingKeysWith: { first, _ in first })
  }

  /// Reads an operation by its `kind`.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let kind = try values.decode(String.self, forKey: .kind)
    let others = decoder.userInfo[.operations] as? [any OperationDefinition.Type] ?? []
    guard let type = Self.builtIn[kind] ?? Self.byKind(others)[kind] else {
      let known = (Array(Self.builtIn.keys) + Array(Self.byKind(others).keys)).sorted()
      throw DecodingError.dataCorruptedError(
        forKey: .kind, in: values,
        debugDescription:
          "there is no operation \"\(kind)\"; nearest is \(nearestNames(to: kind, in: known, count: 1)[0]); known are "
          + known.joined(separator: ", "))
    }
    try decoder.refuseKeys(besides: ["kind"] + type.settingNames, of: "the operation \(kind)")
    self.init(try type.init(kind: kind, settingsFrom: decoder))
  }

  /// Writes `kind` and the settings side by side.
  public func encode(to encoder: any Encoder) throws {
    let definition = definition
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(definition.kind, forKey: .kind)
    try definition.encodeSettings(to: encoder)
  }
}
