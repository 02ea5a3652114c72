import Loading
import Networks
import Support
import Testing
import Torch
import Training

@testable import WidthSearch

@Suite struct SupernetTests {
  @Test("A sandwich sums cross-entropy of the widest and distillation of the others")
  func sandwich() throws {
    let supernet = try Supernet(toyNetwork(), seed: 1, device: .cpu)
    let plans = try [["stem": 2, "inner": 3, "out": 3], ["stem": 5, "inner": 12, "out": 4]].map {
      try supernet.plan(Widths($0))
    }
    let batch = Batch(
      images: try .normal([6, 1, 8, 8], generator: Generator(seed: 2)),
      labels: try Tensor([0, 1, 2, 3, 0, 1] as [Int64]), indices: Array(0..<6))
    let loss = try supernet.accumulateSandwich(batch, narrower: plans, labelSmoothing: 0.1)
    let found = try supernet.model.tensors.map { try #require($0.gradient) }
    #expect(!loss.requiresGradient)

    try Tensor.clearGradients(supernet.model.tensors)
    let options = ForwardOptions(.batch)
    let widest = try supernet.model.forward(batch.images, options)
    let expectedLoss = try widest.crossEntropy(batch.labels, labelSmoothing: 0.1)
    let teacher = try widest.detached().softmax()
    var total = expectedLoss
    for plan in plans {
      total = try total + supernet.model.forward(batch.images, as: plan, options).klDivergence(from: teacher)
    }
    try total.backward()
    expectClose(try loss.item(), try expectedLoss.item())
    for (gradient, parameter) in zip(found, supernet.model.parameters) {
      let expected = try #require(parameter.tensor.gradient)
      #expect(try (gradient - expected).abs().max().item() < 1e-5, "\(parameter.name)")
    }
  }

  @Test("Narrower passes cost less, and widths beyond the supernet are refused")
  func costs() throws {
    let supernet = try Supernet(toyNetwork(), seed: 1, device: .cpu)
    let widths = [1, 2, 5, 8].map { ["stem": $0, "inner": $0, "out": $0] }
    let macs = try widths.map { try supernet.plan(Widths($0)).macs }
    #expect(macs == macs.sorted() && Set(macs).count == 4)
    #expect(try macs[3] == supernet.resolved.network(with: Widths(widths[3])).cost().macs)
    #expect(macs[3] < supernet.model.plan.macs)
    let failure = #expect(throws: UsageFailure.self) { try supernet.plan(["stem": 9]) }
    #expect(failure?.message.contains("stem: a sub-network of 9 channels does not fit into one of 8") == true)
  }
}

@Suite struct SearchCostTests {
  @Test("Passes add up, three forward passes each with a backward one")
  func adding() {
    var cost = SearchCost()
    cost.add("widest", images: 32, macs: 1000)
    cost.add("widest", images: 16, macs: 1000)
    cost.add("evaluation", images: 10, macs: 500, factor: 1)
    #expect(cost.flops == 149_000)  // 3 · 48 · 1000 + 10 · 500
    #expect(cost.passes["widest"]?.images == 48)
    #expect(SearchCost().flops == 0)
  }

  @Test("The same search on a larger network and more data costs in proportion")
  func direct() {
    var cost = SearchCost()
    let larger = SearchCost.Scale(supernetMACs: 4000, trainingImages: 500, evaluationImages: 60, widthGroups: 6)
    cost.scale = .init(supernetMACs: 1000, trainingImages: 50, evaluationImages: 20, widthGroups: 3)
    cost.add("widest", images: 50, macs: 1000)
    #expect(cost.flops(at: cost.scale) == cost.flops)
    #expect(cost.flops(at: larger) == cost.flops * 40)
    #expect(SearchCost().flops(at: larger) == 0)
    // Descents grow with the images that they see and twice with the groups: 4 · 3 · 2².
    cost.add("descent", macs: 7000, growth: .descent)
    #expect(cost.flops(at: larger) == 150_000 * 40 + 7000 * 48)
  }
}
