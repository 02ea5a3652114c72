import Foundation
import Methods
import Networks
import Records
import Support
import Testing
import Training

@testable import WidthSearch

/// What all search methods promise.
@Suite struct MethodTests {
  static let searches = ["dmcp", "autoslim", "morphnet", "network-slimming"]

  private func search(
    _ name: String, seed: Int = 0, budgets: [Double] = [1], rounds: Int = 2
  ) throws -> ToySearch {
    var search = ToySearch(seed: seed)
    let settings = name == "morphnet" ? ["kappa": "10", "rounds": "\(rounds)"] : [:]
    search.optimizer = try WidthOptimizers.named(name, settings: settings).searching()
    search.recipe.normWeightDecay = 0
    search.budgets = budgets
    return search
  }

  @Test("The same seed gives the same search to the last bit, another seed another", arguments: searches)
  func seeds(name: String) throws {
    let first = try search(name).run()
    expectEqual(try search(name).run(), first)
    let cost = try search(name, seed: 1).run().cost
    #expect(cost.flops > 0 && cost.seconds > 0)
    #expect(Set(first.channels.keys) == ["stem", "inner", "out"])
    #expect(first.channels.values.allSatisfy { $0 >= 1 })
    #expect(!first.history.isEmpty && first.history.allSatisfy { $0.widths.count == 3 && $0.macs > 0 })
    #expect(zip(first.history, first.history.dropFirst()).allSatisfy { $0.step < $1.step })
  }

  @Test(
    "A search that is interrupted anywhere and resumed equals an uninterrupted one", arguments: searches,
    [1, 3, 5, 6, 9, 14])
  func resume(name: String, stop: Int) throws {
    let expected = try search(name).run()
    let folder = try TemporaryFolder()
    do {
      _ = try search(name).run(folder, interruptedAt: stop)
      // The shortest of these searches have six steps.
      if stop <= 5 { Issue.record("\(name) was not interrupted") }
    } catch let interrupted as Interrupted {
      #expect(interrupted.exitCode == .interrupted && interrupted.message.contains("search step"))
      let events = Recorder()
      expectEqual(try search(name).run(folder, events: events), expected)
      #expect(events.events.contains { if case .resume = $0 { true } else { false } })
    }
    // Going on from the last checkpoint is the end at once.
    expectEqual(try search(name).run(folder), expected)
  }

  @Test("One search serves several budgets and finds for each what it finds alone", arguments: searches)
  func budgets(name: String) throws {
    let both = try search(name, budgets: [1, 0.6], rounds: 1)
    guard try WidthOptimizers.named(name).servesSeveralBudgets else {
      #expect(throws: UsageFailure.self) { try both.runAll() }
      return
    }
    let results = try both.runAll()
    let macs = try toyNetwork().cost().macs
    #expect(results.map(\.target) == [macs, Int((0.6 * Double(macs)).rounded())])
    #expect(results[1].macs < results[0].macs)
    #expect(results[1].cost.flops >= results[0].cost.flops)
    for (budget, result) in zip([1, 0.6], results) {
      let alone = try search(name, budgets: [budget], rounds: 1).run()
      #expect(alone.channels == result.channels && alone.macs == result.macs && alone.cost.passes == result.cost.passes)
    }
  }

  @Test("Networks of other families' parts are searched too: hard swish, its gate, sums of three", arguments: searches)
  func parts(name: String) throws {
    func block(_ layer: String, _ channels: Int, _ function: Activation, dilation: Extent = 1, from input: String)
      -> [Layer]
    {
      [
        Layer(
          name: layer,
          operation: .convolution(
            Convolution(outputChannels: channels, kernelSize: 3, padding: dilation, dilation: dilation)),
          inputs: [input]),
        Layer(name: "\(layer).bn", operation: .batchNorm(BatchNorm()), inputs: [layer]),
        Layer(name: "\(layer).act", operation: .activation(function), inputs: ["\(layer).bn"]),
      ]
    }
    var layers = block("stem", 8, .hardSwish, from: "input") + block("a", 8, .leakyRelu, from: "stem.act")
    layers += block("b", 8, .gelu, dilation: 2, from: "stem.act")
    layers += [
      Layer(name: "sum", operation: .add, inputs: ["stem.act", "a.act", "b.act"]),
      Layer(name: "gate", operation: .activation(.hardSigmoid), inputs: ["sum"]),
      Layer(name: "gated", operation: .multiply, inputs: ["sum", "gate"]),
      Layer(name: "pool", operation: .globalAveragePool, inputs: ["gated"]),
      Layer(name: "flatten", operation: .flatten, inputs: ["pool"]),
      Layer(name: "fc", operation: .linear(Linear(outputFeatures: 4)), inputs: ["flatten"]),
    ]
    var search = try search(name)
    search.network = Network(name: "parts", input: Shape(channels: 1, height: 8, width: 8), layers: layers)
    let result = try search.run()
    // One group: the three are tied by their sum.
    #expect(result.channels.count == 1 && result.channels.values.allSatisfy { $0 >= 1 })
  }

