import Networks
import Testing
import Torch

@testable import Training

@Suite struct ModelTests {
  // Entries of torchvision's state dicts, of them learnable.
  @Test(
    "State dicts have torchvision's number of entries",
    arguments: [
      ("resnet18", 122, 62), ("resnet50", 320, 161), ("mobilenet_v2", 314, 158), ("efficientnet_b3", 574, 340),
    ])
  func stateDictEntries(name: String, entries: Int, learnable: Int) throws {
    let model = try Model(NetworkZoo.network(named: name), seed: 0)
    #expect(model.parameters.count == learnable)
    let names = try model.stateDict().map(\.name)
    #expect(names.count == entries)
    #expect(Set(names).count == entries)
  }

  @Test("Layers have torchvision's parameter names and shapes")
  func namesAndShapes() throws {
    let resolved = try NetworkZoo.network(named: "vgg16_bn").resolved()
    let layout = ParameterLayout(resolved)
    #expect(layout.entries.count == 58)  // without the 138 million numbers themselves
    let shapes = Dictionary(uniqueKeysWithValues: layout.entries.map { ($0.name, $0.shape) })
    #expect(shapes["features.0.weight"] == [64, 3, 3, 3])
    #expect(shapes["features.0.bias"] == [64])
    #expect(shapes["classifier.0.weight"] == [4096, 25088])
    let mobile = try Model(NetworkZoo.network(named: "mobilenet_v2"), seed: 0)
    #expect(mobile["features.1.conv.0.0.weight"].shape == [32, 1, 3, 3])
    #expect(mobile["features.2.conv.1.0.weight"].shape == [96, 1, 3, 3])
    #expect(mobile["classifier.1.weight"].shape == [1000, 1280])
    #expect(mobile.parameters.reduce(0) { $0 + $1.tensor.count } == 3_504_872)
  }

  @Test("The same seed gives the same weights, another seed others, and the initialization is He's")
  func initialization() throws {
    let network = try NetworkZoo.network(named: "resnet20", classes: 10)
    let model = try Model(network, seed: 3)
    #expect(try model.bits() == Model(network, seed: 3).bits())
    #expect(try model["conv1.weight"].floats != Model(network, seed: 4)["conv1.weight"].floats)
    let name = "layer3.1.conv1.weight"
    let weight = model[name]
    let deviation = try weight.variance([0, 1, 2, 3], unbiased: false).item().squareRoot()
    #expect(abs(deviation / (2.0 / (64 * 9)).squareRoot() - 1) < 0.02)
    #expect(weight.isContiguous(.channelsLast))
    #expect(try model["bn1.weight"].floats.allSatisfy { $0 == 1 })
    #expect(try model["fc.bias"].floats.allSatisfy { $0 == 0 })
  }

  @Test("A layer starts alike in networks that differ elsewhere")
  func seedsByName() throws {
    let small = try Model(NetworkZoo.network(named: "resnet20", classes: 10), seed: 0)
    let deep = try Model(NetworkZoo.network(named: "resnet32", classes: 10), seed: 0)
    #expect(try small["layer1.0.conv1.weight"].floats == deep["layer1.0.conv1.weight"].floats)
    #expect(try small["layer1.0.conv1.weight"].floats != small["layer1.0.conv2.weight"].floats)
  }

  @Test("A model knows when a number in it is not finite")
  func finiteness() throws {
    let model = try Model(toyNetwork(), seed: 0)
    #expect(try model.isFinite())
    try model.statistics.variances[1].fill(.infinity)
    #expect(try !model.isFinite())
    try model.statistics.variances[1].fill(1)
    try withoutGradients { try model["fc.bias"].copy(from: Tensor([0, Float.nan, 0, 0])) }
    #expect(try !model.isFinite())
  }

  @Test(
    "The steps of a plan cover every layer once, and read what is laid down and not released yet",
    arguments: ["resnet20", "mobilenet_v2", "efficientnet_b0", "vgg11_bn"])
  func planOrder(name: String) throws {
    let plan = try ExecutionPlan(NetworkZoo.resolved(named: name))
    #expect(plan.steps.flatMap(\.layers) == Array(plan.resolved.layers.indices))
    var live: Set<Int> = [-1]
    for step in plan.steps {
      #expect(live.isSuperset(of: step.inputs))
      #expect(live.insert(step.result).inserted && (0..<plan.slotCount).contains(step.result))
      #expect(live.isSuperset(of: step.released) && !step.released.contains(step.result))
      live.subtract(step.released)
    }
    let result = try #require(plan.slot(of: plan.resolved.layers.count - 1))
    #expect(live == [-1, result])
  }
}
