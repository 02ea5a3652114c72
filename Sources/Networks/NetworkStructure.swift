import Support

/// What somebody states of a network's structure: stages with their blocks, layers that keep their widths, and layers of one width.
///
/// It stands in for what is found in a network of somebody else's, whose layers may be called anything.
public struct NetworkStructure: Hashable, Sendable {
  /// A stage.
  public struct Stage: Hashable, Sendable {
    /// Its name, for example `layer1`.
    public var name: String
    /// Each block by names of layers, or by what their names begin with: `layer1.0` stands for `layer1.0.conv1` and all the others.
    public var blocks: [[String]]
  }

  /// The stages, in network order; nil leaves those that were found.
  public var stages: [Stage]?
  /// Patterns of layers whose widths stay, as ``ResolvedNetwork/groups(matching:)`` reads them.
  public var fixed: [String]
  /// Lists of patterns of layers that are to have one width, as ``ResolvedNetwork/groups(matching:)`` reads them.
  public var groups: [[String]]

  /// The network with this structure.
  ///
  /// - Throws: ``NetworkFailure`` or `UsageFailure` that name what does not fit.
  public func applied(to network: Network) throws -> Network {
    var changed = network
    if let stages {
      changed.stages = try stages.map { stage in
        Networks.Stage(name: stage.name, blocks: try stage.blocks.map { try block($0, of: stage, in: network) })
      }
    }
    let resolved = try changed.resolved()
    if !fixed.isEmpty { changed.fixed.formUnion(try resolved.groups(matching: fixed)) }
    changed.tied += try groups.map { patterns in
      let tied = try resolved.groups(matching: patterns)
      let names = resolved.allGroups.map(\.id).filter(tied.contains)
      guard names.count > 1 else {
        throw NetworkFailure(
          "`groups` \(patterns.joined(separator: ", ")): all of it has one width already, that of \(names.first ?? "nothing")"
        )
      }
      return names
    }
    return try changed.resolved().network
  }

  private func block(_ names: [String], of stage: Stage, in network: Network) throws -> Block {
    var found: Set<String> = []
    for name in names {
      let own = network.layers.map(\.name).filter { $0 == name || $0.hasPrefix(name + ".") }
      guard !own.isEmpty else {
        let near = nearestNames(to: name, in: network.layers.map(\.name))
        throw NetworkFailure(
          "stage \(stage.name) has a block \(name), but no layer's name is or begins with it; nearest: "
            + near.joined(separator: ", "))
      }
      found.formUnion(own)
    }
    return Block(name: names.first ?? "", layers: network.layers.map(\.name).filter(found.contains))
  }
}

extension NetworkStructure: Decodable {
  private enum CodingKeys: String, CodingKey, CaseIterable { case stages, fixed, groups }

  /// Reads `stages`, `fixed` and `groups`; any may be left out.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(withOnly: CodingKeys.self, of: "a structure")
    stages = try values.decodeIfPresent([Stage].self, forKey: .stages)
    fixed = try values.decodeIfPresent([String].self, forKey: .fixed) ?? []
    groups = try values.decodeIfPresent([[String]].self, forKey: .groups) ?? []
  }
}

extension NetworkStructure.Stage: Decodable {
  private enum CodingKeys: String, CodingKey, CaseIterable { case name, blocks }

  private struct Names: Decodable {
    var names: [String]

    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      names = try (try? value.decode(String.self)).map { [$0] } ?? value.decode([String].self)
    }
  }

  /// Reads a stage whose blocks are names or lists of names.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(withOnly: CodingKeys.self, of: "a stage")
    name = try values.decode(String.self, forKey: .name)
    blocks = try values.decode([Names].self, forKey: .blocks).map(\.names)
  }
}
