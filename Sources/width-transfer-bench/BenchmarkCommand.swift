import ArgumentParser
import Commands
import Foundation
import Methods
import Networks
import Support
import Torch
import Training

/// The Swift side of `scripts/bench`: times the parts of a training step.
struct BenchmarkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark", abstract: "Times forward, backward and optimizer step of a network on random images.",
    discussion: "Example: width-transfer benchmark --network resnet20 --stem 8 --resolution 32 --batch-size 128",
    shouldDisplay: false)

  @OptionGroup var network: NetworkOptions

  @Option(help: "Channels of the stem: another way to say --width.")
  var stem: Int?

  @Option(
    help: "Channels of all layers of each stage of a CIFAR network, such as 6,15,41; the stem is as wide as the first.")
  var stages: String?

  @Option var batchSize: Int = 128
  @Option var iterations: Int = 20
  @Option var warmUp: Int = 3
  @Option var device: String = "cpu"
  @Option var threads: Int?
  @Option var precision: Recipe.Precision = .float32
  @Flag(help: "Compute every layer by itself.")
  var plain = false
  @Flag(help: "Compute activations again for the derivative instead of keeping them.")
  var recompute = false
  @Flag(help: "Print what the time goes to instead.")
  var limits = false
  @Flag var json = false

  struct Timing: Encodable {
    var network: String
    var forward: Double
    var backward: Double
    var step: Double
    var total: Double
    var macs: Int
    /// What the process held at most, and how much more that is than before the first step; MB.
    var peakMemory: Double
    var stepMemory: Double
  }

  func run() throws {
    if let threads { try Torch.setThreads(threads) }
    Torch.keepFreedMemory()
    let device = try Device.named(device)
    var built = try network.request.build()
    if let stem {
      guard let width = built.widthGroups.first?.width else { throw ValidationError("no width group to scale") }
      built = try built.scalingWidth(by: Double(stem) / Double(width), divisor: 1)
    }
    if let stages {
      let widths = stages.split(separator: ",").compactMap { Int($0) }
      let chosen = try built.widthGroups.map { group in
        guard (group.stage ?? 0) < widths.count else { throw ValidationError("--stages names too few widths") }
        return (group.id, widths[group.stage ?? 0])
      }
      built = try built.with(Widths(Dictionary(uniqueKeysWithValues: chosen)))
    }
    let model = try Model(built, seed: 0, device: device, fuses: !plain)
    if recompute { model.recomputeActivations() }
    let optimizer = try ParameterOptimizer(model.parameters, recipe: Recipe())
    let generator = try Generator(seed: 1, device: device)
    let shape = [batchSize, built.input.channels, built.input.height, built.input.width]
    let images = try Tensor.normal(shape, generator: generator, device: device).contiguous(.channelsLast)
    let classes = built.output.channels
    let labels = try Tensor((0..<batchSize).map { Int64($0 % classes) }, device: device)
    func evaluate() throws -> Tensor {
      try Tensor.clearGradients(model.tensors)
      return try withAutocast(precision.scalarType, on: device) {
        try model.forward(images, ForwardOptions(.training, dropout: generator, reusesBuffers: precision == .float32))
      }.to(.float32).crossEntropy(labels)
    }
    if limits {
      try Output.text(
        StepLimits(of: built, batchSize: batchSize, iterations: iterations, warmUp: warmUp) {
          let loss = try evaluate()
          try loss.backward()
          try optimizer.step(learningRate: 0.01)
        }.json())
      return
    }
    let before = ResidentMemory.now
    var times: [[Double]] = []
    for iteration in 0..<(iterations + warmUp) {
      var marks = [Date()]
      let loss = try evaluate()
      try device.synchronize()
      marks.append(Date())
      try loss.backward()
      try device.synchronize()
      marks.append(Date())
      try optimizer.step(learningRate: 0.01)
      try device.synchronize()
      marks.append(Date())
      if iteration >= warmUp { times.append(zip(marks.dropFirst(), marks).map { $0.timeIntervalSince($1) * 1000 }) }
    }
    // A training does not wait for each part on a GPU.
    var inARow: Double?
    if device != .cpu {
      let start = Date()
      for _ in 0..<iterations {
        try evaluate().backward()
        try optimizer.step(learningRate: 0.01)
      }
      try device.synchronize()
      inARow = Date().timeIntervalSince(start) * 1000 / Double(iterations)
    }
    func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    let timing = Timing(
      network: built.name, forward: median(times.map { $0[0] }), backward: median(times.map { $0[1] }),
      step: median(times.map { $0[2] }), total: inARow ?? median(times.map { $0.reduce(0, +) }),
      macs: model.plan.macs, peakMemory: ResidentMemory.peak, stepMemory: ResidentMemory.peak - before)
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      print(String(decoding: try encoder.encode(timing), as: UTF8.self))
    } else {
      try Output.text(
        "\(timing.network): forward \(Format.decimal(timing.forward, 2)) ms, backward \(Format.decimal(timing.backward, 2)) ms, "
          + "step \(Format.decimal(timing.step, 2)) ms, total \(Format.decimal(timing.total, 2)) ms; "
          + "\(Format.decimal(timing.stepMemory, 0)) MB more than before, \(Format.decimal(timing.peakMemory, 0)) at most"
      )
    }
  }
}