  @Test(
    "What is found costs the budget after matching, for budgets large and small, and no group vanishes",
    arguments: searches)
  func budget(name: String) throws {
    for part in [0.02, 0.3, 1.0, 1.4] {
      let result = try search(name, budgets: [part]).run()
      #expect(result.channels.values.allSatisfy { $0 > 0 && $0.isFinite })
      let network = toyNetwork()
      let match = try network.matching(
        macs: result.target, multipliers: PerGroup(result.multipliers(of: network)), divisor: 1)
      // Below one channel a group there is nothing: the nearest that can be reached.
      if part < 0.05 { #expect(match.widths.values.values.allSatisfy { $0 == 1 }) }
      if part > 0.05 { #expect(abs(match.relativeError) <= 0.03, "\(part): \(match.relativeError)") }
    }
  }

  @Test("A diverging search ends with an error and saves nothing that is not finite", arguments: searches)
  func divergence(name: String) throws {
    let folder = try TemporaryFolder()
    var diverging = try search(name)
    diverging.recipe.learningRate = 1e30
    let failure = #expect(throws: TrainingFailure.self) { try diverging.run(folder) }
    #expect(failure?.exitCode == .badData)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test("float16 is refused, and networks that the method cannot act on, by the layer's name", arguments: searches)
  func refusals(name: String) throws {
    func message(_ change: (inout ToySearch) -> Void) throws -> String {
      var search = try search(name)
      change(&search)
      let failure = #expect(throws: UsageFailure.self) { try search.run() }
      return failure?.message ?? ""
    }
    #expect(try message { $0.recipe.precision = .float16 }.contains("float32 or bfloat16"))
    let plain = Network(
      name: "plain", input: Shape(channels: 1, height: 8, width: 8),
      layers: [
        Layer(name: "conv", operation: .convolution(Convolution(outputChannels: 8, kernelSize: 3)), inputs: ["input"]),
        Layer(name: "pool", operation: .globalAveragePool, inputs: ["conv"]),
        Layer(name: "fc", operation: .linear(Linear(outputFeatures: 4)), inputs: ["pool"]),
      ])
    if ["autoslim", "dmcp"].contains(name) {
      var search = try search(name)
      search.network = plain
      #expect(try search.run().channels.keys.sorted() == ["conv"])
    } else {
      #expect(try message { $0.network = plain }.contains("the channels of conv: no batch normalization"))
    }
    var flat = plain
    flat.layers = [
      Layer(name: "pool", operation: .globalAveragePool, inputs: ["input"]),
      Layer(name: "fc", operation: .linear(Linear(outputFeatures: 4)), inputs: ["pool"]),
    ]
    #expect(throws: UsageFailure.self) {
      var search = try search(name)
      search.network = flat
      _ = try search.run()
    }
  }

  @Test("A search tells its stages, its widths and its budget", arguments: searches)
  func events(name: String) throws {
    let events = Recorder()
    let result = try search(name).run(events: events)
    let told = events.events.compactMap { event -> RunEvent.Search? in
      if case .search(let payload) = event { payload } else { nil }
    }
    #expect(told.last.map { $0.targetMACs == Double(result.target) && $0.loss.isFinite } == true)
    #expect(told.allSatisfy { !$0.stage.isEmpty && $0.step <= $0.totalSteps })
  }
}
