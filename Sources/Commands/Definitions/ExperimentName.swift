/// An experiment of the papers.
package enum ExperimentName: String, CaseIterable {
  /// The loop between two channels, and the stages of a curve.
  case loop = "matthew-1"
  /// The graph convolution of figure 2, and the sweep over its widths.
  case graphConvolution = "matthew-2-gcn"
  /// The language model of figure 2.
  case languageModel = "matthew-2-gru"
  /// The vision transformer of figure 3.
  case transformer = "matthew-3-vit"
  /// VGG16 and ResNet18, layer by layer.
  case layers = "matthew-4"
  /// Weights that change their sign.
  case signs = "matthew-6"
  /// ResNet20 at three widths.
  case residualWidths = "matthew-a5"
  /// One layer of VGG16 at several widths.
  case layerWidths = "matthew-x1"
  /// Phenomena of training and what measures them.
  case phenomena = "matthew-t1"
  /// What merging leaves of layers that are IS and DS.
  case merging = "matthew-t2"
  /// Networks with the widths that their diagnosis asks for.
  case streamlining = "matthew-t3"
  /// The same on larger images.
  case streamliningLarge = "matthew-t4"

  /// What it shows.
  package var claim: String {
    switch self {
    case .loop:
      "Of two similar channels the one with larger weights gets larger gradients, and pulls ahead (figure 1)."
    case .graphConvolution:
      "The hidden layer of a narrow graph convolution on Cora is DS, that of a wide one IS (figure 2)."
    case .languageModel:
      "The layers of a narrow language model of gated recurrent units are DS, those of a wide one IS (figure 2)."
    case .transformer:
      "The MLP of a vision transformer's fifth block is IS with 512 hidden features, DS with 32 (figure 3)."
    case .layers:
      "Of VGG16 and ResNet18 some layers are DS and others IS; few filters lead, and from early on (figures 4, 5, 7, 8, A1 to A4)."
    case .signs: "Few weights change their sign after the first epochs (figure 6)."
    case .residualWidths: "The wider a ResNet20, the more of its layers are IS (figures A5 to A7)."
    case .layerWidths: "A layer turns from DS to IS as it is made wider."
    case .phenomena: "Phenomena of training, and the measures that show them (table 1)."
    case .merging:
      "Merging like features takes channels from layers that are IS and leaves those that are DS (table 2)."
    case .streamlining:
      "With DS layers widened and IS layers narrowed, networks of about 60 % of the parameters are as accurate at equal MACs (table 3 and the appendix's)."
    case .streamliningLarge: "The same on Tiny ImageNet (table 4)."
    }
  }

  /// What its data is; nil where it takes none.
  package var data: String? {
    switch self {
    case .loop, .phenomena: nil
    case .graphConvolution: "a folder with cora.nodes.tsv and cora.edges.tsv, or cora.content and cora.cites"
    case .languageModel: "a folder with ptb.train.txt, ptb.valid.txt and ptb.test.txt, or the same without ptb."
    case .transformer: "a data set of square images, such as cifar10"
    case .layers, .signs, .residualWidths, .layerWidths, .merging, .streamlining:
      "a data set of images, such as cifar10"
    case .streamliningLarge: "a data set of larger images, such as a folder of Tiny ImageNet"
    }
  }

  /// The widths that it is made for; nil where there are none to choose.
  package var widths: [Int]? {
    switch self {
    case .graphConvolution: [4, 8, 16, 32, 64, 128, 256, 512]
    case .languageModel: [50, 400]
    case .transformer: [32, 512]
    case .layerWidths: [16, 32, 64, 128, 256]
    case .loop, .layers, .signs, .residualWidths, .phenomena, .merging, .streamlining, .streamliningLarge: nil
    }
  }

  /// The networks that it trains, with the factor on their widths at full scale.
  package var networks: [(label: String, name: String, factor: Double)] {
    switch self {
    case .layers: [("vgg16", "vgg16_cifar", 1), ("resnet18", "resnet18_cifar", 1)]
    case .signs:
      ["vgg11", "vgg16", "vgg19", "resnet18"].map { ($0, "\($0)_cifar", 1) }
    case .residualWidths: [1, 2, 4].map { ("resnet20-x\(Int($0))", "resnet20", $0) }
    case .layerWidths, .merging: [("vgg16", "vgg16_cifar", 1)]
    case .streamlining: ["vgg16", "vgg19", "resnet18", "resnet50"].map { ($0, "\($0)_cifar", 1) }
    case .streamliningLarge: ["vgg16", "resnet18"].map { ($0, "\($0)_cifar", 1) }
    case .phenomena, .loop, .graphConvolution, .languageModel, .transformer: []
    }
  }

  /// Trainings of each width or network.
  package var seeds: Int {
    switch self {
    case .graphConvolution, .streamliningLarge: 10
    case .streamlining: 5
    default: 3
    }
  }

  /// Whether it compares networks of other widths that follow from a diagnosis.
  package var streamlines: Bool { self == .streamlining || self == .streamliningLarge }

  /// Epochs of each training; of a training that is diagnosed and not compared, ``diagnosisEpochs(_:_:)``.
  package func epochs(_ scale: ExperimentScale) -> Int {
    switch (self, scale) {
    case (.graphConvolution, _): 200
    case (.languageModel, .small): 40
    case (.languageModel, .full), (.layers, .small), (.residualWidths, .small), (.layerWidths, .small): 100
    case (.transformer, .small): 60
    case (.transformer, .full): 200
    case (.layers, .full), (.residualWidths, .full), (.layerWidths, .full): 150
    case (.signs, _): 10
    case (.merging, .small): 100
    case (.merging, .full), (.streamlining, .full): 150
    case (.streamlining, .small), (.streamliningLarge, .small): 20
    case (.streamliningLarge, .full): 90
    case (.loop, _), (.phenomena, _): 0
    }
  }

  /// Epochs of the training that is diagnosed, beside those of the comparison: at small scale more, since a diagnosis takes many steps and the
  /// comparison many trainings.
  package func diagnosisEpochs(_ scale: ExperimentScale, _ epochs: Int) -> Int { scale == .small ? 5 * epochs : epochs }
}

/// How large an experiment's models are.
package enum ExperimentScale: String, CaseIterable {
  /// Models that two cores train in minutes: of networks a quarter of the width (an eighth where many are compared), at a learning rate that stays, with five times the weight decay in
  /// place of the many steps that the source's small one needs.
  case small
  /// The source's sizes and recipes, as far as they are known.
  case full

  /// The factor on the widths of the networks of an experiment.
  package func width(_ experiment: ExperimentName) -> Double {
    self == .full ? 1 : experiment.streamlines ? 0.125 : 0.25
  }
}
