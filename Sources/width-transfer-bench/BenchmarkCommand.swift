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

  @Option var batchSize: Int = 128
  @Option var iterations: Int = 20
  @Option var warmUp: Int = 3
  @Option var device: String = "cpu"
  @Option var threads: Int?
  @Option var precision: Recipe.Precision = .float32
  @Flag var json = false

  struct Timing: Encodable {
    var network: String
    var forward: Double
    var backward: Double
    var step: Double
    var total: Double
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
    let model = try Model(built, seed: 0, device: device)
    let optimizer = try ParameterOptimizer(model.parameters, recipe: Recipe())
    let generator = try Generator(seed: 1, device: device)
    let shape = [batchSize, built.input.channels, built.input.height, built.input.width]
    let images = try Tensor.normal(shape, generator: generator, device: device).contiguous(.channelsLast)
    let classes = built.output.channels
    let labels = try Tensor((0..<batchSize).map { Int64($0 % classes) }, device: device)
    var times: [[Double]] = []
    for iteration in 0..<(iterations + warmUp) {
      var marks = [Date()]
      try Tensor.clearGradients(model.tensors)
      let loss = try withAutocast(precision.scalarType, on: device) {
        try model.forward(images, ForwardOptions(.training, dropout: generator, reusesBuffers: precision == .float32))
      }.to(.float32).crossEntropy(labels)
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
    func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    let timing = Timing(
      network: built.name, forward: median(times.map { $0[0] }), backward: median(times.map { $0[1] }),
      step: median(times.map { $0[2] }), total: median(times.map { $0.reduce(0, +) }))
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      print(String(decoding: try encoder.encode(timing), as: UTF8.self))
    } else {
      try Output.text(
        "\(timing.network): forward \(Format.decimal(timing.forward, 2)) ms, backward \(Format.decimal(timing.backward, 2)) ms, "
          + "step \(Format.decimal(timing.step, 2)) ms, total \(Format.decimal(timing.total, 2)) ms")
    }
  }
}
