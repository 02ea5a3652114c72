import Testing

@testable import Loading

@Suite("Positions in place of one that cannot be used")
struct ReplacementsTests {
  @Test("are the same place of the batches that follow, then all others")
  func order() {
    // Batches 0 1 2 3, 4 5 6 7, 8 9.
    #expect(Array(Replacements(of: 1, in: 10, batchSize: 4)).prefix(2) == [5, 9])
    #expect(Array(Replacements(of: 5, in: 10, batchSize: 4)).prefix(2) == [9, 1])
    #expect(Array(Replacements(of: 3, in: 10, batchSize: 4)).prefix(2) == [7, 4])
    #expect(Array(Replacements(of: 3, in: 10, batchSize: 4)).dropFirst() == [4, 5, 6, 7, 8, 9, 0, 1, 2])
  }

  @Test("are all of the epoch but the one itself, whatever the sizes", arguments: [1, 3, 8, 9, 50])
  func complete(batchSize: Int) {
    for count in [1, 2, 8, 9, 17] {
      for position in 0..<count {
        let found = Array(Replacements(of: position, in: count, batchSize: batchSize))
        #expect(Set(found) == Set(0..<count).subtracting([position]))
      }
    }
  }

  @Test("differ within a batch, as long as there is a whole batch after it")
  func distinct() {
    let first = (0..<8).map { Array(Replacements(of: $0, in: 24, batchSize: 8))[0] }
    #expect(first == Array(8..<16))
  }
}
