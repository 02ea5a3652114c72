/// Which positions of an epoch's order are tried in place of one whose image cannot be used: the same place of each batch that follows,
/// around the end, then all others.
///
/// It depends on the position alone: any number of processes, which share a batch, replace an image by the same one, and no two images of
/// a batch by one and the same, as long as there are others.
struct Replacements: Sequence, IteratorProtocol {
  private let position: Int, count: Int, batchSize: Int
  private var (batches, others) = (0, 0)

  /// - Parameters:
  ///   - position: Where the image would have been.
  ///   - count: Images of an epoch.
  ///   - batchSize: Images of a batch.
  init(of position: Int, in count: Int, batchSize: Int) {
    (self.position, self.count, self.batchSize) = (position, count, batchSize)
  }

  /// The next position to try; positions that were tried come once more among all others.
  mutating func next() -> Int? {
    let ofEpoch = (count + batchSize - 1) / batchSize
    while batches < ofEpoch - 1 {
      batches += 1
      let candidate = (position / batchSize + batches) % ofEpoch * batchSize + position % batchSize
      // The last batch may be smaller.
      if candidate < count { return candidate }
    }
    guard others < count - 1 else { return nil }
    others += 1
    return (position + others) % count
  }
}
