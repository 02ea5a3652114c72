/// Records of a run by rising step, of which so many are kept at most: every second, fourth, … where there are more, and always the last.
///
/// A chart shows no more than that, and a log of a gigabyte is read in the memory of a small one.
struct ThinnedSeries<Element: Equatable & Sendable>: Equatable, Sendable {
  private var kept: [Element] = []
  // Behind the last that is kept.
  private var last: Element?
  private var stride = 1
  private var skipped = 0
  private let limit: Int
  private let step: @Sendable (Element) -> Int

  /// None yet.
  ///
  /// - Parameter limit: How many are kept at most, beside the last; an even number.
  init(limit: Int = 1 << 14, step: @escaping @Sendable (Element) -> Int) {
    precondition(limit > 0 && limit % 2 == 0, "\(limit) is not even")
    self.limit = limit
    self.step = step
  }

  /// The records.
  var values: [Element] { last.map { kept + [$0] } ?? kept }

  /// Adds a record; those that have its step or a later one are obsolete: a run that began anew without a checkpoint tells of no resume.
  mutating func append(_ element: Element) {
    let now = step(element)
    remove { $0 >= now }
    if skipped + 1 < stride {
      (last, skipped) = (element, skipped + 1)
      return
    }
    kept.append(element)
    (last, skipped) = (nil, 0)
    guard kept.count > limit else { return }
    // An odd number: the first stays, and the last.
    kept = kept.indices.filter { $0 % 2 == 0 }.map { kept[$0] }
    stride *= 2
  }

  /// Removes the records of some steps, the last ones.
  mutating func remove(where isObsolete: (Int) -> Bool) {
    if let last, isObsolete(step(last)) { (self.last, skipped) = (nil, 0) }
    while let end = kept.last, isObsolete(step(end)) {
      kept.removeLast()
      skipped = 0
    }
  }

  static func == (one: Self, other: Self) -> Bool { one.kept == other.kept && one.last == other.last }
}
