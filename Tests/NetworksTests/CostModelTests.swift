import Support
import Testing

@testable import Networks

@Suite struct CostModelTests {
  @Test(
    "MACs and parameters at any widths are those of the network at these widths, and the polynomial's within rounding",
    arguments: ["resnet20", "resnet50_cifar", "mobilenet_v2", "efficientnet_b0", "vgg11_bn", "vgg16_cifar"])
  func counts(name: String) throws {
    let network = try NetworkZoo.resolved(named: name)
    var random = SeededGenerator(seed: 3, 1)
    for model in [CostModel.macs, .parameters] {
      let (counter, polynomial) = (CostCounter(network, model), RelaxedCost(network, model))
      #expect(model.count(network) == (model == .macs ? network.cost.macs : network.cost.parameters))
      for _ in 0..<3 {
        let widths = Widths(network) { 8 * max(1, random.nextInt(below: max(1, $0.width / 4))) }
        let cost = try network.with(widths).cost
        let exact = model == .macs ? cost.macs : cost.parameters
        let counts = counter.groups.map { widths[$0] ?? 1 }
        #expect(counter.count(counts) == exact, "\(model.name)")
        let relaxed = polynomial.evaluate(counts.map(Double.init))
        // Squeeze-excite widths are rounded down in the network, and a quarter in the polynomial.
        #expect(abs(relaxed - Double(exact)) <= 0.02 * Double(exact), "\(model.name): \(relaxed) \(exact)")
      }
    }
  }

  @Test("The gradient is the slope, and a scale to a target meets it", arguments: ["macs", "parameters"])
  func gradient(name: String) throws {
    let model = try #require([CostModel.macs, .parameters].first { $0.name == name })
    let network = try NetworkZoo.resolved(named: "mobilenet_v2_cifar", classes: 10)
    let polynomial = RelaxedCost(network, model)
    let widths = network.widthGroups.map { Double($0.width) * 0.7 }
    let gradient = polynomial.gradient(widths)
    for index in widths.indices {
      var (more, less) = (widths, widths)
      more[index] += 0.5
      less[index] -= 0.5
      let slope = polynomial.evaluate(more) - polynomial.evaluate(less)
      #expect(abs(slope - gradient[index]) <= 1e-6 * max(1, abs(slope)))
    }
    let target = 0.4 * Double(model.count(network))
    let scale = try #require(polynomial.scale(matching: target, widths: widths))
    #expect(abs(polynomial.evaluate(widths.map { scale * $0 }) - target) < 1e-6 * target)
  }

  @Test("A network is matched to a number of parameters", arguments: [0.3, 0.6, 1, 1.7])
  func matching(factor: Double) throws {
    let network = try NetworkZoo.resolved(named: "resnet18")
    let target = Int(factor * Double(network.cost.parameters))
    let match = try network.matching(target, in: .parameters)
    #expect(abs(match.relativeError) < 0.01 && match.count == match.resolved.cost.parameters)
    if factor == 1 { #expect(match.widths == network.widths) }
  }
}
