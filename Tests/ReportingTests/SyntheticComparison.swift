import Foundation
import Networks
import Records

@testable import Reporting

/// A comparison with made-up numbers that look like those of ResNet20's width groups.
struct SyntheticComparison {
  var seeds = [0, 1, 2]
  var network = "resnet20"
  var methods = ["dmcp", "autoslim", "morphnet", "network-slimming"]
  var modes: [ComparisonSummary.Mode] = [.direct, .transferred]

  static let groups: [ComparisonSummary.Group] = {
    var groups = [ComparisonSummary.Group(id: "conv1", stage: "layer1", original: 16)]
    for stage in 1...3 {
      for block in 0..<3 {
        groups.append(.init(id: "layer\(stage).\(block).conv1", stage: "layer\(stage)", original: 8 << stage))
        if stage > 1, block == 0 {
          groups.append(.init(id: "layer\(stage).0.conv2", stage: "layer\(stage)", original: 8 << stage))
        }
      }
    }
    return groups
  }()

  // Repeatable noise in -1...1.
  private static func noise(_ values: Int...) -> Double {
    var state = UInt64(0x9E37)
    for value in values {
      state = (state ^ UInt64(bitPattern: Int64(value))) &* 0xD1B5_4A32_D192_ED03 &+ 0x1234_5677
      state ^= state >> 31
    }
    return Double((state ^ (state >> 29)) % 20_001) / 10_000 - 1
  }

  // The deeper, the wider, each method in its own way.
  private static func slope(_ algorithm: String) -> Double {
    switch algorithm {
    case "dmcp": 0.55
    case "autoslim": 0.4
    case "morphnet": 0.75
    case "network-slimming": -0.3
    default: 0
    }
  }

  private static func gain(_ algorithm: String) -> Double {
    switch algorithm {
    case "dmcp": 0.9
    case "autoslim": 0.6
    case "morphnet": 0.2
    case "network-slimming": -0.8
    case "random": -0.6
    default: 0
    }
  }

  /// One outcome.
  func member(_ algorithm: String, _ mode: ComparisonSummary.Mode, seed: Int) -> ComparisonSummary.Member {
    let name = algorithm.count + (mode == .transferred ? 100 : 0)
    let isRandom = algorithm == "random"
    var widths: [String: Int] = [:]
    for (index, group) in Self.groups.enumerated() {
      let place = Double(index) / Double(Self.groups.count - 1) - 0.5
      var exponent = Self.slope(algorithm) * place * 2
      if mode != .control {
        exponent +=
          0.2 * Self.noise(index, algorithm.count) + 0.16 * Self.noise(index, name, seed) + 0.2
          * Self.noise(index, name)
      }
      if isRandom { exponent = 0.7 * Self.noise(index, seed, 5) }
      widths[group.id] = max(1, Int((Double(group.original) * exp2(exponent)).rounded()))
    }
    let macs = 41_200_000 + Int(150_000 * Self.noise(name, seed))
    let parameters = Int(272_474 * exp2(0.3 * Self.slope(algorithm)))
    let direct = 3.1e15 * (1 + 0.4 * Self.noise(algorithm.count))
    let reduction = 70 + 6 * Self.noise(algorithm.count, 3)
    let isDirect = mode == .direct
    let overhead =
      mode == .control
      ? nil
      : WidthsFile.OverheadRecord(
        flops: isDirect ? direct : direct / reduction, seconds: isDirect ? 5200 + 40 * Double(seed) : 231,
        directFlops: direct, reduction: isDirect ? 1 : reduction, nominalReduction: isDirect ? nil : 80)
    let top1 =
      91.4 + Self.gain(algorithm) - (mode == .transferred ? 0.15 : 0) + (isRandom ? 0.9 : 0.4)
      * Self.noise(name, seed, 9)
    return .init(
      seed: seed, widths: Widths(widths), macs: macs, parameters: parameters, overhead: overhead,
      result: TrainingResult(
        top1: top1, top5: 99.6, loss: 0.31, images: 10_000, seconds: 1230, imagesPerSecond: 1250, macs: macs,
        parameters: parameters),
      folder: "\(algorithm)-\(mode.rawValue)/seed-\(seed)")
  }

  /// The whole.
  var summary: ComparisonSummary {
    func arm(_ algorithm: String, _ mode: ComparisonSummary.Mode) -> ComparisonSummary.Arm {
      .init(algorithm: algorithm, mode: mode, members: seeds.map { member(algorithm, mode, seed: $0) })
    }
    let controls = [arm("uniform", .control), arm("random", .control)]
    return ComparisonSummary(
      network: network, dataset: "cifar10", resolution: 32, images: 50_000, classes: 10, epochs: 60,
      targetMacs: 41_200_000, projection: SyntheticRun.projection, groups: Self.groups,
      arms: controls + methods.flatMap { method in modes.map { arm(method, $0) } })
  }

  static let configuration = """
    command: compare
    recipe:
      batchSize: 128
    """

  /// Writes the folder of a comparison.
  func write(to folder: RunFolder) throws { try Self.write(summary, to: folder) }

  /// Writes the folder of a comparison.
  static func write(_ summary: ComparisonSummary, to folder: RunFolder) throws {
    try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
    try JSONFile.write(summary, to: folder.comparison)
    try Data(configuration.utf8).write(to: URL(fileURLWithPath: folder.configuration))
  }
}
