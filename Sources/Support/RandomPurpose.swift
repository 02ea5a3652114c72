/// What random numbers are drawn for: every stream of the project, so that equal seeds and positions do not make unlike things alike.
///
/// Initial weights have a stream for each parameter's name (`Model`), so that a layer starts alike in networks that differ
/// elsewhere.
package enum RandomPurpose: UInt64 {
  // Data
  case classSample = 1
  case epochOrder = 2
  case augmentation = 3
  case color = 4
  case mixing = 5

  // Training: seeds of dropout and stochastic depth
  case dropout = 0xD0

  // Searches: what is drawn in a step, dropout included
  case dmcp = 0xD3C9
  case dmcpSamples = 0xD1EC7
  case autoSlim = 0xA510
  case morphNet = 0x3099
  case networkSlimming = 0x4E53
  case randomWidths = 0x4A2D

  // Latency tables
  case latencyWidths = 0x1A7E

  // Diagnosis
  case streamliningControl = 0x57C0
  case channelGrowth = 0x640C
  case twoChannelLoop = 0x2C10
  case graphSplit = 0x64A9
  case graphWeights = 0x64AA
  case languageWeights = 0x1A46
  case textWindows = 0x1A47
  case plantedText = 0x1A48
  case plantedImages = 0x1A49
  case transformerWeights = 0x7135
  case probes = 0x9201

  // Fuzzing
  case mutation = 0xF022
}

extension SeededGenerator {
  /// Creates a generator for one purpose and a path of positions: an epoch and a sample, or a step.
  package init(seed: UInt64, _ purpose: RandomPurpose, at positions: Int...) {
    self.init(seed: seed, path: [purpose.rawValue] + positions.map { UInt64(bitPattern: Int64($0)) })
  }

  /// Creates a generator from the seed as users give it.
  package init(seed: Int, _ purpose: RandomPurpose, at positions: Int...) {
    self.init(
      seed: UInt64(bitPattern: Int64(seed)), path: [purpose.rawValue] + positions.map { UInt64(bitPattern: Int64($0)) })
  }
}
