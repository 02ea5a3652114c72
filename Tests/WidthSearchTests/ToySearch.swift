import Foundation
import ImageFiles
import Loading
import Methods
import Networks
import Records
import Support
import Testing
import Torch
import Training

@testable import WidthSearch

/// 96 images of 8×8 grey pixels in four classes that an eye tells apart: which quarter is bright, under noise.
let toyImages: InMemoryImages = {
  var random = SeededGenerator(seed: 1)
  var pixels: [UInt8] = []
  let labels = (0..<96).map { $0 % 4 }
  for label in labels {
    for position in 0..<64 {
      let isBright = position / 32 == label / 2 && position % 8 / 4 == label % 2
      pixels.append(UInt8((isBright ? 150 : 60) + Int(random.next() % 80)))
    }
  }
  return InMemoryImages(
    name: "toy", size: ImageSize(width: 8, height: 8), channels: 1, classNames: ["a", "b", "c", "d"], labels: labels,
    pixels: pixels)
}()

private func convolution(
  _ name: String, _ channels: Int, _ kernel: Int, stride: Int = 1, depthwise: Bool = false, from input: String
) -> [Layer] {
  [
    Layer(
      name: name,
      operation: .convolution(
        Convolution(
          outputChannels: channels, kernelSize: Extent(kernel), stride: Extent(stride), padding: Extent(kernel / 2),
          grouping: depthwise ? .depthwise : .dense)), inputs: [input]),
    Layer(name: "\(name).bn", operation: .batchNorm(BatchNorm()), inputs: [name]),
  ]
}

private func relu(_ name: String, from input: String) -> [Layer] {
  [Layer(name: name, operation: .activation(.relu), inputs: [input])]
}

/// A residual block with a projection and a depthwise layer: three width groups, `stem`, `inner` and `out`.
func toyNetwork() -> Network {
  var layers = convolution("stem", 8, 3, from: "input") + relu("stem.relu", from: "stem.bn")
  layers += convolution("inner", 12, 1, from: "stem.relu") + relu("inner.relu", from: "inner.bn")
  layers += convolution("dw", 12, 3, stride: 2, depthwise: true, from: "inner.relu") + relu("dw.relu", from: "dw.bn")
  layers += convolution("out", 10, 1, from: "dw.relu") + convolution("shortcut", 10, 1, stride: 2, from: "stem.relu")
  layers.append(Layer(name: "add", operation: .add, inputs: ["out.bn", "shortcut.bn"]))
  layers += relu("add.relu", from: "add")
  layers += [
    Layer(
      name: "pool", operation: .adaptiveAveragePool(AdaptivePool(height: 2, width: 2)), inputs: ["add.relu"]),
    Layer(name: "flatten", operation: .flatten, inputs: ["pool"]),
    Layer(name: "fc", operation: .linear(Linear(outputFeatures: 4)), inputs: ["flatten"]),
  ]
  return Network(name: "toy", input: Shape(channels: 1, height: 8, width: 8), layers: layers)
}

/// Collects events.
final class Recorder: EventSink, @unchecked Sendable {
  var events: [RunEvent] = []
  func receive(_ event: TimedEvent) { events.append(event.event) }
}

/// A folder that is removed with its last reference.
final class TemporaryFolder {
  let path: String
  init() throws {
    path = NSTemporaryDirectory() + "search-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A search of two epochs of three steps, by DMCP unless another method is given; the second half moves α.
struct ToySearch {
  var settings = DMCPSettings(range: WidthRange(minimum: 0.25, maximum: 1.5, offset: 0.25))
  var optimizer: (any WidthSearching)?
  var source: any ImageSource = toyImages
  var normalization = Normalization.grey
  /// Budgets relative to the network.
  var budgets = [1.0]
  var recipe = Recipe(
    epochs: 2, batchSize: 32, learningRate: 0.05, warmUpEpochs: 0, augmentation: .padCropFlip(padding: 1, flip: false))
  var seed = 0
  var network = toyNetwork()

  func context(
    _ folder: TemporaryFolder? = nil, events: Recorder = Recorder(), interruptedAt stop: Int? = nil,
    cohort: Cohort = .single
  ) throws -> SearchContext {
    var asked = 0
    let method = optimizer ?? DMCP(settings)
    let resolution = network.input.height
    let heldOut = try method.heldOutPart.map { part in
      let indices = part.indices(of: source)
      return (
        indices: Set(indices),
        loader: try part.loader(indices, of: source, resolution: resolution, normalization: normalization)
      )
    }
    let macs = Double(try network.cost().macs)
    return SearchContext(
      network: try network.resolved(),
      training: try BatchLoader(
        source: source, indices: source.indices.filter { !(heldOut?.indices.contains($0) ?? false) },
        batchSize: recipe.batchSize, resolution: resolution, normalization: normalization,
        augmentation: recipe.augmentation, seed: UInt64(seed), shuffles: true, dropsLast: true,
        share: cohort.share),
      heldOut: heldOut?.loader, targets: budgets.map { Int(($0 * macs).rounded()) }, recipe: recipe, divisor: 1,
      seed: seed, events: EventStream([events]),
      checkpoints: folder.map { CheckpointStore(folder: $0.path, identity: "toy") },
      policy: CheckpointPolicy(seconds: 1e9),
      cancellation: Cancellation(signal: {
        asked += 1
        return asked == stop ? SIGINT : nil
      }), cohort: cohort)
  }

  func run(
    _ folder: TemporaryFolder? = nil, events: Recorder = Recorder(), interruptedAt stop: Int? = nil
  ) throws -> SearchResult {
    try #require(runAll(folder, events: events, interruptedAt: stop).first)
  }

  func runAll(
    _ folder: TemporaryFolder? = nil, events: Recorder = Recorder(), interruptedAt stop: Int? = nil
  ) throws -> [SearchResult] {
    try (optimizer ?? DMCP(settings)).search(context(folder, events: events, interruptedAt: stop))
  }
}

/// Expects two searches to have gone the same way; the clock may differ.
func expectEqual(_ one: SearchResult, _ other: SearchResult, sourceLocation: SourceLocation = #_sourceLocation) {
  var (a, b) = (one, other)
  (a.cost.seconds, b.cost.seconds) = (0, 0)
  #expect(a == b, sourceLocation: sourceLocation)
}

extension Tensor {
  /// The largest difference, in parts of the other's largest element.
  func relativeDistance(to other: Tensor) throws -> Double {
    try (self - other).abs().max().item() / Swift.max(try other.abs().max().item(), 1e-30)
  }
}

/// Expects two numbers to be equal but for rounding.
func expectClose(
  _ found: Double, _ expected: Double, tolerance: Double = 1e-6, _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(
    abs(found - expected) <= tolerance * max(1, abs(expected)), "\(what) \(found), not \(expected)",
    sourceLocation: sourceLocation)
}
