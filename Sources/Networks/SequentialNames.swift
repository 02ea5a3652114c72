/// The numbering of a PyTorch `Sequential` whose members are the blocks of a stage: `features.2`, `features.3`, …
struct SequentialNames {
  /// What comes before the number, with the dot: `features.`.
  private let prefix: String

  /// Finds the container; nil when the names of the blocks do not differ by a number.
  init?(stage: Stage) {
    guard let first = stage.blocks.first, let last = stage.blocks.last else { return nil }
    let a = first.name.split(separator: ".", omittingEmptySubsequences: false)
    let b = last.name.split(separator: ".", omittingEmptySubsequences: false)
    // A single block can only lose or gain members of the container that it is in by its last number.
    let place = zip(a, b).prefix { $0 == $1 }.count
    let index = first == last ? a.count - 1 : place
    guard index < a.count, index < b.count, Int(a[index]) != nil, Int(b[index]) != nil else { return nil }
    prefix = a[..<index].map { $0 + "." }.joined()
    let members = stage.blocks.flatMap(\.layers)
    guard members.allSatisfy({ number(of: $0) != nil }) else { return nil }
  }

  /// How many members of the container the blocks take up.
  func childCount(_ blocks: some Sequence<Block>) -> Int {
    Set(blocks.flatMap { $0.layers.compactMap(number) }).count
  }

  /// Changes the number of every name behind `blocks` by `offset`, and leaves the others.
  func shift(behind blocks: some Sequence<Block>, by offset: Int) -> (String) -> String {
    let last = blocks.flatMap { $0.layers.compactMap(number) }.max() ?? .max
    return { name in number(of: name).map { $0 > last } == true ? moved(name, by: offset) : name }
  }

  /// The name with its number changed by `offset`.
  func moved(_ name: String, by offset: Int) -> String {
    guard let number = number(of: name) else { return name }
    let rest = name.dropFirst(prefix.count).drop { $0 != "." }
    return prefix + String(number + offset) + rest
  }

  private func number(of name: String) -> Int? {
    guard name.hasPrefix(prefix) else { return nil }
    // Within bounds to which any number of blocks can be added.
    return Int32(name.dropFirst(prefix.count).prefix { $0 != "." }).map(Int.init)
  }
}
