import Foundation
import Support
import Testing

@testable import Reporting

@Suite struct StatisticsTests {
  @Test func spreadIsTheSampleStandardDeviation() throws {
    let spread = try #require(Spread([2, 4, 4, 4, 5, 5, 7, 9]))
    #expect(spread.mean == 5)
    #expect(abs(try #require(spread.standardDeviation) - 2.13808993529939) < 1e-12)
    #expect(Spread([]) == nil)
    #expect(Spread([3])?.standardDeviation == nil)
  }

  @Test("Differences are paired by seed, with the interval of Student's t")
  func pairedDifferences() throws {
    // Differences 1, 2, 3: mean 2, deviation 1, and t of two degrees is 4.3027.
    let uniform = [0: 10.0, 1: 20, 2: 30]
    let difference = try #require(PairedDifference([2: 33, 1: 22, 0: 11, 7: 90], minus: uniform))
    #expect(difference.count == 3 && difference.value == 2 && difference.standardDeviation == 1)
    let interval = try #require(difference.interval)
    #expect(abs(interval.lowerBound - (2 - 4.302653 / 3.0.squareRoot())) < 1e-5)
    #expect(difference.verdict == .withinNoise && difference.intervalText == "−0.48 to +4.48")
    // The seeds lie far apart, and the difference is clear all the same.
    #expect(PairedDifference([0: 11, 1: 21, 2: 31.2], minus: uniform)?.verdict == .higher)
    #expect(PairedDifference([0: 9, 1: 19, 2: 28.8], minus: uniform)?.verdict == .lower)
    #expect(PairedDifference([1: 90], minus: uniform)?.verdict == .unknown)
    #expect(PairedDifference([1: 90], minus: uniform)?.interval == nil)
    // 2.2622 · 1/√10 = 0.715 and 2.3060 · 1/√9 = 0.769.
    #expect(difference.pairs(forInterval: 0.72) == 10 && difference.pairs(forInterval: 5) == 3)
    #expect(PairedDifference([1: 90], minus: uniform)?.pairs(forInterval: 1) == nil)
    #expect(PairedDifference([5: 90], minus: uniform) == nil)
    // Two that happen to differ by the same tell nothing of a third; what never differs is one network.
    let alike = try #require(PairedDifference([0: 10.5, 1: 20.5], minus: uniform))
    #expect(
      alike.verdict == .unknown && alike.interval == nil && alike.detail.hasPrefix("2 seeds that differ by the same"))
    let equal = try #require(PairedDifference(uniform, minus: uniform))
    #expect(equal.verdict == .withinNoise && equal.interval == 0...0)
    #expect(PairedDifference([0: .nan], minus: uniform) == nil)
  }

  @Test(
    "An interval at which seeds end, five at the least, holds the truth almost as often as it says",
    arguments: [0.3, 0.5, 0.7])
  func stopping(deviation: Double) throws {
    var random = SeededGenerator(seed: 5)
    func difference() -> Double {
      deviation * (-2 * log(1 - random.nextUnit())).squareRoot() * cos(2 * .pi * random.nextUnit())
    }
    var held = 0
    for _ in 0..<2000 {
      var differences = (0..<3).map { _ in difference() }
      while true {
        let found = try #require(
          PairedDifference(
            Dictionary(uniqueKeysWithValues: differences.enumerated().map { ($0, $1) }),
            minus: Dictionary(uniqueKeysWithValues: differences.indices.map { ($0, 0) })))
        let interval = try #require(found.interval)
        let isNarrow = interval.upperBound - interval.lowerBound <= 2 * 0.3
        guard differences.count == 20 || differences.count >= 5 && isNarrow else {
          differences.append(difference())
          continue
        }
        held += interval.contains(0) ? 1 : 0
        break
      }
    }
    // 92 to 95 of 100 with more repetitions.
    #expect((0.905...0.96).contains(Double(held) / 2000), "\(held) of 2000")
  }

  @Test func spreadsReadWell() {
    #expect(Format.spread(Spread([1, 3]), 1) == "2.0\u{A0}±\u{A0}1.4")
    #expect(Format.spread(Spread([1]), 1) == "1.0")
    #expect(Format.spread(nil, 1) == "–")
  }

  @Test func jsonStaysInsideItsScriptElement() throws {
    let value: JSONValue = ["a": "</script>&", "b": [1, 0.5, nil, true], "c": .number(.nan)]
    #expect(
      try value.scriptText() == #"{"a":"\u003c/script\u003e\u0026","b":[1,0.5,null,true],"c":null}"#)
  }
}
