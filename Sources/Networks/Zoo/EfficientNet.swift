/// EfficientNets with torchvision's names and rounding: Tan and Le 2019, arXiv 1905.11946.
struct EfficientNet {
  /// 0 … 7.
  var variant: Int
  /// The CIFAR form keeps the resolution in the stem.
  var isCIFAR: Bool

  private struct Scaling {
    var width: Double
    var depth: Double
    var resolution: Int
    var dropout: Double
  }

  /// Compound scaling, native resolution and dropout of each variant.
  private static let scalings: [Scaling] = [
    .init(width: 1.0, depth: 1.0, resolution: 224, dropout: 0.2),
    .init(width: 1.0, depth: 1.1, resolution: 240, dropout: 0.2),
    .init(width: 1.1, depth: 1.2, resolution: 288, dropout: 0.3),
    .init(width: 1.2, depth: 1.4, resolution: 300, dropout: 0.3),
    .init(width: 1.4, depth: 1.8, resolution: 380, dropout: 0.4),
    .init(width: 1.6, depth: 2.2, resolution: 456, dropout: 0.4),
    .init(width: 1.8, depth: 2.6, resolution: 528, dropout: 0.5),
    .init(width: 2.0, depth: 3.1, resolution: 600, dropout: 0.5),
  ]

  static let variants: Range<Int> = 0..<8

  private struct StageSettings {
    var expansion: Int
    var kernelSize: Int
    var stride: Int
    var input: Int
    var output: Int
    var count: Int
  }

  /// Table 1 of the paper, before compound scaling.
  private static let baseline: [StageSettings] = [
    .init(expansion: 1, kernelSize: 3, stride: 1, input: 32, output: 16, count: 1),
    .init(expansion: 6, kernelSize: 3, stride: 2, input: 16, output: 24, count: 2),
    .init(expansion: 6, kernelSize: 5, stride: 2, input: 24, output: 40, count: 2),
    .init(expansion: 6, kernelSize: 3, stride: 2, input: 40, output: 80, count: 3),
    .init(expansion: 6, kernelSize: 5, stride: 1, input: 80, output: 112, count: 3),
    .init(expansion: 6, kernelSize: 5, stride: 2, input: 112, output: 192, count: 4),
    .init(expansion: 6, kernelSize: 3, stride: 1, input: 192, output: 320, count: 1),
  ]

  /// What a stochastic depth would have behind the last block; block `i` of `n` has `i / n` of it.
  private static let finalStochasticDepth = 0.2

  /// Torchvision keeps the original's batch norms for the variants whose weights it took from there.
  private var norm: BatchNorm { variant >= 5 ? BatchNorm(epsilon: 1e-3, momentum: 0.01) : BatchNorm() }

  func network(_ request: ZooRequest) -> Network {
    let scaling = Self.scalings[variant]
    let stages = Self.baseline.map { stage in
      var scaled = stage
      scaled.input = makeDivisible(Double(stage.input) * scaling.width, divisor: 8)
      scaled.output = makeDivisible(Double(stage.output) * scaling.width, divisor: 8)
      scaled.count = Int((Double(stage.count) * scaling.depth).rounded(.up))
      return scaled
    }
    let blockCount = stages.reduce(0) { $0 + $1.count }
    var builder = NetworkBuilder()
    let stem = Convolution(outputChannels: stages[0].input, kernelSize: 3, stride: isCIFAR ? 1 : 2, padding: 1)
    var top = addUnit("features.0", stem, to: &builder, input: Network.inputName)
    var position = 0
    for (index, stage) in stages.enumerated() {
      builder.beginStage("features.\(index + 1)")
      for block in 0..<stage.count {
        let name = "features.\(index + 1).\(block)"
        let depth = Self.finalStochasticDepth * Double(position) / Double(blockCount)
        top = builder.block(name) { builder in
          addBlock(name, to: &builder, input: top, stage: stage, isFirst: block == 0, stochasticDepth: depth)
        }
        position += 1
      }
    }
    let last = Convolution(outputChannels: 4 * stages[stages.count - 1].output, kernelSize: 1)
    top = addUnit("features.\(stages.count + 1)", last, to: &builder, input: top)
    top = builder.pooled(top)
    top = builder.add("classifier.0", .dropout(Dropout(probability: scaling.dropout)), top)
    builder.add("classifier.1", .linear(Linear(outputFeatures: request.classes)), top)
    return builder.network(
      name: "efficientnet_b\(variant)" + (isCIFAR ? "_cifar" : ""), request: request,
      native: isCIFAR ? 32 : scaling.resolution)
  }

  private func addBlock(
    _ name: String, to builder: inout NetworkBuilder, input: String, stage: StageSettings, isFirst: Bool,
    stochasticDepth: Double
  ) -> String {
    let channels = isFirst ? stage.input : stage.output
    let hidden = stage.expansion * channels
    var top = input
    var index = 0
    if stage.expansion != 1 {
      top = addUnit("\(name).block.0", Convolution(outputChannels: hidden, kernelSize: 1), to: &builder, input: top)
      index = 1
    }
    let depthwise = Convolution(
      outputChannels: hidden, kernelSize: Extent(stage.kernelSize), stride: isFirst ? Extent(stage.stride) : 1,
      padding: Extent(stage.kernelSize / 2), grouping: .depthwise)
    top = addUnit("\(name).block.\(index)", depthwise, to: &builder, input: top)
    top = addSqueezeExcite(
      "\(name).block.\(index + 1)", to: &builder, input: top, channels: hidden, blockInput: input, squeezed: channels)
    let projection = Convolution(outputChannels: stage.output, kernelSize: 1)
    top = builder.add("\(name).block.\(index + 2).0", .convolution(projection), top)
    top = builder.add("\(name).block.\(index + 2).1", .batchNorm(norm), top)
    guard !isFirst else { return top }
    let depth = StochasticDepth(probability: stochasticDepth)
    top = builder.add("\(name).stochastic_depth", .stochasticDepth(depth), top)
    return builder.add("\(name).add", .add, top, input)
  }

  /// A gate for each channel, computed from their means through a bottleneck of a quarter of the block's input.
  private func addSqueezeExcite(
    _ name: String, to builder: inout NetworkBuilder, input: String, channels: Int, blockInput: String, squeezed: Int
  ) -> String {
    let rule = Convolution.DerivedChannels(source: blockInput, divisor: 4)
    let squeeze = Convolution(
      outputChannels: rule.channels(ofSource: squeezed), kernelSize: 1, hasBias: true, derivedChannels: rule)
    let excite = Convolution(outputChannels: channels, kernelSize: 1, hasBias: true)
    var gate = builder.add("\(name).avgpool", .globalAveragePool, input)
    gate = builder.add("\(name).fc1", .convolution(squeeze), gate)
    gate = builder.add("\(name).activation", .activation(.silu), gate)
    gate = builder.add("\(name).fc2", .convolution(excite), gate)
    gate = builder.add("\(name).scale_activation", .activation(.sigmoid), gate)
    return builder.add("\(name).multiply", .multiply, input, gate)
  }

  /// Convolution, batch norm and SiLU under the names `.0`, `.1`, `.2`.
  private func addUnit(
    _ name: String, _ convolution: Convolution, to builder: inout NetworkBuilder, input: String
  ) -> String {
    var top = builder.add("\(name).0", .convolution(convolution), input)
    top = builder.add("\(name).1", .batchNorm(norm), top)
    return builder.add("\(name).2", .activation(.silu), top)
  }
}
