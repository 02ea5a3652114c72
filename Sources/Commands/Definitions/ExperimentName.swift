/// An experiment of the papers.
package enum ExperimentName: String, CaseIterable {
  /// The graph convolution of figure 2, and the sweep over its widths.
  case graphConvolution = "matthew-2-gcn"
  /// The language model of figure 2.
  case languageModel = "matthew-2-gru"
  /// The vision transformer of figure 3.
  case transformer = "matthew-3-vit"

  /// What it shows.
  package var claim: String {
    switch self {
    case .graphConvolution: "The hidden layer of a narrow graph convolution on Cora is DS, that of a wide one IS."
    case .languageModel:
      "The layers of a narrow language model of gated recurrent units are DS, those of a wide one IS."
    case .transformer: "The MLP of a vision transformer's fifth block is IS with 512 hidden features, DS with 32."
    }
  }

  /// What its data is.
  package var data: String {
    switch self {
    case .graphConvolution: "a folder with cora.nodes.tsv and cora.edges.tsv, or cora.content and cora.cites"
    case .languageModel: "a folder with ptb.train.txt, ptb.valid.txt and ptb.test.txt, or the same without ptb."
    case .transformer: "a data set of square images, such as cifar10"
    }
  }

  /// The widths that it is made for.
  package var widths: [Int] {
    switch self {
    case .graphConvolution: [4, 8, 16, 32, 64, 128, 256, 512]
    case .languageModel: [50, 400]
    case .transformer: [32, 512]
    }
  }

  /// Trainings of each width.
  package var seeds: Int { self == .graphConvolution ? 10 : 3 }

  /// Epochs of each training.
  package func epochs(_ scale: ExperimentScale) -> Int {
    switch (self, scale) {
    case (.graphConvolution, _): 200
    case (.languageModel, .small): 40
    case (.languageModel, .full): 100
    case (.transformer, .small): 60
    case (.transformer, .full): 200
    }
  }
}

/// How large an experiment's models are.
package enum ExperimentScale: String, CaseIterable {
  /// Models that two cores train in minutes.
  case small
  /// The source's sizes, as far as they are known.
  case full
}
