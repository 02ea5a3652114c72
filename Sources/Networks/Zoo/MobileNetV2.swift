/// MobileNetV2 with torchvision's names: Sandler et al. 2018, arXiv 1801.04381.
struct MobileNetV2 {
  /// The CIFAR form keeps the resolution in the stem and in the second stage.
  var isCIFAR: Bool

  private struct StageSettings {
    var expansion: Int
    var channels: Int
    var count: Int
    var stride: Int
  }

  /// Table 2 of the paper.
  private var settings: [StageSettings] {
    [
      .init(expansion: 1, channels: 16, count: 1, stride: 1),
      .init(expansion: 6, channels: 24, count: 2, stride: isCIFAR ? 1 : 2),
      .init(expansion: 6, channels: 32, count: 3, stride: 2),
      .init(expansion: 6, channels: 64, count: 4, stride: 2),
      .init(expansion: 6, channels: 96, count: 3, stride: 1),
      .init(expansion: 6, channels: 160, count: 3, stride: 2),
      .init(expansion: 6, channels: 320, count: 1, stride: 1),
    ]
  }

  func network(_ request: ZooRequest) -> Network {
    var builder = NetworkBuilder()
    let stem = Convolution(outputChannels: 32, kernelSize: 3, stride: isCIFAR ? 1 : 2, padding: 1)
    var top = addUnit("features.0", stem, to: &builder, input: Network.inputName)
    var channels = 32
    var index = 1
    for (stage, settings) in settings.enumerated() {
      builder.beginStage("stage\(stage + 1)")
      for block in 0..<settings.count {
        let stride = block == 0 ? settings.stride : 1
        let name = "features.\(index)"
        top = builder.block(name) { builder in
          // Torchvision adds the input when neither resolution nor channels change, which in this table is every block
          // but a stage's first.
          addBlock(
            name, to: &builder, input: top, channels: channels, settings: settings, stride: stride,
            isResidual: block > 0)
        }
        channels = settings.channels
        index += 1
      }
    }
    top = addUnit("features.\(index)", Convolution(outputChannels: 1280, kernelSize: 1), to: &builder, input: top)
    top = builder.pooled(top)
    top = builder.add("classifier.0", .dropout(Dropout(probability: 0.2)), top)
    builder.add("classifier.1", .linear(Linear(outputFeatures: request.classes)), top)
    return builder.network(
      name: isCIFAR ? "mobilenet_v2_cifar" : "mobilenet_v2", request: request, native: isCIFAR ? 32 : 224)
  }

  private func addBlock(
    _ name: String, to builder: inout NetworkBuilder, input: String, channels: Int, settings: StageSettings,
    stride: Int, isResidual: Bool
  ) -> String {
    let hidden = settings.expansion * channels
    var top = input
    var index = 0
    if settings.expansion != 1 {
      top = addUnit("\(name).conv.0", Convolution(outputChannels: hidden, kernelSize: 1), to: &builder, input: top)
      index = 1
    }
    let depthwise = Convolution(
      outputChannels: hidden, kernelSize: 3, stride: Extent(stride), padding: 1, grouping: .depthwise)
    top = addUnit("\(name).conv.\(index)", depthwise, to: &builder, input: top)
    let projection = Convolution(outputChannels: settings.channels, kernelSize: 1)
    top = builder.add("\(name).conv.\(index + 1)", .convolution(projection), top)
    top = builder.add("\(name).conv.\(index + 2)", .batchNorm(BatchNorm()), top)
    return isResidual ? builder.add("\(name).add", .add, top, input) : top
  }

  /// Convolution, batch norm and ReLU6 under the names `.0`, `.1`, `.2`.
  private func addUnit(
    _ name: String, _ convolution: Convolution, to builder: inout NetworkBuilder, input: String
  ) -> String {
    var top = builder.add("\(name).0", .convolution(convolution), input)
    top = builder.add("\(name).1", .batchNorm(BatchNorm()), top)
    return builder.add("\(name).2", .activation(.relu6), top)
  }
}
