import Support

/// What random numbers are drawn for, so that equal seeds and positions do not make unlike things alike.
package enum RandomPurpose: UInt64 {
  case classSample = 1
  case epochOrder = 2
  case augmentation = 3
  case color = 4
  case mixing = 5
}

extension SeededGenerator {
  /// Creates a generator for one purpose and position.
  package init(seed: UInt64, _ purpose: RandomPurpose, _ position: Int, _ index: Int = 0) {
    self.init(seed: seed, purpose.rawValue, UInt64(bitPattern: Int64(position)), UInt64(bitPattern: Int64(index)))
  }

  /// `elements` in random order (Fisher and Yates).
  package mutating func shuffled(_ elements: [Int]) -> [Int] {
    var result = elements
    for last in stride(from: result.count - 1, to: 0, by: -1) { result.swapAt(last, nextInt(below: last + 1)) }
    return result
  }
}
