import Diagnosis
import Foundation
import Testing

@Suite struct NormTests {
  let pair = ChannelNorms(
    slices: [
      ChannelSlice(tensor: "a.weight", axis: 0, side: .incoming),
      ChannelSlice(tensor: "b.weight", axis: 1, side: .outgoing),
    ], norms: [[3, 4, 5], [1, 2, 3]])

  @Test func workedValuesOfTheSpecification() throws {
    let values = try #require(pair.values(.product))
    for (value, expected) in zip(values, [3.0, 8, 15]) { #expect(abs(value - expected) < 1e-12) }
    let product = try #require(NormStatistics(values))
    #expect(abs(product.variance - 0.4837278107) < 1e-9)
    #expect(abs(product.mean - 8.6666667) < 1e-6)
    #expect(abs(product.rawVariance - 36.3333333) < 1e-6)
    let incoming = try #require(pair.values(.incoming).flatMap(NormStatistics.init))
    #expect(abs(incoming.variance - 0.0625) < 1e-12)
    let geometric = try #require(pair.values(.geometric))
    #expect(abs(geometric[2] - 15.0.squareRoot()) < 1e-12)
  }

  @Test func inequalityOfChannels() throws {
    let alike = try #require(NormStatistics([2, 2, 2, 2]))
    #expect(alike.variance == 0 && abs(alike.gini) < 1e-12 && alike.topTenthShare == 0.25)
    let one = try #require(NormStatistics([0, 0, 0, 1]))
    #expect(one.gini == 0.75 && one.topTenthShare == 1 && one.variance == 4)
  }

  @Test func scaleAndOrderDoNotMatter() throws {
    let own = try #require(pair.values(.product).flatMap(NormStatistics.init))
    var scaled = pair
    scaled.norms[1] = scaled.norms[1].map { 1e7 * $0 }
    let changed = try #require(scaled.values(.product).flatMap(NormStatistics.init))
    #expect(abs(changed.variance / own.variance - 1) < 1e-6)
    let turned = ChannelNorms(slices: pair.slices, norms: pair.norms.map { $0.reversed() })
    #expect(abs(try #require(turned.values(.product).flatMap(NormStatistics.init)).variance - own.variance) < 1e-12)
  }

  @Test func whatHasNoVarianceIsMissing() {
    #expect(NormStatistics([3]) == nil)
    #expect(NormStatistics([]) == nil)
    #expect(NormStatistics([1, .nan]) == nil)
    #expect(NormStatistics([0, 0, 0]) == nil)
    let dead = ChannelNorms(slices: [pair.slices[0]], norms: [[0, 0]])
    #expect(dead.values(.product).flatMap(NormStatistics.init) == nil)
    #expect(dead.values(.outgoing) == nil)
    #expect(ChannelNorms(slices: [pair.slices[0]], norms: [[.infinity, 1]]).values(.product) == nil)
  }

  @Test func aDeepStreamDoesNotOverflow() throws {
    let slices = (0..<40).map { ChannelSlice(tensor: "\($0).weight", axis: 0, side: .incoming) }
    let norms = slices.indices.map { _ in [1e9, 2e9, 3e9] }
    #expect(ChannelNorms(slices: slices, norms: norms).values(.product) == nil)
    let geometric = try #require(ChannelNorms(slices: slices, norms: norms).values(.geometric))
    #expect(abs(geometric[1] - 2e9) < 1)
  }

  @Test func projectionsAreLeftOutUnlessAskedFor() throws {
    var slices = pair.slices
    slices[1].isProjection = true
    let norms = ChannelNorms(slices: slices, norms: pair.norms)
    #expect(abs(try #require(norms.values(.product))[2] - 5) < 1e-12)
    #expect(abs(try #require(norms.values(.product, includesProjections: true))[2] - 15) < 1e-12)
  }

  @Test func densitiesHaveAreaOne() throws {
    for values in [[1.0, 2, 3, 4, 10], (0..<500).map { Double($0 % 37) }, [0.1, 0.1, 0.1, 5]] {
      let density = try #require(KernelDensity(values))
      let step = density.grid[1] - density.grid[0]
      let area = zip(density.density, density.density.dropFirst()).reduce(0) { $0 + ($1.0 + $1.1) / 2 } * step
      #expect(abs(area - 1) < 1e-3)
    }
    // Twice the same picture, twice as wide.
    let narrow = try #require(KernelDensity([1, 2, 4, 5]))
    let wide = try #require(KernelDensity([2, 4, 8, 10]))
    #expect(abs(narrow.density[40] - 2 * wide.density[40]) < 1e-9)
    #expect(KernelDensity([1]) == nil && KernelDensity([2, 2, 2]) == nil && KernelDensity([1, .nan]) == nil)
  }

  @Test func correlationsOfTextbooks() throws {
    #expect(abs(try #require(correlation([1, 2, 3, 4], [2, 4, 6, 8])) - 1) < 1e-12)
    #expect(abs(try #require(rankCorrelation([1, 2, 3, 4, 5], [5, 6, 7, 8, 7])) - 0.8207826817) < 1e-9)
    #expect(correlation([1, 1, 1], [1, 2, 3]) == nil && rankCorrelation([1, 2], [1, 2]) == nil)
  }

  @Test func agreementBeyondChance() {
    typealias Side = (WidthPattern, Double?)
    func pair(_ a: WidthPattern, _ b: WidthPattern) -> (first: Side, second: Side) { ((a, nil), (b, nil)) }
    let wide = WidthPattern.increaseToSaturate
    let narrow = WidthPattern.decreaseToSaturate
    // 20 IS/IS, 5 IS/DS, 10 DS/IS, 15 DS/DS: the textbook's κ of 0.4.
    let pairs =
      Array(repeating: pair(wide, wide), count: 20) + Array(repeating: pair(wide, narrow), count: 5)
      + Array(repeating: pair(narrow, wide), count: 10) + Array(repeating: pair(narrow, narrow), count: 15)
    let comparison = PatternComparison(pairs)
    #expect(abs((comparison.kappa ?? 0) - 0.4) < 1e-12 && abs(comparison.agreement - 0.7) < 1e-12)
    #expect(PatternComparison([pair(wide, wide)]).kappa == nil)
  }
}
