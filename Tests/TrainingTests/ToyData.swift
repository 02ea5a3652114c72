import Foundation
import ImageFiles
import Networks
import Support
import Torch

@testable import Training

/// Images of 8×8 grey pixels in four classes that an eye tells apart: which quarter is bright, under noise.
func toyImages(_ count: Int, seed: UInt64) -> InMemoryImages {
  var random = SeededGenerator(seed: seed)
  var pixels: [UInt8] = []
  for index in 0..<count {
    let (bright, right) = ((index % 4) / 2, (index % 4) % 2)
    for y in 0..<8 {
      for x in 0..<8 {
        let base = y / 4 == bright && x / 4 == right ? 150 : 60
        pixels.append(UInt8(base + Int(random.next() % 80)))
      }
    }
  }
  return InMemoryImages(
    name: "toy", size: ImageSize(width: 8, height: 8), channels: 1, classNames: ["a", "b", "c", "d"],
    labels: (0..<count).map { $0 % 4 }, pixels: pixels)
}

/// 128 images to train on, 64 to test with.
let toyDataset = Dataset(
  name: "toy", training: toyImages(128, seed: 1), heldOut: toyImages(64, seed: 2), resolution: 8, normalization: .grey)

extension Layer {
  /// A convolution, short to write.
  static func conv(
    _ name: String, _ channels: Int, _ kernel: Int = 3, stride: Int = 1, padding: Int? = nil, dilation: Int = 1,
    depthwise: Bool = false, groups: Int? = nil, bias: Bool = false, derived: Convolution.DerivedChannels? = nil,
    from input: String
  ) -> Layer {
    Layer(
      name: name,
      operation: .convolution(
        Convolution(
          outputChannels: channels, kernelSize: Extent(kernel), stride: Extent(stride),
          padding: Extent(padding ?? kernel / 2), dilation: Extent(dilation),
          grouping: groups.map { .grouped($0) } ?? (depthwise ? .depthwise : .dense),
          hasBias: bias, derivedChannels: derived)), inputs: [input])
  }
  static func norm(_ name: String, from input: String) -> Layer {
    Layer(name: name, operation: .batchNorm(BatchNorm()), inputs: [input])
  }
  static func activation(_ name: String, _ function: Activation = .relu, from input: String) -> Layer {
    Layer(name: name, operation: .activation(function), inputs: [input])
  }
  static func linear(_ name: String, _ features: Int, from input: String) -> Layer {
    Layer(name: name, operation: .linear(Linear(outputFeatures: features)), inputs: [input])
  }
  static func layer(_ name: String, _ operation: Networks.Operation, from inputs: String...) -> Layer {
    Layer(name: name, operation: operation, inputs: inputs)
  }
}

/// A residual network of three convolutions, with dropout and stochastic depth where asked.
func toyNetwork(dropout: Bool = false) -> Network {
  var layers: [Layer] = [
    .conv("stem", 6, from: "input"), .norm("stem_bn", from: "stem"), .activation("stem_relu", from: "stem_bn"),
    .conv("conv1", 5, stride: 2, from: "stem_relu"), .norm("bn1", from: "conv1"), .activation("relu1", from: "bn1"),
    .conv("conv2", 8, from: "relu1"), .norm("bn2", from: "conv2"),
    .conv("shortcut", 8, 1, stride: 2, from: "stem_relu"), .norm("shortcut_bn", from: "shortcut"),
  ]
  var branch = "bn2"
  if dropout {
    layers.append(.layer("depth", .stochasticDepth(StochasticDepth(probability: 0.3)), from: branch))
    branch = "depth"
  }
  layers += [
    .layer("add", .add, from: branch, "shortcut_bn"), .activation("relu2", from: "add"),
    .layer("pool", .adaptiveAveragePool(AdaptivePool(height: 2, width: 2)), from: "relu2"),
    .layer("flatten", .flatten, from: "pool"),
  ]
  if dropout { layers.append(.layer("drop", .dropout(Dropout(probability: 0.2)), from: "flatten")) }
  layers.append(.linear("fc", 4, from: dropout ? "drop" : "flatten"))
  return Network(name: "toy", input: Shape(channels: 1, height: 8, width: 8), layers: layers)
}

/// A folder that is removed with its last reference.
final class TemporaryFolder {
  let path: String
  init() throws {
    path = NSTemporaryDirectory() + "training-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }
  func file(_ name: String) -> String { path + "/" + name }
}

/// Reproducible normal numbers.
func noise(_ shape: [Int], seed: UInt64 = 1) throws -> Tensor {
  try Tensor.normal(shape, generator: Generator(seed: seed))
}

extension Tensor {
  /// The largest difference, in parts of the other's largest element.
  func relativeDistance(to other: Tensor) throws -> Double {
    let largest = try other.abs().max().item()
    return try (self - other).abs().max().item() / Swift.max(largest, 1e-30)
  }
  var floats: [Float] { get throws { try array(Float.self) } }
}

extension Model {
  /// All parameters and running statistics, as numbers to compare bit by bit.
  func bits() throws -> [[UInt32]] {
    try (tensors + statistics.means + statistics.variances).map { try $0.floats.map(\.bitPattern) }
  }
  subscript(name: String) -> Tensor { parameters.first { $0.name == name }!.tensor }
}
