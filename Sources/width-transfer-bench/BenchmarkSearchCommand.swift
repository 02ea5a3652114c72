import ArgumentParser
import Commands
import Foundation
import Loading
import Methods
import Networks
import Support
import Torch
import Training
import WidthSearch

/// The Swift side of `scripts/bench-search`: times the passes that searches are made of, against their width.
struct BenchmarkSearchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark-search", abstract: "Times passes of sub-networks, and steps of a descent, by width.",
    discussion: "Example: width-transfer benchmark-search --network resnet18_cifar --resolution 32",
    shouldDisplay: false)

  @OptionGroup var network: NetworkOptions

  @Option var batchSize: Int = 128
  @Option var iterations: Int = 9
  @Option var threads: Int?
  @Flag var json = false

  struct Report: Encodable {
    struct Pass: Encodable {
      var width: Double
      var macs: Int
      var part: Double
      var milliseconds: Double
      var timePart: Double
    }

    struct Descent: Encodable {
      var candidates: Int
      var sharedMACs: Double
      var wholeMACs: Double
      var sharedSeconds: Double
      var wholeSeconds: Double
    }

    var network: String
    var supernetMACs: Int
    var passes: [Pass]
    var architecturePass: Double
    var descent: Descent
  }

  func run() throws {
    if let threads { try Torch.setThreads(threads) }
    Torch.keepFreedMemory()
    let built = try network.request.build()
    let supernet = try Supernet(DMCP().widestNetwork(for: built, divisor: network.divisor), seed: 0, device: .cpu)
    let generator = try Generator(seed: 1)
    let shape = [batchSize, built.input.channels, built.input.height, built.input.width]
    let images = try Tensor.normal(shape, generator: generator).contiguous(.channelsLast)
    let classes = built.output.channels
    let labels = try Tensor((0..<batchSize).map { Int64($0 % classes) })
    let batch = Batch(images: images, labels: labels, indices: Array(0..<batchSize))
    let full = supernet.resolved.widths
    let parts = [1, 0.9, 0.75, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]
    let plans = try parts.map { part in
      try supernet.plan(Widths(full.values.mapValues { makeDivisible(part * Double($0), divisor: network.divisor) }))
    }
    var times = parts.map { _ in [Double]() }
    var architecture: [Double] = []
    // In turns, so that a machine that changes its speed changes it for all.
    for iteration in 0..<(iterations + 2) {
      for (index, plan) in plans.enumerated() {
        let time = try clock { try pass(supernet, index == 0 ? nil : plan, batch) }
        if iteration >= 2 { times[index].append(time) }
      }
      let time = try clock { try architecturePass(supernet, batch) }
      if iteration >= 2 { architecture.append(time) }
    }
    let medians = times.map(median)
    let report = Report(
      network: built.name, supernetMACs: supernet.model.plan.macs,
      passes: zip(zip(parts, plans), medians).map { entry, time in
        .init(
          width: entry.0, macs: entry.1.macs, part: Double(entry.1.macs) / Double(supernet.model.plan.macs),
          milliseconds: time * 1000, timePart: time / medians[0])
      }, architecturePass: median(architecture) / medians[0], descent: try descent(supernet, batch))
    if json { try Output.json(report) } else { try tell(report) }
  }

  private func pass(_ supernet: Supernet, _ plan: ExecutionPlan?, _ batch: Batch) throws {
    try Tensor.clearGradients(supernet.model.tensors)
    try supernet.model.forward(batch.images, as: plan, .init(.batch)).crossEntropy(batch.labels).backward()
  }

  private func architecturePass(_ supernet: Supernet, _ batch: Batch) throws {
    let factors = try supernet.resolved.widthGroups.map { group in
      let factor = try Tensor.full([group.width], 0.5)
      try factor.setRequiresGradient(true)
      return (group.id, factor)
    }
    let scales = Dictionary(factors, uniquingKeysWith: { first, _ in first })
    let loss = try supernet.model.forward(batch.images, ForwardOptions(.batch, channelScales: scales))
      .crossEntropy(batch.labels)
    _ = try loss.gradients(of: factors.map(\.1))
  }

  /// One step of a descent from the supernet, with and without sharing.
  private func descent(_ supernet: Supernet, _ batch: Batch) throws -> Report.Descent {
    let groups = supernet.resolved.widthGroups
    let current = groups.map(\.width)
    let candidates = current.indices.map { group in
      (
        group: group,
        widths: current.enumerated().map {
          $0 == group ? max(network.divisor, makeDivisible(0.9 * Double($1), divisor: network.divisor)) : $1
        }
      )
    }
    var outcomes: [Bool: (macs: Double, seconds: [Double])] = [:]
    for _ in 0..<3 {
      for shares in [true, false] {
        let trials = WidthTrials(supernet, batches: [batch], sharesPrefix: shares)
        var macs = 0.0
        let seconds = try clock { macs = try trials.scores(of: candidates, from: current).macs }
        outcomes[shares] = (macs, (outcomes[shares]?.seconds ?? []) + [seconds])
      }
    }
    func outcome(_ shares: Bool) -> (macs: Double, seconds: Double) {
      (outcomes[shares]?.macs ?? .nan, median(outcomes[shares]?.seconds ?? [.nan]))
    }
    return .init(
      candidates: candidates.count, sharedMACs: outcome(true).macs, wholeMACs: outcome(false).macs,
      sharedSeconds: outcome(true).seconds, wholeSeconds: outcome(false).seconds)
  }

  private func clock(_ body: () throws -> Void) rethrows -> Double {
    let started = Date()
    try body()
    return Date().timeIntervalSince(started)
  }

  private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

  private func tell(_ report: Report) throws {
    try Output.text("\(report.network), supernet of \(Format.amount(report.supernetMACs)) MACs, batch \(batchSize)")
    try Output.text("width  MACs ÷ supernet's  time ÷ supernet's   ms")
    for pass in report.passes {
      try Output.text(
        String(format: "%5.2f  %17.3f  %17.3f  %.1f", pass.width, pass.part, pass.timePart, pass.milliseconds))
    }
    try Output.text("architecture pass ÷ supernet pass: \(Format.decimal(report.architecturePass, 2))")
    let descent = report.descent
    try Output.text(
      "one step of the descent, \(descent.candidates) candidates: shared prefix saves "
        + "\(Format.decimal(descent.wholeMACs / descent.sharedMACs, 2))x MACs, "
        + "\(Format.decimal(descent.wholeSeconds / descent.sharedSeconds, 2))x time")
  }
}
