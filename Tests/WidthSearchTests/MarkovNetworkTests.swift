import Foundation
import Methods
import Networks
import Support
import Testing
import Torch
import Training

@testable import WidthSearch

@Suite struct MarkovNetworkTests {
  private func chains(_ settings: DMCPSettings = .init(), target: Double? = nil) throws -> MarkovNetwork {
    let wide = try toyNetwork().scalingWidth(by: settings.range.maximum, divisor: 1)
    return try MarkovNetwork(
      wide.resolved(), settings: settings, target: target ?? Double(toyNetwork().cost().macs))
  }

  // Worked by hand: a 3×3 convolution from 3 channels at 4×4 into E[c] = 4.88, the next into E[c] = 4.
  @Test("The expected cost is the product of expectations")
  func expectedMACs() throws {
    func conv(_ name: String, from input: String) -> Layer {
      Layer(
        name: name, operation: .convolution(Convolution(outputChannels: 8, kernelSize: 3, padding: 1)),
        inputs: [input])
    }
    let network = Network(
      name: "two", input: Shape(channels: 3, height: 4, width: 4),
      layers: [
        conv("a", from: "input"), conv("b", from: "a"),
        Layer(name: "pool", operation: .globalAveragePool, inputs: ["b"]),
        Layer(name: "fc", operation: .linear(Linear(outputFeatures: 10)), inputs: ["pool"]),
      ])
    let polynomial = try RelaxedCost(network)
    #expect(polynomial.groups == ["a", "b"])
    expectClose(polynomial.evaluate([4.88, 4]), 2108.16 + 2810.88 + 40)
    expectClose(polynomial.evaluate([4.88, 0]), 2108.16)
    // Product rule: 9·16·(3 + E_b) and 9·16·E_a + 10.
    expectClose(polynomial.gradient([4.88, 4])[0], 144 * 7)
    expectClose(polynomial.gradient([4.88, 4])[1], 144 * 4.88 + 10)
  }

