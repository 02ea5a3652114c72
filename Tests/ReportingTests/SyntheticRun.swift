import Foundation
import Networks
import Records
import Transfer

@testable import Reporting

/// Run folders with made-up numbers that look like those of a ResNet20 with three stages of three blocks.
struct SyntheticRun {
  var seeds = [0, 1, 2]
  var gain = 1.3
  var name = "resnet20"
  var warning = "learning rate is high for <batch> size 128 & rising"

  /// A folder that is removed by ``withFolder(_:)``'s end.
  static func withFolder<Result>(_ body: (RunFolder) throws -> Result) throws -> Result {
    let path = NSTemporaryDirectory() + "reporting-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(RunFolder(path: path))
  }

  static let groups: [RunSummary.Group] = {
    var groups = [RunSummary.Group(id: "conv1", stage: nil, original: 16, optimized: 12)]
    let inner = [[11, 13, 12], [27, 25, 30], [78, 70, 92]]
    let outer = [[12, 14, 13], [30, 28, 33], [88, 84, 104]]
    for stage in 0..<3 {
      for block in 0..<3 {
        let width = 16 << stage
        let name = "layer\(stage + 1)"
        groups.append(
          .init(id: "\(name).\(block).conv1", stage: name, original: width, optimized: inner[stage][block]))
        groups.append(
          .init(id: "\(name).\(block).conv2", stage: name, original: width, optimized: outer[stage][block]))
      }
    }
    return groups
  }()

  // Repeatable noise in -1...1.
  private static func noise(_ values: Int...) -> Double {
    let mixed = values.reduce(UInt64(0x9E37)) {
      ($0 ^ UInt64(bitPattern: Int64($1))) &* 0xD1B5_4A32_D192_ED03 &+ 0x1234_5677
    }
    return Double((mixed ^ (mixed >> 29)) % 20_001) / 10_000 - 1
  }

  private func append(_ events: [RunEvent], to folder: RunFolder, from time: Double) throws {
    try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
    let log = try EventLog(path: folder.events)
    for (index, event) in events.enumerated() {
      try log.receive(TimedEvent(time: time + 9.5 * Double(index), event: event))
    }
    try log.flush()
  }

  /// Writes one training; with `isInterrupted`, a killed one that went on from a checkpoint.
  @discardableResult
  func writeTraining(
    to folder: RunFolder, gain: Double, seed: Int, macs: Int = 40_800_000, isInterrupted: Bool = false
  ) throws -> TrainingResult {
    let epochs = 30
    var events: [RunEvent] = [
      .start(
        .init(
          kind: "train", network: name, macs: macs, parameters: 272_474, epochs: epochs, stepsPerEpoch: 390,
          batchSize: 128, images: 50_000, resolution: 32, device: "cpu", seed: seed))
    ]
    if seed == 0 { events.append(.warning(.init(message: warning))) }
    func epoch(_ index: Int, error: Double = 0) -> RunEvent.Epoch {
      let progress = Double(index + 1) / Double(epochs)
      let wobble = Self.noise(seed, index, macs) * 1.4 * (1 - progress)
      let top1 = 91 * (1 - exp(-5.5 * progress)) + gain * progress + wobble + 0.22 * Self.noise(seed, 77, macs) - error
      return RunEvent.Epoch(
        epoch: index, step: 390 * (index + 1), trainLoss: 1.9 * exp(-3.2 * progress) + 0.08,
        loss: 1.8 * exp(-3 * progress) + 0.27 - 0.02 * gain * progress - wobble / 60
          + 0.004 * Self.noise(seed, 78, macs), top1: top1,
        top5: min(99.9, 96 + top1 / 28 + 0.06 * Self.noise(seed, 79, macs)),
        learningRate: 0.1 * (1 + cos(.pi * progress)), seconds: 41)
    }
    for index in 0..<(isInterrupted ? 20 : epochs) {
      events.append(.epoch(epoch(index, error: isInterrupted && index >= 12 ? 40 : 0)))
    }
    if isInterrupted {
      events.append(.resume(.init(step: 390 * 12)))
      for index in 12..<epochs { events.append(.epoch(epoch(index))) }
    }
    let last = epoch(epochs - 1)
    let result = TrainingResult(
      top1: last.top1 ?? 0, top5: last.top5 ?? 0, loss: last.loss ?? 0, images: 10_000,
      seconds: 1230 + 12 * Double(seed), imagesPerSecond: 1260 - 80 * gain + 9 * Self.noise(seed, 80, macs), macs: macs,
      parameters: 272_474)
    events.append(
      .done(
        .init(
          top1: result.top1, top5: result.top5, loss: result.loss, seconds: result.seconds,
          flops: 3 * Double(macs) * 50_000 * Double(epochs))))
    try append(events, to: folder, from: 1_760_000_000)
    try JSONFile.write(result, to: folder.result)
    return result
  }

