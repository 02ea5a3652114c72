import Diagnosis
import Testing

@Suite struct MergeSurvivalTests {
  @Test("U and p are those of counting by hand, and of SciPy where values are many")
  func mannWhitney() throws {
    // Every value of the first is smaller: 2 of the 20 divisions of 3 and 3 are as far.
    let apart = try #require(MannWhitney([1, 2, 3], [4, 5, 6]))
    #expect(apart.u == 0 && abs(apart.p - 0.1) < 1e-12)
    let same = try #require(MannWhitney([1, 4], [2, 3]))
    #expect(same.u == 2 && same.p == 1)
    // Ties: ranks 1.5, 1.5 against 3.5, 3.5, 5; of 10 divisions no other one is as far.
    let tied = try #require(MannWhitney([1, 1], [2, 2, 3]))
    #expect(tied.u == 0 && abs(tied.p - 0.1) < 1e-12)
    // scipy.stats.mannwhitneyu([i * 7 % 31 for i in range(30)], [i * 5 % 37 for i in range(40)]) by the normal approximation: 529.5, 0.40596.
    let first: [Double] = (0..<30).map { index in Double(index * 7 % 31) }
    let second: [Double] = (0..<40).map { index in Double(index * 5 % 37) }
    let many = try #require(MannWhitney(first, second))
    #expect(many.u == 529.5 && abs(many.p - 0.4059562650194096) < 1e-9)
    #expect(MannWhitney([], [1]) == nil)
  }

  @Test("What is left of wide and of narrow layers, and how it goes with D")
  func survival() {
    let survival = MergeSurvival([
      ("a", .increaseToSaturate, 0.0, 0.2), ("b", .increaseToSaturate, 0.1, 0.4), ("c", .decreaseToSaturate, 0.6, 0.9),
      ("d", .ambiguous, 0.2, 0.5), ("e", .flat, nil, 1),
    ])
    #expect(survival.wideEnough.map { abs($0 - 0.3) < 1e-12 } == true && survival.tooNarrow == 0.9)
    #expect(survival.correlation == 1 && survival.groups.count == 5)
    #expect(survival.test?.u == 0)
    #expect(MergeSurvival([("a", .flat, nil, 1)]).test == nil)
  }
}
