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
    }
  }

  /// What its data is; nil where it takes none.
  package var data: String? {
    switch self {
    case .loop: nil
    case .graphConvolution: "a folder with cora.nodes.tsv and cora.edges.tsv, or cora.content and cora.cites"
    case .languageModel: "a folder with ptb.train.txt, ptb.valid.txt and ptb.test.txt, or the same without ptb."
    case .transformer: "a data set of square images, such as cifar10"
    case .layers, .signs, .residualWidths, .layerWidths: "a data set of images, such as cifar10"
    }
  }

  /// The widths that it is made for; nil where there are none to choose.
  package var widths: [Int]? {
    switch self {
    case .graphConvolution: [4, 8, 16, 32, 64, 128, 256, 512]
    case .languageModel: [50, 400]
    case .transformer: [32, 512]
    case .layerWidths: [16, 32, 64, 128, 256]
    case .loop, .layers, .signs, .residualWidths: nil
    }
  }

  /// The networks that it trains, with the factor on their widths at full scale.
  package var networks: [(label: String, name: String, factor: Double)] {
    switch self {
    case .layers: [("vgg16", "vgg16_cifar", 1), ("resnet18", "resnet18_cifar", 1)]
    case .signs:
      ["vgg11", "vgg16", "vgg19", "resnet18"].map { ($0, "\($0)_cifar", 1) }
    case .residualWidths: [1, 2, 4].map { ("resnet20-x\(Int($0))", "resnet20", $0) }
    case .layerWidths: [("vgg16", "vgg16_cifar", 1)]
    case .loop, .graphConvolution, .languageModel, .transformer: []
    }
  }

  /// Trainings of each width or network.
  package var seeds: Int { self == .graphConvolution ? 10 : 3 }

  /// Epochs of each training.
  package func epochs(_ scale: ExperimentScale) -> Int {
    switch (self, scale) {
    case (.graphConvolution, _): 200
    case (.languageModel, .small): 40
    case (.languageModel, .full), (.layers, .small), (.residualWidths, .small), (.layerWidths, .small): 100
    case (.transformer, .small): 60
    case (.transformer, .full): 200
    case (.layers, .full), (.residualWidths, .full), (.layerWidths, .full): 150
    case (.signs, _): 10
    case (.loop, _): 0
    }
  }
}

/// How large an experiment's models are.
package enum ExperimentScale: String, CaseIterable {
  /// Models that two cores train in minutes: of networks a quarter of the width, at a learning rate that stays, with five times the weight decay in
  /// place of the many steps that the source's small one needs.
  case small
  /// The source's sizes and recipes, as far as they are known.
  case full

  /// The factor on the widths of networks.
  package var width: Double { self == .small ? 0.25 : 1 }
}
