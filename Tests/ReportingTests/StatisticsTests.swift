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
    #expect(Comparison(try #require(Spread([3, 4, 5])), with: low).verdict == .withinNoise)
    #expect(Comparison(try #require(Spread([4, 5, 6])), with: low).verdict == .higher)
    #expect(Comparison(low, with: try #require(Spread([4, 5, 6]))).verdict == .lower)
    #expect(Comparison(try #require(Spread([9])), with: low).verdict == .unknown)
  }

  @Test func numbersReadWell() {
    #expect(Format.si(40_800_000) == "40.8\u{A0}M")
    #expect(Format.si(7.9e14) == "790\u{A0}T")
    #expect(Format.si(999) == "999")
    #expect(Format.significant(0.012_34) == "0.0123")
    #expect(Format.trimmed(0.5) == "0.5")
    #expect(Format.trimmed(20) == "20")
    #expect(Format.count(1_234_567) == "1,234,567")
    #expect(Format.count(-1000) == "−1,000")
    #expect(Format.signed(-0.5, 1) == "−0.5")
    #expect(Format.signed(0.5, 1) == "+0.5")
    #expect(Format.duration(59.4) == "59.4 s")
    #expect(Format.duration(3_725) == "1 h 2 min")
    #expect(Format.duration(90_000) == "1 d 1 h")
    #expect(Format.factor(20_539.4) == "20,539×")
    #expect(Format.fixed(.nan, 2) == "–")
    #expect(Format.spread(Spread([1, 3]), 1) == "2.0\u{A0}±\u{A0}1.4")
  }

  @Test func jsonStaysInsideItsScriptElement() throws {
    let value: JSONValue = ["a": "</script>&", "b": [1, 0.5, nil, true], "c": .number(.nan)]
    #expect(
      try value.scriptText() == #"{"a":"\u003c/script\u003e\u0026","b":[1,0.5,null,true],"c":null}"#)
  }
}
