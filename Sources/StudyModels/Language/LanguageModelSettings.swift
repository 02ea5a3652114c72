/// The sizes and regularizers of a language model and its training: Merity, Keskar and Socher (2017), with gated recurrent units.
public struct LanguageModelSettings: Codable, Hashable, Sendable {
  /// Features of a word's embedding, and of the last layer.
  public var embedding = 400
  /// Layers.
  public var layers = 3
  /// Columns of text that go side by side.
  public var columns = 80
  /// Words of a column in one step, usually.
  public var window = 70
  /// The part of words whose embedding is dropped in a step.
  public var embeddingDropout = 0.1
  /// Dropout of the embeddings' features, the same for all words of a step.
  public var inputDropout = 0.65
  /// Dropout between layers, likewise.
  public var layerDropout = 0.3
  /// Dropout of the last layer's features, likewise.
  public var outputDropout = 0.4
  /// Dropout of the weights on states.
  public var weightDropout = 0.5
  /// The weight of the mean square of the last layer's features, α.
  public var activationPenalty = 2.0
  /// The weight of the mean square of their changes from word to word, β.
  public var temporalPenalty = 1.0
  /// The largest norm of a step's gradients.
  public var clipNorm = 0.25
  /// Weight decay.
  public var weightDecay = 1.2e-6
  /// Adam's learning rate for a window of the usual length.
  public var learningRate = 2e-3
  /// The parts of the training after which it falls to a tenth.
  public var milestones = [0.5, 0.7]

  /// The sizes of the source, whose released code has LSTM and SGD; Adam is the stable choice with gated recurrent units. [reconstructed]
  public static let full = LanguageModelSettings()

  /// A model that two cores train in minutes, on a part of the text. [reconstructed]
  public static let small: LanguageModelSettings = {
    var settings = LanguageModelSettings()
    (settings.embedding, settings.columns, settings.window) = (100, 20, 35)
    (settings.inputDropout, settings.layerDropout, settings.outputDropout) = (0.3, 0.2, 0.3)
    settings.weightDropout = 0.2
    return settings
  }()
}
