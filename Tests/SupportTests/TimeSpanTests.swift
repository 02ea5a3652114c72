import Testing

@testable import Support

@Suite struct TimeSpanTests {
  @Test(
    "A time has a unit with every number",
    arguments: [
      ("90s", 90), ("30m", 1800), ("1h30m", 5400), ("1.5h", 5400), ("2d", 172_800), ("", nil), ("30", nil), ("m", nil),
      ("30 m", nil), ("1h30", nil), ("-5m", nil), ("0s", nil), ("99999999999d", nil), ("1..5h", nil), ("nanm", nil),
    ] as [(String, Double?)])
  func parses(text: String, seconds: Double?) { #expect(TimeSpan.parse(text) == seconds) }
}
