/// How the widths of a stage's blocks become those of a deeper stage; the raw values are the command line's.
public enum Stacking: String, Codable, Hashable, Sendable, CaseIterable {
  /// New blocks are the mean of all blocks but the first, whose role differs (it changes resolution or channels); the
  /// blocks that are there stay, so that nothing changes at equal depth. The paper's default.
  case averageBlock = "average-block"
  /// New blocks repeat the last block.
  case lastBlock = "last-block"
  /// As ``averageBlock``, and all blocks but the first become means too. The paper's text allows this reading as well.
  case averageBlockReplacing = "average-block-replacing"

  /// The values of `count` blocks, made from those of the source's blocks; a shallower target takes the first ones.
  ///
  /// - Parameters:
  ///   - values: One value for each block of the source, nil where a block has no group of this role.
  ///   - count: The number of blocks of the target.
  /// - Returns: One value for each block, or nothing when the source has no value at all.
  public func stacked(_ values: [Double?], count: Int) -> [Double] {
    let present = values.compactMap { $0 }
    guard let last = present.last else { return [] }
    let behindFirst = values.dropFirst().compactMap { $0 }
    // With a single block there is nothing to average: all rules repeat it.
    let mean = behindFirst.isEmpty ? present[0] : behindFirst.reduce(0, +) / Double(behindFirst.count)
    return (0..<max(0, count)).map { block in
      let own = block < values.count ? values[block] : nil
      return switch self {
      case .averageBlock: own ?? mean
      case .lastBlock: own ?? last
      case .averageBlockReplacing: block == 0 ? own ?? mean : mean
      }
    }
  }
}
