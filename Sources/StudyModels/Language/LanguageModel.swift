import Diagnosis
import Support
import Torch

/// A language model of gated recurrent units whose output weights are its embeddings.
///
/// It is no `Network`: it carries a state from step to step, its input is a sequence, and one matrix serves at both ends.
public final class LanguageModel {
  /// Hidden features of all layers but the last, which has as many as an embedding.
  public let hidden: Int
  /// The learnable tensors by name.
  public let parameters: [(name: String, tensor: Tensor)]

  private let settings: LanguageModelSettings
  private let vocabulary: Int

  /// What a pass over some words gives.
  struct Pass {
    /// Scores of the words that may follow, [length · columns, vocabulary].
    var logits: Tensor
    /// The last layer's features, and what is left of them after dropout, [length, columns, embedding].
    var features: Tensor
    var dropped: Tensor
    /// The layers' states after the last word.
    var states: [Tensor]
  }

  /// Creates a model with random weights: embeddings within ±0.1, layers within ±1/√hidden.
  ///
  /// - Throws: `UsageFailure` for a width below 1; `TorchError`.
  public init(vocabulary: Int, hidden: Int, settings: LanguageModelSettings, seed: Int) throws {
    guard hidden >= 1 else { throw UsageFailure("a hidden layer has 1 feature at least, not \(hidden)") }
    self.hidden = hidden
    self.settings = settings
    self.vocabulary = vocabulary
    let generator = try Generator(seed: SeededGenerator(seed: seed, .languageWeights).state)
    var parameters: [(name: String, tensor: Tensor)] = [
      ("encoder.weight", try .uniform([vocabulary, settings.embedding], low: -0.1, high: 0.1, generator: generator)),
      ("decoder.bias", try .zeros([vocabulary])),
    ]
    var inputs = settings.embedding
    for layer in 0..<settings.layers {
      let size = layer == settings.layers - 1 ? settings.embedding : hidden
      for (name, shape) in [
        ("weight_ih_l0", [3 * size, inputs]), ("weight_hh_l0", [3 * size, size]), ("bias_ih_l0", [3 * size]),
        ("bias_hh_l0", [3 * size]),
      ] {
        parameters.append(("rnns.\(layer).\(name)", try .initial(shape, inputs: size, generator)))
      }
      inputs = size
    }
    for (_, tensor) in parameters { try tensor.setRequiresGradient(true) }
    self.parameters = parameters
  }

  /// The channels of the hidden layers: each with its gates and what reads it, and after these the gates by themselves, as the source follows them.
  public var channelGroups: [ChannelGroup] {
    let hiddenLayers = Array(0..<max(settings.layers - 1, 0))
    func slice(_ layer: Int, _ name: String, gate: Int) -> ChannelSlice {
      ChannelSlice(tensor: "rnns.\(layer).\(name)", axis: 0, offset: gate * hidden, side: .incoming)
    }
    let whole = hiddenLayers.map { layer in
      ChannelGroup(
        id: "rnns.\(layer)", numbers: [layer + 1], width: hidden,
        slices: (0..<3).flatMap { gate in ["weight_ih_l0", "weight_hh_l0"].map { slice(layer, $0, gate: gate) } } + [
          ChannelSlice(tensor: "rnns.\(layer).weight_hh_l0", axis: 1, side: .outgoing),
          ChannelSlice(tensor: "rnns.\(layer + 1).weight_ih_l0", axis: 1, side: .outgoing),
        ])
    }
    let gates = hiddenLayers.flatMap { layer in
      ["r", "z", "n"].enumerated().map { gate, name in
        ChannelGroup(
          id: "rnns.\(layer).\(name)", width: hidden,
          slices: ["weight_ih_l0", "weight_hh_l0"].map { slice(layer, $0, gate: gate) })
      }
    }
    return whole + gates
  }

  /// States of nothing read yet.
  func initialStates(columns: Int) throws -> [Tensor] {
    try (0..<settings.layers).map { layer in
      try Tensor.zeros([1, columns, layer == settings.layers - 1 ? settings.embedding : hidden])
    }
  }

  /// Reads some words.
  ///
  /// - Parameters:
  ///   - words: [length, columns], int64.
  ///   - states: The layers' states before.
  ///   - dropout: Draws what is dropped while training; nil drops nothing.
  func forward(_ words: Tensor, from states: [Tensor], dropout: Generator?) throws -> Pass {
    let (length, columns) = (words.shape[0], words.shape[1])
    func locked(_ tensor: Tensor, _ probability: Double) throws -> Tensor {
      guard let dropout, probability > 0 else { return tensor }
      return try tensor * Tensor.dropoutMask([1, columns, tensor.shape[2]], probability, dropout)
    }
    let encoder = try parameters.tensor(named: "encoder.weight")
    let flat = try words.reshaped([-1])
    var embedded = try encoder.selecting(0, flat)
    if let dropout, settings.embeddingDropout > 0 {
      let mask = try Tensor.dropoutMask([vocabulary, 1], settings.embeddingDropout, dropout)
      embedded = try embedded * mask.selecting(0, flat)
    }
    var features = try embedded.reshaped([length, columns, -1])
    var dropped = try locked(features, settings.inputDropout)
    var after: [Tensor] = []
    for layer in 0..<settings.layers {
      func parameter(_ name: String) throws -> Tensor { try parameters.tensor(named: "rnns.\(layer).\(name)") }
      var recurrent = try parameter("weight_hh_l0")
      if let dropout { recurrent = try recurrent.dropout(settings.weightDropout, generator: dropout) }
      features = try dropped.gatedRecurrence(
        from: states[layer], weights: (parameter("weight_ih_l0"), recurrent),
        biases: (parameter("bias_ih_l0"), parameter("bias_hh_l0")))
      after.append(try features.slice(0, length - 1..<length).detached().contiguous())
      dropped = try locked(
        features, layer == settings.layers - 1 ? settings.outputDropout : settings.layerDropout)
    }
    let logits = try dropped.reshaped([length * columns, -1])
      .linear(encoder, bias: parameters.tensor(named: "decoder.bias"))
    return Pass(logits: logits, features: features, dropped: dropped, states: after)
  }
}
