import Diagnosis
import Support
import Torch

/// A vision transformer (Dosovitskiy et al. 2021): patches and a class token, normalization before attention and before the MLP of each block.
///
/// It is no `Network`, whose tensors are maps of channels: tokens have an order that embeddings tell, and attention mixes them by what they hold.
public final class VisionTransformer {
  /// Hidden features of the MLPs.
  public let hidden: Int
  /// The learnable tensors by name.
  public let parameters: [(name: String, tensor: Tensor)]

  private let settings: TransformerSettings

  /// Creates a transformer with random weights: linear layers as PyTorch begins them, embeddings normal.
  ///
  /// - Parameters:
  ///   - side: Pixels of an image's side.
  ///   - hidden: Hidden features of the MLPs.
  /// - Throws: `UsageFailure` for sizes that do not fit; `TorchError`.
  public init(
    channels: Int, side: Int, classes: Int, hidden: Int, settings: TransformerSettings, seed: Int
  ) throws {
    guard hidden >= 1 else { throw UsageFailure("a hidden layer has 1 feature at least, not \(hidden)") }
    guard side % settings.patch == 0 else {
      throw UsageFailure("images of \(side) px have no whole number of patches of \(settings.patch) px")
    }
    self.hidden = hidden
    self.settings = settings
    let generator = try Generator(seed: SeededGenerator(seed: seed, .transformerWeights).state)
    let (width, inner) = (settings.dimension, settings.heads * settings.headSize)
    var parameters: [(name: String, tensor: Tensor)] = []
    func linear(_ name: String, _ inputs: Int, _ outputs: Int, bias: Bool = true) throws {
      parameters.append(("\(name).weight", try .initial([outputs, inputs], inputs: inputs, generator)))
      if bias { parameters.append(("\(name).bias", try .initial([outputs], inputs: inputs, generator))) }
    }
    func norm(_ name: String) throws {
      parameters.append(("\(name).weight", try .ones([width])))
      parameters.append(("\(name).bias", try .zeros([width])))
    }
    try linear("patch", channels * settings.patch * settings.patch, width)
    let tokens = (side / settings.patch) * (side / settings.patch) + 1
    parameters.append(("class_token", try .normal([1, 1, width], deviation: 1, generator: generator)))
    parameters.append(("position", try .normal([1, tokens, width], deviation: 1, generator: generator)))
    for block in 0..<settings.depth {
      try norm("blocks.\(block).norm1")
      try linear("blocks.\(block).qkv", width, 3 * inner, bias: false)
      try linear("blocks.\(block).proj", inner, width)
      try norm("blocks.\(block).norm2")
      try linear("blocks.\(block).fc1", width, hidden)
      try linear("blocks.\(block).fc2", hidden, width)
    }
    try norm("norm")
    try linear("head", width, classes)
    for (_, tensor) in parameters { try tensor.setRequiresGradient(true) }
    self.parameters = parameters
  }

  /// The hidden features of each block's MLP: rows of its first matrix, columns of its second.
  public var channelGroups: [ChannelGroup] {
    (0..<settings.depth).map { block in
      ChannelGroup(
        id: "blocks.\(block).mlp", numbers: [block + 1], width: hidden,
        slices: [
          ChannelSlice(tensor: "blocks.\(block).fc1.weight", axis: 0, side: .incoming),
          ChannelSlice(tensor: "blocks.\(block).fc2.weight", axis: 1, side: .outgoing),
        ])
    }
  }

  /// Scores of the classes, [images, classes].
  ///
  /// - Parameters:
  ///   - images: [images, channels, side, side].
  ///   - dropout: Draws what is dropped while training; nil drops nothing.
  public func forward(_ images: Tensor, dropout: Generator?) throws -> Tensor {
    func linear(_ input: Tensor, _ name: String, bias: Bool = true) throws -> Tensor {
      try input.linear(
        parameters.tensor(named: "\(name).weight"), bias: bias ? parameters.tensor(named: "\(name).bias") : nil)
    }
    func norm(_ input: Tensor, _ name: String) throws -> Tensor {
      try input.layerNorm(parameters.tensor(named: "\(name).weight"), parameters.tensor(named: "\(name).bias"))
    }
    func dropped(_ input: Tensor) throws -> Tensor {
      guard let dropout else { return input }
      return try input.dropout(settings.dropout, generator: dropout)
    }
    var tokens = try linear(patches(images), "patch")
    let count = images.shape[0]
    let classToken = try parameters.tensor(named: "class_token") + Tensor.zeros([count, 1, settings.dimension])
    tokens = try dropped(Tensor.concatenate([classToken, tokens], 1) + parameters.tensor(named: "position"))
    for block in 0..<settings.depth {
      let name = "blocks.\(block)"
      let parts = try linear(norm(tokens, "\(name).norm1"), "\(name).qkv", bias: false)
        .reshaped([count, -1, 3, settings.heads, settings.headSize]).permuted([2, 0, 3, 1, 4])
      func part(_ index: Int) throws -> Tensor {
        try parts.slice(0, index..<index + 1).flattened(from: 0).reshaped([
          count, settings.heads, -1, settings.headSize,
        ])
      }
      let mixed = try part(0).attention(part(1), part(2)).permuted([0, 2, 1, 3])
        .reshaped([count, -1, settings.heads * settings.headSize])
      tokens = try tokens + dropped(linear(mixed, "\(name).proj"))
      let features = try dropped(linear(norm(tokens, "\(name).norm2"), "\(name).fc1").gelu())
      tokens = try tokens + dropped(linear(features, "\(name).fc2"))
    }
    let first = try tokens.slice(1, 0..<1).reshaped([count, settings.dimension])
    return try linear(norm(first, "norm"), "head")
  }

  // [images, patches, pixels of a patch with their channels], patches row by row.
  private func patches(_ images: Tensor) throws -> Tensor {
    let (shape, patch) = (images.shape, settings.patch)
    return try images.reshaped([shape[0], shape[1], shape[2] / patch, patch, shape[3] / patch, patch])
      .permuted([0, 2, 4, 3, 5, 1]).reshaped([shape[0], -1, patch * patch * shape[1]])
  }
}
