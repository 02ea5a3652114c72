import Support

extension ImageSource {
  /// The indices of all images.
  public var indices: Range<Int> { 0..<count }

  /// A seeded sample that keeps the same fraction of every class.
  ///
  /// Of a class with `n` images, `max(1, round(fraction × n))` are kept: the beginning of a permutation that depends on
  /// `seed` and the class alone, so that a smaller sample is part of every larger one of the same seed.
  ///
  /// - Parameters:
  ///   - fraction: the part to keep, in `0...1`.
  ///   - seed: chooses the sample.
  /// - Returns: the indices in ascending order.
  public func classBalancedIndices(fraction: Double, seed: UInt64) -> [Int] {
    precondition(fraction >= 0 && fraction <= 1, "a fraction lies in 0...1, not at \(fraction)")
    return classSamples(fraction: fraction, seed: seed).flatMap { $0 }.sorted()
  }

  /// The number of images of ``classBalancedIndices(fraction:seed:)``, in one pass over the labels.
  public func classBalancedCount(fraction: Double) -> Int {
    var counts = [Int](repeating: 0, count: classNames.count)
    for index in indices { counts[label(at: index)] += 1 }
    return counts.reduce(0) { $0 + ($1 > 0 ? max(1, Int((fraction * Double($1)).rounded())) : 0) }
  }

  /// The sample of ``classBalancedIndices(fraction:seed:)`` class by class, in the order of the permutation.
  public func classSamples(fraction: Double, seed: UInt64) -> [[Int]] {
    var members = [[Int]](repeating: [], count: classNames.count)
    for index in indices { members[label(at: index)].append(index) }
    return members.enumerated().map { label, group in
      guard !group.isEmpty else { return [] }
      var generator = SeededGenerator(seed: seed, .classSample, at: label, 0)
      let kept = max(1, Int((fraction * Double(group.count)).rounded()))
      return Array(generator.shuffled(group).prefix(kept))
    }
  }
}
