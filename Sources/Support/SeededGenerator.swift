/// SplitMix64, a small seeded source of random numbers whose whole state is a function of its seed.
///
/// Everything that must be the same again after a resume (order of samples, crops, sampled widths) draws from a generator
/// made afresh from `(seed, purpose, position)`, so no random state needs to be saved. Reference: Steele, Lea and Flood,
/// "Fast Splittable Pseudorandom Number Generators" (OOPSLA 2014).
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  /// The whole state: a generator made from it as its seed goes on where this one is.
  public private(set) var state: UInt64

  /// Creates a generator from one seed.
  public init(seed: UInt64) { state = seed }

  /// Creates a generator from a seed and a path of positions, for example `(seed, epoch, sample)`.
  ///
  /// Different paths give unrelated streams.
  public init(seed: UInt64, _ path: UInt64...) { self.init(seed: seed, path: path) }

  init(seed: UInt64, path: [UInt64]) {
    var mixed = SeededGenerator(seed: seed)
    var value = mixed.next()
    for element in path {
      mixed = SeededGenerator(seed: value ^ (element &* 0xD1B5_4A32_D192_ED03))
      value = mixed.next()
    }
    state = value
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A uniform number in `0..<bound`.
  ///
  /// Written out rather than taken from the standard library, whose algorithm may change between versions, and with it
  /// the outcome of every run that is resumed.
  public mutating func nextInt(below bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }

  /// A uniform number in `[0, 1)` with 53 random bits.
  public mutating func nextUnit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
