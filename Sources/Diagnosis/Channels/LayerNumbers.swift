/// Layer numbers as people write them.
public enum LayerNumbers {
  /// `2, 4–6` for 2, 4, 5 and 6.
  public static func text(_ numbers: [Int]) -> String {
    var ranges: [ClosedRange<Int>] = []
    // A file may hold any numbers.
    for number in numbers.sorted() where number > Int.min {
      if let last = ranges.last, number - 1 <= last.upperBound {
        ranges[ranges.count - 1] = last.lowerBound...max(number, last.upperBound)
      } else {
        ranges.append(number...number)
      }
    }
    return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)–\($0.upperBound)" }.joined(
      separator: ", ")
  }
}
