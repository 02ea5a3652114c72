/// A value for some of a network's width groups, in an order that is kept: the network's, where it was made from one.
///
/// Two are equal when they have equal values for the same groups. In files it is a plain object, `{GROUP: value}`.
public struct PerGroup<Value> {
  /// The groups that have a value, in order.
  public private(set) var groups: [WidthGroup.ID]
  /// The values by group, without an order.
  public private(set) var values: [WidthGroup.ID: Value]

  /// Creates a map; without an order of their own, groups are ordered by name.
  public init(_ values: [WidthGroup.ID: Value] = [:]) {
    groups = values.keys.sorted()
    self.values = values
  }

  /// A value for every group of a network.
  public init(_ network: ResolvedNetwork, _ value: (WidthGroup) throws -> Value) rethrows {
    self.init()
    for group in network.widthGroups { self[group.id] = try value(group) }
  }

  /// Values in the order of their groups.
  ///
  /// - Precondition: As many values as groups, and no group twice.
  public init(groups: [WidthGroup.ID], values: [Value]) {
    precondition(groups.count == values.count, "\(values.count) values for \(groups.count) groups")
    self.groups = groups
    self.values = Dictionary(uniqueKeysWithValues: zip(groups, values))
  }

  /// The value of one group; nil when it has none.
  public subscript(id: WidthGroup.ID) -> Value? {
    get { values[id] }
    set {
      if let newValue {
        if values.updateValue(newValue, forKey: id) == nil { groups.append(id) }
      } else if values.removeValue(forKey: id) != nil {
        groups.removeAll { $0 == id }
      }
    }
  }

  /// The value of one group, or a default.
  public subscript(id: WidthGroup.ID, default value: @autoclosure () -> Value) -> Value { values[id] ?? value() }

  /// The values of both; where both have one, this one's.
  public func merging(_ other: PerGroup) -> PerGroup {
    other.groups.reduce(into: self) { if $0[$1] == nil { $0[$1] = other[$1] } }
  }

  /// Whether no group has a value.
  public var isEmpty: Bool { groups.isEmpty }

  /// How many groups have a value.
  public var count: Int { groups.count }

  /// Other values for the same groups.
  public func mapValues<Other>(_ transform: (Value) throws -> Other) rethrows -> PerGroup<Other> {
    PerGroup<Other>(groups: groups, values: try groups.compactMap { try values[$0].map(transform) })
  }
}

/// Channel counts by width group.
public typealias Widths = PerGroup<Int>

extension PerGroup: Sendable where Value: Sendable {}

extension PerGroup: Equatable where Value: Equatable {
  /// Whether the same groups have equal values.
  public static func == (a: PerGroup, b: PerGroup) -> Bool { a.values == b.values }
}

extension PerGroup: Hashable where Value: Hashable {
  /// Feeds the values to a hasher.
  public func hash(into hasher: inout Hasher) { hasher.combine(values) }
}

extension PerGroup: ExpressibleByDictionaryLiteral {
  /// Creates a map from a literal, in its order; of a group that is given twice, the last value counts.
  public init(dictionaryLiteral elements: (WidthGroup.ID, Value)...) {
    self.init()
    for (id, value) in elements { self[id] = value }
  }
}

extension PerGroup: Decodable where Value: Decodable {
  /// Reads a plain object.
  public init(from decoder: any Decoder) throws {
    self.init(try decoder.singleValueContainer().decode([String: Value].self))
  }
}

extension PerGroup: Encodable where Value: Encodable {
  /// Writes a plain object.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(values)
  }
}
