import Support

extension SeededGenerator {
  /// `elements` in random order (Fisher and Yates).
  package mutating func shuffled(_ elements: [Int]) -> [Int] {
    var result = elements
    for last in stride(from: result.count - 1, to: 0, by: -1) { result.swapAt(last, nextInt(below: last + 1)) }
    return result
  }
}
