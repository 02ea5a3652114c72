import Foundation
import Methods
import Support
import Testing

@testable import WidthSearch

/// Numbers worked by hand: C = 8, c₀ = 2, three groups of 2, p = (0.9, 0.5, 0.2).
@Suite struct MarkovWidthTests {
  static let grid = ChannelGrid(fixed: 2, groups: [2, 2, 2])
  static let p = [0.9, 0.5, 0.2]
  static let sigmoid = MarkovWidth(grid: grid, alphas: p.map { log($0 / (1 - $0)) })
  static let exponential = MarkovWidth(grid: grid, parametrisation: .exponential, alphas: p.map { -log($0) })

  private func expect(_ found: [Double], _ expected: [Double], sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(found.count == expected.count, sourceLocation: sourceLocation)
    for (one, other) in zip(found, expected) { expectClose(one, other, sourceLocation: sourceLocation) }
  }

  @Test("Marginals, expectation and distribution", arguments: [sigmoid, exponential])
  func numbers(chain: MarkovWidth) {
    expect(chain.probabilities, Self.p)
    expect(chain.marginals, [0.9, 0.45, 0.09])
    expectClose(chain.expectation, 4.88)
    expect(chain.distribution, [0.10, 0.45, 0.36, 0.09])
    expectClose(zip(chain.distribution, chain.grid.boundaries).reduce(0) { $0 + $1.0 * Double($1.1) }, 4.88)
    #expect(chain.expectedChannels == 5)
    #expect(chain.channelFactors == [1, 1, 0.9, 0.9, 0.45, 0.45, Float(0.9 * 0.5 * 0.2), Float(0.9 * 0.5 * 0.2)])
  }

  @Test("The expectation's derivatives for p and α")
  func derivatives() {
    let sizes = Self.grid.groups.map(Double.init)
    expect(Self.sigmoid.gradient(marginals: sizes), [0.288, 0.54, 0.144])
    // dE/dp = (3.2, 2.16, 0.9); dp/dα = −p for the exponential.
    expect(Self.exponential.gradient(marginals: sizes), [-3.2 * 0.9, -2.16 * 0.5, -0.9 * 0.2])
  }

  @Test("α = 0 starts near the minimum with the sigmoid and at the maximum with the exponential")
  func start() {
    let range = WidthRange(minimum: 0.1, maximum: 1, offset: 0.1)
    let grid = ChannelGrid(channels: 64, layout: .official, range: range)
    expectClose(MarkovWidth(grid: grid).expectation, 10 + 6 * (1 - pow(2, -9)))
    #expect(MarkovWidth(grid: grid, parametrisation: .exponential).expectation == 64)
  }

  @Test(
    "Derivatives equal finite differences, for groups of any size",
    arguments: [MarkovWidth.Parametrisation.sigmoid, .exponential], [UInt64(1), 2, 3])
  func finiteDifferences(parametrisation: MarkovWidth.Parametrisation, seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let groups = (0..<6).map { _ in Int(random.next() % 5) + 1 }
    var chain = MarkovWidth(
      grid: ChannelGrid(fixed: 3, groups: groups), parametrisation: parametrisation,
      alphas: groups.map { _ in 0.1 + 2 * random.nextUnit() })
    // A loss that is linear in the channel factors.
    let slopes = (0..<chain.grid.channels).map { _ in Float(random.nextUnit() - 0.5) }
    func loss(_ chain: MarkovWidth) -> Double {
      var value = slopes.prefix(3).reduce(0) { $0 + Double($1) }
      var position = 3
      for (size, marginal) in zip(groups, chain.marginals) {
        value += marginal * slopes[position..<position + size].reduce(0) { $0 + Double($1) }
        position += size
      }
      return value
    }
    let marginals = chain.marginalGradient(channelFactors: slopes)
    let gradient = chain.gradient(marginals: marginals)
    for k in groups.indices {
      let (alpha, step) = (chain.alphas[k], 1e-5)
      chain.alphas[k] = alpha + step
      let above = loss(chain)
      chain.alphas[k] = alpha - step
      let below = loss(chain)
      chain.alphas[k] = alpha
      expectClose(gradient[k], (above - below) / (2 * step), tolerance: 1e-7)
    }
  }

  @Test("A ramp keeps whole groups before the fractional one, and its derivatives equal finite differences")
  func ramp() {
    let grid = ChannelGrid(fixed: 2, groups: [2, 3, 1, 4])
    var chain = MarkovWidth(grid: grid, parametrisation: .ramp, alphas: [1.25])
    expect(chain.marginals, [1, 0.25, 0, 0])
    expect(chain.probabilities, [1, 0.25, 0, 0])
    expectClose(chain.expectation, 4.75)
    // P(4) = 0.75, P(7) = 0.25.
    expectClose(chain.standardDeviation, 3 * (0.25 * 0.75).squareRoot())
    expect(chain.gradient(marginals: [5, 7, 11, 13]), [7])
    // A wider window blurs the same width.
    chain.window = 2
    expect(chain.marginals, [0.875, 0.375, 0, 0])
    expect(chain.gradient(marginals: [5, 7, 11, 13]), [(5 + 7) / 2])
    for alpha in [0.3, 1.7, 2.6, 3.9] {
      for window in [1, 2.5, 4] {
        var chain = MarkovWidth(grid: grid, parametrisation: .ramp, alphas: [alpha], window: window)
        let gradient = chain.gradient(marginals: [2, 3, 1, 4])
        chain.alphas[0] = alpha + 1e-6
        let above = chain.expectation
        chain.alphas[0] = alpha - 1e-6
        expectClose(gradient[0], (above - chain.expectation) / 2e-6, tolerance: 1e-6)
      }
    }
  }

