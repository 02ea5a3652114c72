import ArgumentParser
import Foundation
import Interchange
import Methods
import Networks
import Torch
import Training

/// The Swift side of `scripts/parity`: logits and losses from weights and batches that Python wrote.
struct ParityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "parity", abstract: "Computes logits and training losses for a comparison with PyTorch.",
    shouldDisplay: false)

  @Option var network: String?
  @Option var weights: String
  @Option var inputs: String
  @Option var output: String
  @Option var steps: Int = 10
  @Option var learningRate: Double = 0.01
  @Option var momentum: Double = 0.9
  @Option var weightDecay: Double = 1e-4
  @Option var threads: Int?

  func run() throws {
    if let threads { try Torch.setThreads(threads) }
    let batches = try SafetensorsFile(path: inputs)
    let file = try WeightsFile(path: weights)
    let isDouble = batches.entries["eval.images"]?.type == .float64
    guard let described = try network.map({ try NetworkZoo.network(named: $0) }) ?? file.network() else {
      throw ValidationError("the weights do not say which network they belong to; give --network")
    }
    let model = try Model(
      described, seed: 0, scalarType: isDouble ? .float64 : .float32)
    try model.load(file)
    let images = try batches.tensor("eval.images").contiguous(.channelsLast)
    let logits = try withoutGradients { try model.forward(images, ForwardOptions(.evaluation)) }
    let recipe = Recipe(
      name: "parity", epochs: 1, learningRate: learningRate, momentum: momentum, nesterov: false,
      weightDecay: weightDecay, normWeightDecay: weightDecay)
    let optimizer = try ParameterOptimizer(model.parameters, recipe: recipe)
    var losses: [Double] = []
    for step in 0..<steps {
      let batch = try batches.tensor("step.\(step).images").contiguous(.channelsLast)
      let labels = try batches.tensor("step.\(step).labels")
      try Tensor.clearGradients(model.tensors)
      let loss = try model.forward(batch, ForwardOptions(.training)).crossEntropy(labels)
      try loss.backward()
      try optimizer.step(learningRate: learningRate)
      losses.append(try loss.item())
    }
    let type: ScalarType = isDouble ? .float64 : .float32
    try SafetensorsWriter.write(
      [.init(name: "logits", logits.contiguous()), .init(name: "losses", Tensor(losses).to(type))], to: output)
  }
}
