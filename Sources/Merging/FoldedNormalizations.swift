import Networks
import Support
import Torch

/// A network whose batch normalizations have become part of the convolutions before them: the same function in evaluation.
struct FoldedNormalizations {
  let network: ResolvedNetwork
  let tensors: [String: Tensor]

  /// Folds every normalization: w ← wγ/√(σ²+ε), b ← β + (b − μ)γ/√(σ²+ε).
  ///
  /// - Throws: `UsageFailure` that names a normalization without a convolution of its own before it.
  init(_ resolved: ResolvedNetwork, _ values: [String: Tensor]) throws {
    var network = resolved.network
    var tensors = values
    var renamed: [String: String] = [:]
    var removed: Set<String> = []
    for (index, layer) in resolved.layers.enumerated() {
      guard case .batchNorm(let norm) = layer.layer.operation else { continue }
      let name = layer.layer.name
      let before = layer.inputIndices[0]
      let readers = resolved.layers.count { $0.inputIndices.contains(before) }
      guard before >= 0, readers == 1, case .convolution(var convolution) = resolved.layers[before].layer.operation
      else {
        throw UsageFailure(
          "\(name) cannot be folded: it does not follow a convolution that nothing else reads; `mode` mean-sum or paper leave it"
        )
      }
      let conv = resolved.layers[before].layer.name
      func value(_ tensor: String) throws -> Tensor {
        guard let value = tensors[tensor] else { throw UsageFailure("the weights hold no \(tensor)") }
        return value
      }
      let deviation = try (value("\(name).running_var") + norm.epsilon).sqrt()
      let scale = try value("\(name).weight") / deviation
      let bias = try tensors["\(conv).bias"] ?? value("\(name).running_mean").zerosLike()
      let weight = try value("\(conv).weight")
      tensors["\(conv).weight"] = try weight * scale.reshaped([scale.count] + weight.shape.dropFirst().map { _ in 1 })
      tensors["\(conv).bias"] = try value("\(name).bias") + (bias - value("\(name).running_mean")) * scale
      for part in ["weight", "bias", "running_mean", "running_var"] { tensors["\(name).\(part)"] = nil }
      convolution.hasBias = true
      network.layers[before].operation = .convolution(convolution)
      renamed[name] = conv
      removed.insert(network.layers[index].name)
    }
    network.layers.removeAll { removed.contains($0.name) }
    for index in network.layers.indices {
      network.layers[index] = network.layers[index].renamed(references: { renamed[$0] ?? $0 })
    }
    for stage in network.stages.indices {
      for block in network.stages[stage].blocks.indices {
        network.stages[stage].blocks[block].layers.removeAll { removed.contains($0) }
      }
    }
    self.network = try network.resolved()
    self.tensors = tensors
  }
}
