import Support
import Testing

@Suite struct SeededGeneratorTests {
  // Origin: the reference splitmix64.c of Sebastiano Vigna (https://prng.di.unimi.it/splitmix64.c).
  @Test(arguments: [
    (
      UInt64(1_234_567),
      [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
      ] as [UInt64]
    ),
    (UInt64(0), [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4, 0x06C4_5D18_8009_454F] as [UInt64]),
  ])
  func drawsTheReferenceSequence(seed: UInt64, expected: [UInt64]) {
    var generator = SeededGenerator(seed: seed)
    #expect(expected.map { _ in generator.next() } == expected)
  }

  @Test func pathsGiveUnrelatedAndRepeatableStreams() {
    var firsts = Set<UInt64>()
    for epoch in 0..<50 as Range<UInt64> {
      for sample in 0..<50 as Range<UInt64> {
        var generator = SeededGenerator(seed: 7, epoch, sample)
        var again = SeededGenerator(seed: 7, epoch, sample)
        let value = generator.next()
        #expect(again.next() == value)
        firsts.insert(value)
      }
    }
    #expect(firsts.count == 2500)
  }

  @Test func unitNumbersAreUniform() {
    var generator = SeededGenerator(seed: 3)
    let numbers = (0..<10_000).map { _ in generator.nextUnit() }
    #expect(numbers.allSatisfy { (0..<1).contains($0) })
    #expect(abs(numbers.reduce(0, +) / 10_000 - 0.5) < 0.01)
  }
}
