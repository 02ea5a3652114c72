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

  @Test func differenceWithinTheSumOfDeviationsIsNoise() throws {
    let low = try #require(Spread([1, 2, 3]))
    #expect(MeanDifference(try #require(Spread([3, 4, 5])), minus: low).verdict == .withinNoise)
    #expect(MeanDifference(try #require(Spread([4, 5, 6])), minus: low).verdict == .higher)
    #expect(MeanDifference(low, minus: try #require(Spread([4, 5, 6]))).verdict == .lower)
    #expect(MeanDifference(try #require(Spread([9])), minus: low).verdict == .unknown)
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