  @Test(
    "The chains start as the uniformly scaled network on the budget, each with one α",
    arguments: MarkovWidth.Parametrisation.allCases)
  func startOnBudget(parametrisation: MarkovWidth.Parametrisation) throws {
    let chains = try chains(DMCPSettings(parametrisation: parametrisation))
    expectClose(chains.expectedMACs, Double(try toyNetwork().cost().macs), tolerance: 1e-6)
    let widths = try toyNetwork().widths
    for (group, chain) in zip(chains.groups, chains.chains) {
      #expect(Set(chain.alphas).count == 1)
      expectClose(chain.expectation, Double(try #require(widths[group])), tolerance: 1e-6)
    }
  }

  @Test(
    "Rounding gives no group a start: supernets reach as far for all, and chains begin at the widths that are searched",
    arguments: [("mobilenet_v2", 0.707), ("mobilenet_v2", 1), ("resnet20", 0.354), ("resnet20", 0.5)])
  func rounding(name: String, factor: Double) throws {
    // A projection remembers what its widths were before they were rounded, and its own are those that multipliers are of.
    let source = try NetworkZoo.network(named: name, classes: 10).scalingWidth(by: factor).resolved()
    let widest = try DMCP().widestNetwork(for: source, divisor: 8)
    for group in source.widthGroups where !group.role.hasPrefix("hidden") {
      #expect(
        try #require(widest.widths[group.id]) == makeDivisible(1.5 * Double(group.width), divisor: 8), "\(group.id)")
    }
    for method in [AutoSlim(.init(width: 1.5)), NetworkSlimming(.init(width: 1.5))] as [any WidthOptimizer] {
      #expect(try method.widestNetwork(for: source, divisor: 8).widths == widest.widths)
    }
    let chains = MarkovNetwork(
      widest, settings: DMCPSettings(), target: Double(source.cost.macs), from: source.widths)
    for (group, chain) in zip(chains.groups, chains.chains) {
      expectClose(chain.expectation / Double(try #require(source.widths[group])), 1, tolerance: 1e-6)
    }
  }

  @Test("α = 0 when asked for, and the ends of the range for a budget out of reach")
  func otherStarts() throws {
    let zero = try chains(DMCPSettings(start: .zero))
    #expect(zero.alphas.allSatisfy { $0.allSatisfy { $0 == 0 } })
    let all = try chains(target: 1e12)
    let wide = try toyNetwork().scalingWidth(by: 1.5, divisor: 1)
    expectClose(all.expectedMACs, Double(try wide.cost().macs), tolerance: 0.02)
    let none = try chains(target: 1)
    expectClose(none.expectedMACs, Double(try wide.with(none.narrowest).cost().macs), tolerance: 0.02)
  }

  @Test(
    "A step follows the derivative of task and budget loss, by finite differences",
    arguments: MarkovWidth.Parametrisation.allCases, [-0.7, 0.7])
  func gradient(parametrisation: MarkovWidth.Parametrisation, shift: Double) throws {
    let settings = DMCPSettings(parametrisation: parametrisation)
    let target = Double(try toyNetwork().cost().macs)
    var chains = try chains(settings)
    var random = SeededGenerator(seed: 5)
    let least = parametrisation == .exponential ? 0.01 : -.infinity
    chains.alphas = chains.alphas.map { $0.map { max(least, $0 + shift) + 0.1 * random.nextUnit() } }
    let slopes = chains.chains.flatMap { $0.channelFactors.map { _ in Float(random.nextUnit() - 0.5) } }
    func loss(_ alphas: [[Double]]) -> Double {
      var moved = chains
      moved.alphas = alphas
      var start = 0
      var task = 0.0
      for chain in moved.chains {
        var position = start + chain.grid.fixed
        for (size, marginal) in zip(chain.grid.groups, chain.marginals) {
          task += marginal * slopes[position..<position + size].reduce(0) { $0 + Double($1) }
          position += size
        }
        start += chain.grid.channels
      }
      return task + 0.1 * BudgetLoss.relative.value(moved.expectedMACs * 100 / target)
    }
    let relative = chains.expectedMACs / target
    #expect(relative < 0.95 || relative > 1)  // outside of the band, where the budget has a say
    var stepped = chains
    var velocities = chains.alphas.map { $0.map { _ in 0.0 } }
    stepped.descend(
      channelGradients: slopes, velocities: &velocities, learningRate: 1e-3, momentum: 0, budgetWeight: 0.1)
    for index in chains.alphas.indices {
      for k in chains.alphas[index].indices {
        var (above, below) = (chains.alphas, chains.alphas)
        above[index][k] += 1e-5
        below[index][k] -= 1e-5
        let numeric = (loss(above) - loss(below)) / 2e-5
        expectClose((chains.alphas[index][k] - stepped.alphas[index][k]) / 1e-3, numeric, tolerance: 1e-6)
        expectClose(velocities[index][k], numeric, tolerance: 1e-6)
      }
    }
  }

  @Test("Nesterov's momentum is that of torch.optim.SGD")
  func momentum() throws {
    var chains = try chains(target: 1)
    let alpha = chains.alphas[0][0]
    let zeros = chains.chains.flatMap { $0.channelFactors.map { _ in Float(0) } }
    var velocities = chains.alphas.map { $0.map { _ in 1.0 } }
    // No gradient at all: v = 0.9, step = lr · 0.9 · v.
    chains.descend(
      channelGradients: zeros, velocities: &velocities, learningRate: 0.5, momentum: 0.9, budgetWeight: 0)
    expectClose(velocities[0][0], 0.9)
    expectClose(chains.alphas[0][0], alpha - 0.5 * 0.9 * 0.9)
  }

  @Test(
    "Without a task the budget alone pulls the cost into its band, from both sides, and it stays",
    arguments: [-2.0, 2.5])
  func budgetPull(start: Double) throws {
    var chains = try chains()
    chains.alphas = chains.alphas.map { $0.map { _ in start } }
    let target = Double(try toyNetwork().cost().macs)
    let zeros = chains.chains.flatMap { $0.channelFactors.map { _ in Float(0) } }
    var velocities = chains.alphas.map { $0.map { _ in 0.0 } }
    #expect(!(0.95...1).contains(chains.expectedMACs / target))
    for step in 0..<4000 {
      chains.descend(
        channelGradients: zeros, velocities: &velocities, learningRate: 0.5, momentum: 0.9, budgetWeight: 0.1)
      if step >= 3000 { #expect((0.95..<1).contains(chains.expectedMACs / target), "\(step)") }
    }
  }

  @Test("Draws lie on the grid; the uniform ones reach all of it")
  func draws() throws {
    let chains = try chains()
    var random = SeededGenerator(seed: 3)
    var seen: [String: Set<Int>] = [:]
    for _ in 0..<500 {
      let direct = chains.directDraw(&random)
      let uniform = chains.uniformDraw(&random)
      for (group, chain) in zip(chains.groups, chains.chains) {
        #expect(chain.grid.boundaries.contains(try #require(direct[group])))
        seen[group, default: []].insert(try #require(uniform[group]))
      }
    }
    for (group, chain) in zip(chains.groups, chains.chains) { #expect(seen[group] == Set(chain.grid.boundaries)) }
  }

  @Test("Masked with all p = 1 the network is the widest, with all p = 0 the narrowest")
  func maskedForward() throws {
    var chains = try chains()
    let supernet = try Supernet(toyNetwork().scalingWidth(by: 1.5, divisor: 1), seed: 1, device: .cpu)
    let images = try Tensor.normal([6, 1, 8, 8], generator: Generator(seed: 2))
    func masked(_ alpha: Double) throws -> Tensor {
      chains.alphas = chains.alphas.map { $0.map { _ in alpha } }
      let scales = try Dictionary(
        uniqueKeysWithValues: zip(chains.groups, chains.chains).map { ($0, try Tensor($1.channelFactors)) })
      return try supernet.model.forward(images, ForwardOptions(.batch, channelScales: scales))
    }
    let widest = try supernet.model.forward(images, ForwardOptions(.batch))
    #expect(try masked(1000).array(Float.self) == widest.array(Float.self))
    let narrowest = try supernet.model.forward(images, as: supernet.plan(chains.narrowest), ForwardOptions(.batch))
    #expect(try masked(-1000).relativeDistance(to: narrowest) < 1e-5)
    #expect(try masked(0).relativeDistance(to: widest) > 1e-2)
  }
}