  @Test("A ramp stands still nowhere: at a corner it sees the groups on both sides, and it leaves both ends")
  func rampCorners() {
    let grid = ChannelGrid(fixed: 2, groups: [2, 3])
    func gradient(_ alpha: Double) -> [Double] {
      MarkovWidth(grid: grid, parametrisation: .ramp, alphas: [alpha]).gradient(marginals: [1, 1])
    }
    #expect(gradient(1) == [1] && gradient(0) == [0.5] && gradient(2) == [0.5])
    var beyond = MarkovWidth(grid: grid, parametrisation: .ramp, alphas: [-1])
    beyond.returnToDomain()
    #expect(beyond.alphas == [0] && beyond.expectation == 2)
    beyond.start(at: 5.5)
    expectClose(beyond.expectation, 5.5, tolerance: 1e-9)
    let nothing = MarkovWidth(grid: ChannelGrid(fixed: 3, groups: []), parametrisation: .ramp)
    #expect(nothing.alphas.isEmpty && nothing.expectation == 3 && nothing.gradient(marginals: []).isEmpty)
  }

  @Test("The derivative needs no division by a probability that has vanished")
  func vanished() {
    let chain = MarkovWidth(grid: Self.grid, alphas: [-800, 1, 2])
    #expect(chain.gradient(marginals: [1, 2, 3]).allSatisfy { $0.isFinite })
    #expect(chain.expectation == 2)
    let sure = MarkovWidth(grid: Self.grid, alphas: [800, 800, 800])
    #expect(sure.expectation == 8 && sure.gradient(marginals: [1, 1, 1]) == [0, 0, 0])
  }

  @Test("The exponential's α stays where it has a derivative")
  func domain() {
    var chain = MarkovWidth(grid: Self.grid, parametrisation: .exponential, alphas: [-0.5, 0.2, 0])
    let before = chain.probabilities
    chain.returnToDomain()
    #expect(chain.alphas == [0, 0.2, 0] && chain.probabilities == before)
    #expect(chain.gradient(marginals: [1, 1, 1])[0] != 0)
    var other = MarkovWidth(grid: Self.grid, alphas: [-0.5, 0.2, 0])
    other.returnToDomain()
    #expect(other.alphas == [-0.5, 0.2, 0])
  }

  @Test("Sampled widths follow the distribution within four standard deviations")
  func sampling() {
    var random = SeededGenerator(seed: 17)
    let draws = 100_000
    var counts: [Int: Int] = [:]
    for _ in 0..<draws { counts[Self.sigmoid.sample(using: &random), default: 0] += 1 }
    #expect(Set(counts.keys) == Set(Self.grid.boundaries))
    for (width, probability) in zip(Self.grid.boundaries, Self.sigmoid.distribution) {
      let deviation = (Double(draws) * probability * (1 - probability)).squareRoot()
      #expect(abs(Double(counts[width] ?? 0) - Double(draws) * probability) < 4 * deviation, "\(counts)")
    }
  }
}

@Suite struct BudgetLossTests {
  @Test("Values that were worked by hand")
  func values() {
    let loss = BudgetLoss(target: 100)
    for (expected, value) in [
      (80, 2.995732), (97, 0), (100, 1.609438), (120, 3.218876), (1000, 4.505350), (99.999, 0), (95, 0),
    ] { expectClose(loss.value(expected), value, tolerance: 2e-6) }
  }

  @Test("Its derivative is −1/(T − E), 0 and 1/(E − 0.95 T), and equals finite differences")
  func derivative() {
    let loss = BudgetLoss(target: 100)
    for expected in [1.0, 50, 94, 96, 99, 100.5, 120, 290, 310, 5000] {
      let step = 1e-4
      let numeric = (loss.value(expected + step) - loss.value(expected - step)) / (2 * step)
      expectClose(loss.derivative(expected), numeric, tolerance: 1e-6, "E = \(expected)")
    }
    expectClose(loss.derivative(80), -1 / 20, tolerance: 1e-6)
    #expect(loss.derivative(97) == 0)
    expectClose(loss.derivative(120), 1 / 25, tolerance: 1e-6)
    expectClose(loss.derivative(1000), 1 / 905, tolerance: 1e-6)
  }

  @Test("The relative form has its band just below 100")
  func relative() {
    #expect(BudgetLoss.relative.derivative(94.9) < 0 && BudgetLoss.relative.derivative(95.1) == 0)
    #expect(BudgetLoss.relative.derivative(99.9) == 0 && BudgetLoss.relative.derivative(100) > 0)
  }
}
