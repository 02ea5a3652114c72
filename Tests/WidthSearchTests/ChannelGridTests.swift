import Methods
import Testing

@testable import WidthSearch

@Suite struct ChannelGridTests {
  // Worked by hand: C, range, g, c₀, K.
  static let official: [(channels: Int, maximum: Double, size: Int, fixed: Int, steps: Int)] = [
    (64, 1, 6, 10, 9), (128, 1, 12, 20, 9), (256, 1, 25, 31, 9), (512, 1, 51, 53, 9), (48, 1.5, 3, 6, 14),
    (24, 1.5, 1, 10, 14), (40, 1.5, 2, 12, 14), (144, 1.5, 9, 18, 14), (1920, 1.5, 128, 128, 14),
  ]

  @Test("The official layout has the table's groups", arguments: official.indices)
  func officialLayout(index: Int) {
    let row = Self.official[index]
    let grid = ChannelGrid(
      channels: row.channels, layout: .official, range: WidthRange(minimum: 0.1, maximum: row.maximum, offset: 0.1))
    #expect(grid.fixed == row.fixed)
    #expect(grid.groups == Array(repeating: row.size, count: row.steps))
    #expect(grid.channels == row.channels)
  }

  @Test("A width too small for the official groups is constant")
  func tooSmall() {
    for channels in 1...14 {
      let grid = ChannelGrid(channels: channels, layout: .official, range: WidthRange())
      #expect(grid.fixed == channels && grid.groups.isEmpty && grid.boundaries == [channels])
    }
  }

  static let ranges = [
    WidthRange(), WidthRange(minimum: 0.1, maximum: 1, offset: 0.1),
    WidthRange(minimum: 0.25, maximum: 1.5, offset: 0.25),
    WidthRange(minimum: 0.3, maximum: 2, offset: 0.4), WidthRange(minimum: 0.9, maximum: 1, offset: 0.3),
  ]

  @Test("The proportional layout is sound for every number of channels", arguments: ranges)
  func proportional(range: WidthRange) {
    for channels in 1...300 {
      for minimum in [1, 4, 300] {
        let grid = ChannelGrid(channels: channels, layout: .proportional, range: range, minimumChannels: minimum)
        let boundaries = grid.boundaries
        #expect(boundaries.last == channels && grid.channels == channels)
        #expect(boundaries[0] >= min(minimum, channels))
        #expect(zip(boundaries, boundaries.dropFirst()).allSatisfy { $0 < $1 }, "\(channels): \(boundaries)")
        #expect(grid.groups.allSatisfy { $0 > 0 } && grid.fixed > 0)
        // Every inner boundary is a multiple of the step, but for rounding.
        for boundary in boundaries.dropFirst().dropLast() {
          let steps = (Double(boundary) * range.maximum / Double(channels) - range.minimum) / range.offset
          let tolerance = 0.5 * range.maximum / Double(channels) / range.offset + 1e-9
          #expect(abs(steps - steps.rounded()) <= tolerance || boundary == minimum, "\(channels): \(boundaries)")
        }
      }
    }
  }

  @Test("A least number of channels is kept beside the official groups, too", arguments: [1, 6, 7, 20, 21, 48, 1000])
  func officialMinimum(least: Int) {
    // 48 of 1.5: groups of 3, the smallest 6 wide.
    let grid = ChannelGrid(channels: 48, layout: .official, range: WidthRange(), minimumChannels: least)
    #expect(grid.fixed + grid.groups.reduce(0, +) == 48)
    #expect(grid.fixed >= min(least, 48) && grid.fixed < max(6, min(least, 48)) + 3)
  }

  @Test("Small layers keep the range that the official groups take from them")
  func smallLayers() {
    let grid = ChannelGrid(channels: 24, layout: .proportional, range: WidthRange())
    #expect(grid.fixed == 2)
    #expect(grid.boundaries == [2, 3, 5, 6, 8, 10, 11, 13, 14, 16, 18, 19, 21, 22, 24])
  }

  @Test("More channels than there are can be asked for: all of them stay", arguments: [1, 4])
  func all(granularity: Int) {
    let grid = ChannelGrid(
      channels: 8, layout: .proportional, range: WidthRange(), minimumChannels: .max, granularity: granularity)
    #expect(grid.fixed == 8 && grid.groups.isEmpty)
  }

  @Test("A single channel stays")
  func one() {
    let grid = ChannelGrid(channels: 1, layout: .proportional, range: WidthRange())
    #expect(grid.fixed == 1 && grid.groups.isEmpty)
  }
}
