/// ResNets with torchvision's names: He et al. 2015, arXiv 1512.03385, with the stride of a bottleneck on its 3×3
/// convolution ("v1.5", as torchvision has it).
struct ResNet {
  var name: String
  var blockCounts: [Int]
  var widths: [Int]
  var hasBottlenecks: Bool
  /// CIFAR forms begin with a 3×3 convolution of stride 1 and have no max-pool.
  var isCIFAR: Bool

  func network(_ request: ZooRequest) -> Network {
    var builder = NetworkBuilder()
    let stem =
      isCIFAR
      ? Convolution(outputChannels: widths[0], kernelSize: 3, padding: 1)
      : Convolution(outputChannels: widths[0], kernelSize: 7, stride: 2, padding: 3)
    var top = builder.add("conv1", .convolution(stem), Network.inputName)
    top = builder.add("bn1", .batchNorm(BatchNorm()), top)
    top = builder.add("relu", .activation(.relu), top)
    if !isCIFAR {
      top = builder.add("maxpool", .maxPool(Pool(kernelSize: 3, stride: 2, padding: 1)), top)
    }
    var channels = widths[0]
    for (stage, count) in blockCounts.enumerated() {
      builder.beginStage("layer\(stage + 1)")
      let output = hasBottlenecks ? 4 * widths[stage] : widths[stage]
      for block in 0..<count {
        let stride = stage > 0 && block == 0 ? 2 : 1
        let name = "layer\(stage + 1).\(block)"
        top = builder.block(name) { builder in
          add(name, to: &builder, input: top, stage: stage, stride: stride, projects: stride > 1 || channels != output)
        }
        channels = output
      }
    }
    top = builder.pooled(top)
    builder.add("fc", .linear(Linear(outputFeatures: request.classes)), top)
    return builder.network(name: name, request: request, native: isCIFAR ? 32 : 224)
  }

  private func add(
    _ name: String, to builder: inout NetworkBuilder, input: String, stage: Int, stride: Int, projects: Bool
  ) -> String {
    let width = widths[stage]
    let output = hasBottlenecks ? 4 * width : width
    let convolutions =
      hasBottlenecks
      ? [
        Convolution(outputChannels: width, kernelSize: 1),
        Convolution(outputChannels: width, kernelSize: 3, stride: Extent(stride), padding: 1),
        Convolution(outputChannels: output, kernelSize: 1),
      ]
      : [
        Convolution(outputChannels: width, kernelSize: 3, stride: Extent(stride), padding: 1),
        Convolution(outputChannels: output, kernelSize: 3, padding: 1),
      ]
    var top = input
    for (index, convolution) in convolutions.enumerated() {
      top = builder.add("\(name).conv\(index + 1)", .convolution(convolution), top)
      top = builder.add("\(name).bn\(index + 1)", .batchNorm(BatchNorm()), top)
      // PyTorch uses one module `relu` several times; a graph needs a name for each use.
      if index < convolutions.count - 1 {
        top = builder.add("\(name).relu\(index + 1)", .activation(.relu), top)
      }
    }
    var shortcut = input
    if projects {
      let projection = Convolution(outputChannels: output, kernelSize: 1, stride: Extent(stride))
      shortcut = builder.add("\(name).downsample.0", .convolution(projection), input)
      shortcut = builder.add("\(name).downsample.1", .batchNorm(BatchNorm()), shortcut)
    }
    top = builder.add("\(name).add", .add, top, shortcut)
    return builder.add("\(name).relu\(convolutions.count)", .activation(.relu), top)
  }
}

extension ResNet {
  /// The ImageNet forms by torchvision's names.
  static func imageNet(_ depth: Int, isCIFAR: Bool) -> ResNet? {
    let counts: [Int: [Int]] = [18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3]]
    guard let blocks = counts[depth] else { return nil }
    return ResNet(
      name: "resnet\(depth)" + (isCIFAR ? "_cifar" : ""), blockCounts: blocks, widths: [64, 128, 256, 512],
      hasBottlenecks: depth >= 50, isCIFAR: isCIFAR)
  }

  /// The CIFAR networks of section 4.2 of the paper, `6n + 2` layers deep, with projection shortcuts.
  static func cifar(_ depth: Int) -> ResNet {
    ResNet(
      name: "resnet\(depth)", blockCounts: Array(repeating: (depth - 2) / 6, count: 3), widths: [16, 32, 64],
      hasBottlenecks: false, isCIFAR: true)
  }
}