  /// Writes one search.
  func writeSearch(to folder: RunFolder) throws {
    let total = 1200
    var events: [RunEvent] = [
      .start(
        .init(
          kind: "search", network: name, macs: 5_300_000, parameters: 136_000, epochs: 12, stepsPerEpoch: 100,
          batchSize: 128, images: 10_000, resolution: 16, device: "cpu", seed: 0))
    ]
    for step in stride(from: 20, through: total, by: 20) {
      let progress = max(0, Double(step - 600)) / 600
      let settle = 1 - exp(-4 * progress)
      var widths: [String: Double] = [:]
      for group in Self.groups {
        let start = Double(group.original) / 2 * 1.5
        widths[group.id] = start + (Double(group.optimized) / 2 - start) * settle
      }
      events.append(
        .search(
          .init(
            step: step, totalSteps: total, stage: step <= 600 ? "warm-up" : "architecture",
            loss: 2.2 * exp(-Double(step) / 700) + 0.5, macs: 5.3e6 * (2.2 - 1.2 * settle), targetMACs: 5.3e6,
            widths: widths, imagesPerSecond: 2300 + 60 * Self.noise(step))))
    }
    events.append(
      .widths(
        .init(
          network: name, widths: Dictionary(Self.groups.map { ($0.id, $0.optimized / 2) }) { $1 }, macs: 5_290_000)))
    events.append(.done(.init(top1: nil, top5: nil, loss: nil, seconds: 214, flops: 1.1e13)))
    try append(events, to: folder, from: 1_759_990_000)
  }

  static let projection = Projection(width: 0.5, depth: 1, resolution: 16, data: 0.2)
  static let overhead = WidthsFile.OverheadRecord(
    flops: 1.1e13, seconds: 214, directFlops: 7.9e14, reduction: 71.8, nominalReduction: 80)

  var widthsFile: WidthsFile {
    WidthsFile(
      network: name, algorithm: "dmcp", macs: 40_790_000, targetMacs: 40_800_000, parameters: 331_000,
      widths: Widths(groups: Self.groups.map(\.id), values: Self.groups.map(\.optimized)),
      multipliers: PerGroup(
        groups: Self.groups.map(\.id), values: Self.groups.map { Double($0.optimized) / Double($0.original) }),
      projection: Self.projection, overhead: Self.overhead)
  }

  static let configuration = """
    command: run
    network: resnet20
    dataset: cifar10
    algorithm: dmcp
    recipe:
      optimizer: sgd
      learningRate: 0.1
      batchSize: 128
      weightDecay: 0.0005
      schedule: cosine
    version: 0.1.0
    libtorch: 2.11.0
    swift: "6.3"
    """

  /// Writes the whole of a `run`.
  func writeRun(to folder: RunFolder) throws {
    try writeSearch(to: folder.search)
    var variants: [RunSummary.Variant] = []
    for (variant, gain, macs) in [("uniform", 0.0, 40_800_000), ("optimized", gain, 40_790_000)] {
      let results = try seeds.map { seed in
        try writeTraining(
          to: folder.training(variant, seed: seed), gain: gain, seed: seed, macs: macs, isInterrupted: seed == 1)
      }
      variants.append(
        .init(
          name: variant, macs: macs, parameters: variant == "uniform" ? 272_474 : 331_020, results: results,
          seeds: seeds, folders: seeds.map { "\(variant)/seed-\($0)" }))
    }
    try widthsFile.write(to: folder.widths)
    try JSONFile.write(
      RunSummary(
        network: name, dataset: "CIFAR-10", algorithm: "dmcp", resolution: 32, images: 50_000, classes: 10,
        targetMacs: 40_800_000, projection: Self.projection, sourceMacs: 5_300_000, overhead: Self.overhead,
        groups: Self.groups, variants: variants),
      to: folder.summary)
    try Data(Self.configuration.utf8).write(to: URL(fileURLWithPath: folder.configuration))
  }
}
