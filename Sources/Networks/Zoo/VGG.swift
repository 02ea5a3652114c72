/// VGG networks with batch norm and torchvision's names: Simonyan and Zisserman 2014, arXiv 1409.1556.
struct VGG {
  /// 11, 13, 16 or 19 layers with weights.
  var depth: Int
  /// The CIFAR form has global pooling and one linear layer in place of three.
  var isCIFAR: Bool

  /// Convolutions of each stage; a max-pool follows each stage.
  static let blockCounts: [Int: [Int]] = [
    11: [1, 1, 2, 2, 2], 13: [2, 2, 2, 2, 2], 16: [2, 2, 3, 3, 3], 19: [2, 2, 4, 4, 4],
  ]

  func network(_ request: ZooRequest) -> Network {
    var builder = NetworkBuilder()
    var top = Network.inputName
    var index = 0
    for (stage, (count, width)) in zip(Self.blockCounts[depth] ?? [], [64, 128, 256, 512, 512]).enumerated() {
      builder.beginStage("stage\(stage + 1)")
      for _ in 0..<count {
        top = builder.block("features.\(index)") { builder in
          let convolution = Convolution(outputChannels: width, kernelSize: 3, padding: 1, hasBias: true)
          var top = builder.add("features.\(index)", .convolution(convolution), top)
          top = builder.add("features.\(index + 1)", .batchNorm(BatchNorm()), top)
          return builder.add("features.\(index + 2)", .activation(.relu), top)
        }
        index += 3
      }
      top = builder.add("features.\(index)", .maxPool(Pool(kernelSize: 2)), top)
      index += 1
    }
    addClassifier(to: &builder, input: top, classes: request.classes)
    // The name without "_bn" is how the CIFAR literature calls it.
    return builder.network(
      name: isCIFAR ? "vgg\(depth)_cifar" : "vgg\(depth)_bn", request: request, native: isCIFAR ? 32 : 224)
  }

  private func addClassifier(to builder: inout NetworkBuilder, input: String, classes: Int) {
    guard !isCIFAR else {
      let top = builder.pooled(input)
      builder.add("classifier", .linear(Linear(outputFeatures: classes)), top)
      return
    }
    var top = builder.add("avgpool", .adaptiveAveragePool(AdaptivePool(height: 7, width: 7)), input)
    top = builder.add("flatten", .flatten, top)
    for index in [0, 3] {
      top = builder.add("classifier.\(index)", .linear(Linear(outputFeatures: 4096)), top)
      top = builder.add("classifier.\(index + 1)", .activation(.relu), top)
      top = builder.add("classifier.\(index + 2)", .dropout(Dropout(probability: 0.5)), top)
    }
    builder.add("classifier.6", .linear(Linear(outputFeatures: classes)), top)
  }
}
