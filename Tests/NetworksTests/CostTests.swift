import Testing

@testable import Networks

@Suite struct CostTests {
  @Test("Costs of a network worked out by hand")
  func byHand() throws {
    let network = smallNetwork()
    #expect(try network.cost() == Cost(macs: 64 * 27 * 4 + 40, parameters: 108 + 8 + 50, activations: 256 + 10))
    let costs = try network.resolved().layerCosts
    #expect(costs[0] == LayerCost(name: "conv", cost: Cost(macs: 6912, parameters: 108, activations: 256)))
    #expect(costs[1].cost == Cost(parameters: 8))
    #expect(try network.cost(at: 4).macs == 16 * 27 * 4 + 40)
    #expect(try network.with(classes: 3).with(inputChannels: 1).cost().parameters == 36 + 8 + 15)
  }

  @Test("VGG16 on CIFAR, layer by layer")
  func vggLayers() throws {
    let costs = try NetworkZoo.network(named: "vgg16_cifar", classes: 10).resolved().layerCosts
      .filter { $0.name.hasPrefix("features") && $0.cost.macs > 0 }.map(\.cost)
    #expect(
      costs.map(\.parameters)
        == [1_792, 36_928, 73_856, 147_584, 295_168, 590_080, 590_080, 1_180_160]
        + Array(repeating: 2_359_808, count: 5))
    let millions = costs.map { (Double($0.macs) / 1000).rounded() / 1000 }
    #expect(
      millions == [
        1.769, 37.749, 18.874, 37.749, 18.874, 37.749, 37.749, 18.874, 37.749, 37.749, 9.437, 9.437, 9.437,
      ])
  }

  @Test("Strides, dilation, padding and rounding up give PyTorch's shapes")
  func shapes() throws {
    func output(_ operation: Operation, _ height: Int, _ width: Int) throws -> Shape {
      try Network(
        name: "one", input: Shape(channels: 2, height: height, width: width),
        layers: [Layer(name: "layer", operation: operation, inputs: ["input"])]
      ).resolved().output
    }
    let convolution = Convolution(
      outputChannels: 5, kernelSize: Extent(height: 3, width: 5), stride: Extent(height: 2, width: 1),
      padding: Extent(height: 1, width: 0), dilation: Extent(height: 1, width: 2))
    #expect(try output(.convolution(convolution), 9, 12) == Shape(channels: 5, height: 5, width: 4))
    #expect(try output(.maxPool(Pool(kernelSize: 3, stride: 2, padding: 1)), 112, 7).dimensions == [2, 56, 4])
    // torch.nn.MaxPool2d(2, 2, ceil_mode=True) on 7 × 8, and the case whose last window would begin in the padding.
    #expect(try output(.maxPool(Pool(kernelSize: 2, roundsUp: true)), 7, 8).dimensions == [2, 4, 4])
    #expect(try output(.averagePool(Pool(kernelSize: 2, stride: 3, padding: 1, roundsUp: true)), 5, 6).height == 2)
    #expect(try output(.adaptiveAveragePool(AdaptivePool(height: 7, width: 7)), 2, 3).dimensions == [2, 7, 7])
    #expect(try output(.flatten, 2, 3).dimensions == [12, 1, 1])
  }

  @Test("The polynomial is exact without rounding, and its gradient is its slope", arguments: representativeNames)
  func polynomial(name: String) throws {
    let resolved = try NetworkZoo.network(named: name).resolved()
    let polynomial = RelaxedCost(resolved)
    let widths = resolved.widthGroups.map { Double($0.width) }
    let macs = Double(resolved.cost.macs)
    // Only a derived width that is not a multiple of four is rounded.
    #expect(abs(polynomial.evaluate(widths) - macs) <= (name.hasPrefix("efficientnet") ? 1e-3 * macs : 0))
    let gradient = polynomial.gradient(widths)
    for group in stride(from: 0, to: widths.count, by: 5) {
      var more = widths
      var less = widths
      more[group] += 1
      less[group] -= 1
      let slope = (polynomial.evaluate(more) - polynomial.evaluate(less)) / 2
      #expect(abs(gradient[group] - slope) <= 1e-6 * slope)
    }
    let named = Dictionary(uniqueKeysWithValues: zip(polynomial.groups, widths))
    #expect(polynomial.evaluate(named) == polynomial.evaluate(widths))
  }

  @Test("DMCP's toy: expected cost of two convolutions")
  func expectedCost() throws {
    let network = Network(
      name: "toy", input: Shape(channels: 3, height: 4, width: 4),
      layers: [
        Layer(
          name: "a", operation: .convolution(Convolution(outputChannels: 8, kernelSize: 3, padding: 1)),
          inputs: ["input"]),
        Layer(
          name: "b", operation: .convolution(Convolution(outputChannels: 8, kernelSize: 3, padding: 1)), inputs: ["a"]),
        Layer(name: "pool", operation: .globalAveragePool, inputs: ["b"]),
        Layer(name: "fc", operation: .linear(Linear(outputFeatures: 1)), inputs: ["pool"]),
      ])
    let polynomial = try RelaxedCost(network)
    #expect(polynomial.products == [.init(coefficient: 144, first: 0, second: 1)])
    #expect(polynomial.linear == [432, 1])
    #expect(abs(polynomial.evaluate([4.88, 4]) - (2108.16 + 2810.88 + 4)) < 1e-9)
  }

  @Test("The closed form finds the factor of MorphNet's expansion")
  func closedForm() throws {
    // Section 3.6: A = 3456, B = 10388, target 23080, counted with two operations for each multiply-accumulate.
    let network = Network(
      name: "toy", input: Shape(channels: 3, height: 8, width: 8),
      layers: [
        Layer(
          name: "conv1", operation: .convolution(Convolution(outputChannels: 4, kernelSize: 3, padding: 1)),
          inputs: ["input"]),
        Layer(
          name: "conv2", operation: .convolution(Convolution(outputChannels: 2, kernelSize: 3, padding: 1)),
          inputs: ["conv1"]),
        Layer(name: "pool", operation: .globalAveragePool, inputs: ["conv2"]),
        Layer(name: "fc", operation: .linear(Linear(outputFeatures: 10)), inputs: ["pool"]),
      ])
    #expect(try network.cost().macs * 2 == 23080)
    let scale = try #require(try RelaxedCost(network).scale(matching: 11540, widths: [3, 1]))
    #expect(abs(scale - 1.486576) < 5e-7)
    #expect(try RelaxedCost(network).scale(matching: 0, widths: [3, 1]) == nil)
  }
}
