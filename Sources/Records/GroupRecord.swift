import Networks

/// One width group of a target in a record: where it lies and its channels.
public struct GroupRecord: Codable, Sendable, Equatable {
  /// The group's identifier.
  public var id: WidthGroup.ID
  /// The stage's name, when the group lies in one.
  public var stage: String?
  /// The network's own channels.
  public var original: Int
  /// The channels that were found; the network's own where the record is not about one result.
  public var optimized: Int {
    get { found ?? original }
    set { found = newValue }
  }
  private var found: Int?

  private enum CodingKeys: String, CodingKey {
    case id, stage, original
    case found = "optimized"
  }

  /// Creates the record.
  public init(id: WidthGroup.ID, stage: String?, original: Int, optimized: Int? = nil) {
    self.id = id
    self.stage = stage
    self.original = original
    found = optimized
  }

  /// The groups of a network in its order.
  ///
  /// - Parameter widths: The channels that were found; nil when the record is not about one result.
  public static func all(of network: ResolvedNetwork, widths: Widths? = nil) -> [GroupRecord] {
    network.allGroups.map { group in
      GroupRecord(
        id: group.id, stage: group.stage.map { network.network.stages[$0].name }, original: group.width,
        optimized: widths.map { $0[group.id] ?? group.width })
    }
  }
}
