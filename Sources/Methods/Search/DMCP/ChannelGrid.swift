import Networks

/// The widths that DMCP chooses among for one width group: some channels that always stay and groups that may go.
public struct ChannelGrid: Sendable, Hashable {
  /// How channels are divided.
  public enum Layout: String, Codable, Sendable, Hashable, CaseIterable {
    /// Boundaries at round(C · (min + k · offset) / max), so that small layers keep the same relative range.
    case proportional
    /// The official code's: groups of ⌊offset · C / max⌋ and the remainder fixed, which leaves 42 % of 24 channels fixed.
    case official
  }

  /// Channels that always stay, c₀.
  public let fixed: Int
  /// Channels of each group that may go, g₁ … g_K.
  public let groups: [Int]

  /// All channels.
  public var channels: Int { fixed + groups.reduce(0, +) }

  /// The widths in reach, c₀ < … < C.
  public var boundaries: [Int] {
    var sum = fixed
    return [fixed]
      + groups.map {
        sum += $0
        return sum
      }
  }

  /// Creates a grid from its parts.
  public init(fixed: Int, groups: [Int]) {
    self.fixed = fixed
    self.groups = groups
  }

  /// Divides `channels` of a network that is `range.maximum` times as wide as the one whose widths are sought.
  ///
  /// - Parameter granularity: Channels that stay or go together: as many as a convolution beside them has groups.
  public init(channels: Int, layout: Layout, range: WidthRange, minimumChannels: Int = 1, granularity: Int = 1) {
    guard granularity == 1 else {
      let units = ChannelGrid(
        channels: channels / granularity, layout: layout, range: range,
        minimumChannels: (minimumChannels - 1) / granularity + 1)
      self.init(fixed: units.fixed * granularity, groups: units.groups.map { $0 * granularity })
      return
    }
    let steps = range.steps
    switch layout {
    case .official:
      let size = Int(range.offset * Double(channels) / range.maximum)
      let fixed = channels - size * steps
      guard size > 0, channels > fixed + 1 else {
        self.init(fixed: channels, groups: [])
        return
      }
      // The official code has no least number of channels: one that is asked for is made of the first steps.
      let least = LeastChannels.kept(of: channels, wanted: minimumChannels)
      let lost = min(steps, max(0, (least - fixed + size - 1) / size))
      self.init(fixed: fixed + lost * size, groups: Array(repeating: size, count: steps - lost))
    case .proportional:
      let least = LeastChannels.kept(of: channels, wanted: minimumChannels)
      let scale = Double(channels) / range.maximum
      let marks = (0...steps).map { step in
        max(least, Int((scale * (range.minimum + Double(step) * range.offset)).rounded()))
      }
      // Small layers have fewer channels than marks: equal marks are one.
      var boundaries: [Int] = []
      for mark in marks where mark > (boundaries.last ?? 0) { boundaries.append(min(mark, channels)) }
      if let last = boundaries.last, last < channels { boundaries[boundaries.count - 1] = channels }
      guard boundaries.count > 1 else {
        self.init(fixed: channels, groups: [])
        return
      }
      self.init(fixed: boundaries[0], groups: zip(boundaries.dropFirst(), boundaries).map { $0 - $1 })
    }
  }

  /// The mean of the channels that can be chosen.
  package var mean: Double { Double(boundaries.reduce(0, +)) / Double(max(1, boundaries.count)) }
}
