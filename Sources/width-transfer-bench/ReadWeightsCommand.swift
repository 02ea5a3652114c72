import ArgumentParser
import Commands
import Foundation
import Interchange

/// The Swift side of `scripts/check-weights`: writes the tensors of a file of weights as this program reads them.
struct ReadWeightsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "read-weights",
    abstract: "Writes the tensors of a .safetensors or .pth file, or of an index of shards, as one safetensors file.",
    discussion: "Example: width-transfer-bench read-weights --weights resnet18.pth --output resnet18.safetensors",
    shouldDisplay: false)

  @Option var weights: String
  @Option var output: String

  func run() throws {
    let file = try WeightsFile(path: weights)
    let tensors = try file.names.map { name in
      let entry = file.entries[name]!
      return SafetensorsWriter.Tensor(
        name: name, type: entry.type, shape: entry.shape, data: try file.withBytes(of: name) { Data($0) })
    }
    try SafetensorsWriter.write(tensors, metadata: file.metadata, to: output)
  }
}
