import Commands
import ImageFiles
import Records
import StudyModels
import Support

/// An experiment's models and data: how one training of a width and a seed is made, and what to call things.
struct Study {
  /// The model, in words.
  var model: String
  /// The data, in words.
  var dataset: String
  /// What is counted as width.
  var unit: String
  /// What the score is.
  var score: String
  /// Text that is equal for equal trainings, beside width and seed.
  var identity: String
  /// Makes a training at its first step.
  var make: (_ width: Int, _ seed: Int) throws -> any StudyTraining

  private struct Identity<Sizes: Encodable>: Encodable {
    var experiment: String
    var epochs: Int
    var part: Double
    var data: String
    var sizes: Sizes
  }

  /// Prepares an experiment on a model that is no `Network`; nil for others.
  init?(_ command: ExperimentCommand, _ experiment: ExperimentName, epochs: Int) throws {
    let part = command.subset.flatMap(Fraction.parse) ?? 1
    let synthetic = command.data == nil
    func identity(_ data: String, _ sizes: some Encodable) throws -> String {
      try IdentityValue(
        encoding: Identity(experiment: experiment.rawValue, epochs: epochs, part: part, data: data, sizes: sizes)
      ).text()
    }
    switch experiment {
    case .graphConvolution:
      let graph = try command.data.map { try CitationGraph(folder: $0) } ?? .planted()
      model = "a graph convolution with one hidden layer (Kipf and Welling 2017)"
      dataset =
        synthetic
        ? "a synthetic graph of planted communities" : "\(graph.labels.count) papers, \(graph.edges.count) citations"
      (unit, score) = ("hidden features", "test accuracy (%)")
      self.identity = try identity(graph.fingerprint, [String]())
      make = { try GraphTraining(graph, hidden: $0, epochs: epochs, seed: $1) }
    case .languageModel:
      let corpus = try (command.data.map { try TextCorpus(folder: $0) } ?? .planted()).keeping(part)
      let sizes = command.scale == .full ? LanguageModelSettings.full : .small
      model =
        "a language model of \(sizes.layers) layers of gated recurrent units, embeddings of \(sizes.embedding) features"
      dataset =
        "\(synthetic ? "synthetic text of" : "text of") \(Format.count(corpus.training.count)) words to train on"
      (unit, score) = ("hidden features", "test perplexity")
      self.identity = try identity(corpus.fingerprint, sizes)
      make = { try LanguageTraining(corpus, hidden: $0, settings: sizes, epochs: epochs, seed: $1) }
    case .transformer:
      let images =
        try command.data.map { try DataOptions.open($0, command.reading, command.general) } ?? PlantedImages.dataset()
      let sizes = command.scale == .full ? TransformerSettings.full : .small
      model =
        "a vision transformer of \(sizes.depth) blocks, \(sizes.heads) heads and \(sizes.dimension) features a token"
      dataset = synthetic ? "synthetic images" : "\(Format.percent(100 * part, 0)) of \(images.name)"
      (unit, score) = ("hidden features", "test accuracy (%)")
      self.identity = try identity(images.fingerprint, sizes)
      let threads = command.compute.loaderThreads
      make = {
        try TransformerTraining(
          images, part: part, hidden: $0, settings: sizes, epochs: epochs, seed: $1, loaderThreads: threads)
      }
    case .loop, .layers, .signs, .residualWidths, .layerWidths, .phenomena, .merging, .streamlining, .streamliningLarge:
      return nil
    }
  }
}
