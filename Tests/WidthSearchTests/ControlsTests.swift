import Methods
import Networks
import Testing

@testable import WidthSearch

@Suite struct ControlsTests {
  @Test("Uniform keeps the network's own widths and spends nothing")
  func uniform() throws {
    var search = ToySearch()
    search.optimizer = UniformWidths()
    search.budgets = [1, 0.5]
    let results = try search.runAll()
    #expect(results.count == 2)
    #expect(results[0].channels == ["stem": 8, "inner": 12, "out": 10])
    #expect(try results[0].multipliers(of: toyNetwork()).values.allSatisfy { $0 == 1 })
    #expect(results[0].cost.flops == 0)
  }

  @Test("Random draws from the range, alike for a seed, and spends nothing")
  func random() throws {
    func multipliers(_ seed: Int) throws -> [WidthGroup.ID: Double] {
      var search = ToySearch(seed: seed)
      search.optimizer = RandomWidths()
      let result = try search.run()
      #expect(result.cost.flops == 0)
      return try result.multipliers(of: toyNetwork())
    }
    #expect(try multipliers(1) == multipliers(1))
    #expect(try multipliers(1) != multipliers(2))
    let all = try (0..<100).flatMap { try multipliers($0).values }
    #expect(all.allSatisfy { (0.1...1.5).contains($0) })
    // The mean of 300 uniform draws, within four standard deviations.
    let deviation: Double = 1.4 / (12.0 * 300).squareRoot()
    let mean: Double = all.reduce(0, +) / 300
    #expect(abs(mean - 0.8) < 4 * deviation)
  }
}
