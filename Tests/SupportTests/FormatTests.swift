import Support
import Testing

@Suite("Numbers as people read them")
struct FormatTests {
  @Test("Documents take a proper minus sign and spaces that do not break")
  func documents() {
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
    #expect(Format.signed(0.04, 1) == "±0.0")
    #expect(Format.duration(59.4) == "59.4 s")
    #expect(Format.duration(3_725) == "1 h 2 min")
    #expect(Format.duration(90_000) == "1 d 1 h")
    #expect(Format.factor(20_539.4) == "20,539×")
    #expect(Format.fixed(.nan, 2) == "–")
  }

  @Test("Terminals take ASCII")
  func terminals() {
    #expect(Format.amount(999) == "999")
    #expect(Format.amount(68_562) == "68.6 k")
    #expect(Format.amount(41_230_000) == "41.23 M")
    #expect(Format.amount(4_089_184_256) == "4.09 G")
    #expect(Format.decimal(-0.25, 2) == "-0.25")
    #expect(Format.percent(93.1) == "93.10 %")
    #expect(Format.percent(1.24, 1, isChange: true) == "+1.2 %")
    #expect(Format.percent(-1.24, 1, isChange: true) == "-1.2 %")
    #expect(Format.megabytes(12_300_000) == "12.3 MB")
    #expect(Format.megabytes(68_600) == "0.069 MB")
    #expect(Format.timeLeft(42) == "42 s")
    #expect(Format.timeLeft(185) == "3 min 05 s")
    #expect(Format.timeLeft(3_840) == "1 h 04 min")
    #expect(Format.timeLeft(1e300) == "100000 h 00 min")
  }

  @Test(
    "An estimate is told in its largest unit",
    arguments: [
      (0.4, "0.4 s"), (46, "46 s"), (63, "1 min"), (5400, "2 h"), (36_000, "10 h"), (100_000, "1 day"),
      (400_000, "5 days"), (32e6, "1 year"), (6.4e9, "203 years"), (1.5e8, "5 years"),
    ] as [(Double, String)])
  func roughly(seconds: Double, text: String) { #expect(Format.roughly(seconds) == text) }
}
