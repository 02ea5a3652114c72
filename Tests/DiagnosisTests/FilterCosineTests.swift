import Diagnosis
import Testing

@Suite struct FilterCosineTests {
  @Test("Cosines of filters by hand, the largest first, zeros without any")
  func byHand() throws {
    // Rows: e1, 3·(e1 + e2), −2·e1, 0, over nine weights, so that whole lanes and a rest are used.
    func row(_ a: Float, _ b: Float) -> [Float] { [a, 0, 0, 0, 0, 0, 0, 0, b] }
    let rows: [Float] = [row(1, 0), row(3, 3), row(-2, 0), row(0, 0)].flatMap { $0 }
    let cosines = try #require(FilterCosines(rows: rows, count: 4))
    #expect(cosines.count == 4 && cosines.size == 9 && cosines.shown == [0, 1, 2, 3])
    #expect(cosines.matrix == [[1, -0.71, 0.71, 0], [-0.71, 1, -1, 0], [0.71, -1, 1, 0], [0, 0, 0, 0]])
    let half = 0.5.squareRoot()
    #expect(abs(cosines.mean - (2 * half + 1) / 6) < 1e-6)
    #expect(cosines.shareAboveHalf == 0.5 && cosines.meanOfLargest == nil)
    #expect(abs(cosines.ofRandom - 0.26596) < 1e-4)
  }

  @Test("Of many filters some are shown, and the largest tenth has a mean of its own")
  func many() throws {
    // Two directions at a right angle; the ten largest have the first.
    var rows: [Float] = []
    for index in 0..<100 {
      let size = Float(index < 10 ? 200 - index : 100 - index)
      rows += index < 10 ? [size, 0] : [0, size]
    }
    let cosines = try #require(FilterCosines(rows: rows, count: 100))
    #expect(cosines.meanOfLargest.map { abs($0 - 1) < 1e-6 } == true)
    #expect(abs(cosines.mean - Double(45 + 45 * 89) / 4950) < 1e-6)
    #expect(cosines.shown.count == 40 && cosines.shown.first == 0 && cosines.shown.last == 99)
    #expect(cosines.matrix[0][39] == 0 && cosines.matrix[0][1] == 1)
  }

  @Test("A single filter, and numbers that are none, give nothing")
  func nothing() {
    #expect(FilterCosines(rows: [1, 2], count: 1) == nil)
    #expect(FilterCosines(rows: [1, .nan, 1, 2], count: 2) == nil)
    #expect(FilterCosines(rows: [1, 2, 3], count: 2) == nil)
    #expect(FilterCosines(rows: [], count: 2) == nil)
  }
}
