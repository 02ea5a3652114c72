import ImageFiles
import Loading
import Methods
import Networks
import Support
import Testing
import Torch
import Training

@testable import WidthSearch

/// 64 images of 16×16 colour pixels in four classes that differ in their colour.
private let colourImages: InMemoryImages = {
  var random = SeededGenerator(seed: 2)
  let labels = (0..<64).map { $0 % 4 }
  var pixels: [UInt8] = []
  for label in labels {
    for _ in 0..<256 {
      for channel in 0..<3 { pixels.append(UInt8((channel == label ? 140 : 50) + Int(random.next() % 100))) }
    }
  }
  return InMemoryImages(
    name: "colours", size: ImageSize(width: 16, height: 16), channels: 3, classNames: ["r", "g", "b", "none"],
    labels: labels, pixels: pixels)
}()

/// Every method on every family of networks, a few steps each: what is found is a network that trains.
@Suite struct NetworkFamilyTests {
  static let networks: [(name: String, width: Double)] = [
    ("resnet18_cifar", 0.125), ("mobilenet_v2_cifar", 0.25), ("efficientnet_b0", 0.25),
  ]

  private static let settings: [String: [String: String]] = [
    // A descent of a few steps on networks with dozens of groups.
    "autoslim": ["groups": "2", "width": "1.2", "heldOutImages": "16", "evaluationBatch": "16"],
    "morphnet": ["kappa": "30"], "network-slimming": ["width": "1.2"],
    "dmcp": ["range.maximum": "1.2", "randomPasses": "1"],
  ]

  @Test("Searches on families of networks give networks that train", arguments: networks.indices, MethodTests.searches)
  func searches(index: Int, method: String) throws {
    let (name, width) = Self.networks[index]
    let network = try NetworkZoo.network(named: name, classes: 4, resolution: 16).scalingWidth(by: width, divisor: 4)
    var search = ToySearch(
      recipe: Recipe(
        epochs: 1, batchSize: 16, learningRate: 0.02, warmUpEpochs: 0, augmentation: .none), network: network)
    search.optimizer = try WidthOptimizers.named(method, settings: Self.settings[method] ?? [:]).searching()
    search.source = colourImages
    search.normalization = .imageNet
    // What the descent needs to go is little, so that the test stays short.
    if method == "autoslim" { search.budgets = [1.3] }
    let result = try search.run()
    #expect(Set(result.channels.keys) == Set(try network.widthGroups.map(\.id)))
    let match = try network.matching(
      macs: network.cost().macs, multipliers: PerGroup(result.multipliers(of: network)), divisor: 4)
    #expect(abs(match.relativeError) <= 0.05, "\(match.relativeError)")
    let model = try Model(match.network, seed: 0)
    let optimizer = try ParameterOptimizer(model.parameters, recipe: search.recipe)
    let loader = try BatchLoader(source: colourImages, batchSize: 64, resolution: 16, normalization: .imageNet)
    let batch = try #require(try loader.epoch(0).next())
    let losses = try (0..<4).map { _ in
      try Tensor.clearGradients(model.tensors)
      let loss = try model.forward(batch.images, .init(.training)).crossEntropy(batch.labels)
      try loss.backward()
      try optimizer.step(learningRate: 0.05)
      return try loss.item()
    }
    #expect(losses.allSatisfy(\.isFinite) && losses.dropFirst().min()! < losses[0], "\(losses)")
  }
}
