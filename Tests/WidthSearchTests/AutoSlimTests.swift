import ImageFiles
import Loading
import Methods
import Networks
import Testing
import Torch
import Training

@testable import WidthSearch

@Suite struct AutoSlimTests {
  @Test("Candidates are k/G of the channels, rounded to the divisor, each once, the widest always")
  func candidates() {
    #expect(AutoSlimSearch.candidates(channels: 96, groups: 12, divisor: 8) == (1...12).map { 8 * $0 })
    #expect(AutoSlimSearch.candidates(channels: 20, groups: 10, divisor: 1) == (1...10).map { 2 * $0 })
    #expect(AutoSlimSearch.candidates(channels: 24, groups: 10, divisor: 8) == [8, 16, 24])
    #expect(AutoSlimSearch.candidates(channels: 3, groups: 10, divisor: 1) == [1, 2, 3])
    #expect(AutoSlimSearch.candidates(channels: 3, groups: 10, divisor: 8) == [3])
    #expect(AutoSlimSearch.candidates(channels: 50, groups: 1, divisor: 8) == [50])
  }

  private func trials(
    of network: Network, sharesPrefix: Bool
  ) throws -> (WidthTrials, candidates: [(group: Int, widths: [Int])], current: [Int]) {
    let supernet = try Supernet(network, seed: 3, device: .cpu)
    let loader = try BatchLoader(
      source: toyImages, batchSize: 40, resolution: network.input.height, channels: network.input.channels,
      normalization: .grey)
    let current = supernet.resolved.widthGroups.map { max(1, $0.width * 3 / 4) }
    let candidates = current.indices.map { group in
      (group: group, widths: current.enumerated().map { $0 == group ? max(1, $1 / 2) : $1 })
    }
    return (
      try WidthTrials(supernet, loader, sharesPrefix: sharesPrefix), candidates: candidates, current: current
    )
  }

  static let networks: [@Sendable () throws -> Network] = [
    { toyNetwork() },
    {
      try NetworkZoo.network(named: "efficientnet_b0", classes: 4, inputChannels: 1, resolution: 16)
        .scalingWidth(by: 0.2, divisor: 4)
    },
    {
      try NetworkZoo.network(named: "mobilenet_v2_cifar", classes: 4, inputChannels: 1, resolution: 8)
        .scalingWidth(by: 0.2, divisor: 4)
    },
  ]

  @Test("Sharing what lies before a candidate's difference changes no score, to the bit", arguments: networks.indices)
  func sharing(index: Int) throws {
    let network = try Self.networks[index]()
    let (whole, candidates, current) = try trials(of: network, sharesPrefix: false)
    let (shared, _, _) = try trials(of: network, sharesPrefix: true)
    let expected = try whole.scores(of: candidates, from: current)
    let found = try shared.scores(of: candidates, from: current)
    #expect(found.scores == expected.scores)
    #expect(Set(expected.scores.map(\.loss)).count > 1)
    #expect(found.macs < expected.macs)
  }

  @Test("Images of one class each in a folder's order are compared in batches that hold all classes")
  func batches() throws {
    let order = (0..<96).sorted { (toyImages.label(at: $0), $0) < (toyImages.label(at: $1), $1) }
    let sorted = InMemoryImages(
      name: "sorted", size: ImageSize(width: 8, height: 8), channels: 1, classNames: toyImages.classNames,
      labels: order.map(toyImages.label), pixels: order.flatMap { toyImages.image(at: $0).pixels })
    let part = HeldOutPart(fraction: 0.5, images: 42, batchSize: 16)
    let indices = part.indices(of: sorted)
    #expect(indices.count == 40 && Set(indices).count == 40)  // ten of each class: 42 / 4, rounded down
    let loader = try part.loader(indices, of: sorted, resolution: 8, normalization: .grey)
    let stream = loader.epoch(0)
    var sizes: [Int] = []
    while let batch = try stream.next() {
      sizes.append(batch.count)
      let counts = Dictionary(grouping: batch.indices.map(sorted.label), by: { $0 }).mapValues(\.count)
      #expect(counts.count == 4 && counts.values.max()! - counts.values.min()! <= 1, "\(counts)")
    }
    #expect(sizes == [20, 20])
    // More classes than images: as many of them have one.
    let few = HeldOutPart(fraction: 0.5, images: 3, batchSize: 16).indices(of: sorted)
    #expect(few.count == 3 && Set(few.map(sorted.label)).count == 3)
    // A smaller part of the data holds out a part of what a larger one does.
    let whole = HeldOutPart(fraction: 0.5, images: 1000, batchSize: 16)
    #expect(Set(whole.indices(of: sorted, dataFraction: 0.5)).isSubset(of: whole.indices(of: sorted)))
  }

  @Test("A score is what a network of these widths alone gets on the same images")
  func score() throws {
    let (trials, candidates, current) = try self.trials(of: toyNetwork(), sharesPrefix: true)
    let supernet = try Supernet(toyNetwork(), seed: 3, device: .cpu)
    let found = try trials.scores(of: candidates, from: current)
    let groups = supernet.resolved.widthGroups.map(\.id)
    let plan = try supernet.plan(
      Widths(Dictionary(zip(groups, candidates[1].widths), uniquingKeysWith: { first, _ in first })))
    let loader = try BatchLoader(source: toyImages, batchSize: 40, resolution: 8, normalization: .grey)
    var (errors, loss) = (0, 0.0)
    let stream = loader.epoch(0)
    while let batch = try stream.next() {
      let logits = try withoutGradients { try supernet.model.forward(batch.images, as: plan, .init(.batch)) }
      errors += batch.count - (try logits.argmax(1).equal(batch.labels).sum().integerItem())
      loss += try logits.crossEntropy(batch.labels, summed: true).item()
    }
    #expect(found.scores[1].errors == errors)
    expectClose(found.scores[1].loss, loss)
  }

  @Test("The descent's cost counts forward passes of what is computed, once")
  func cost() throws {
    func macs(_ sharesPrefix: Bool) throws -> (Double, SearchCost) {
      var search = ToySearch()
      search.optimizer = AutoSlim(.init(groups: 4, heldOutImages: 16, evaluationBatch: 16, sharesPrefix: sharesPrefix))
      let cost = try search.run().cost
      let passes = try #require(cost.passes["descent"])
      #expect(passes.factor == 1 && passes.growth == .descent)
      return (passes.forwardMACs, cost)
    }
    let (shared, cost) = try macs(true)
    #expect(try shared < macs(false).0)
    #expect(cost.scale.evaluationImages > 0 && cost.scale.widthGroups == 3)
  }

  @Test("With a budget beyond the supernet, the supernet is the result; one out of reach is told")
  func extremes() throws {
    var search = ToySearch()
    search.optimizer = AutoSlim(.init(groups: 3))
    search.budgets = [5, 0.001]
    let results = try search.runAll()
    #expect(results[0].channels == ["stem": 12, "inner": 18, "out": 15] && results[0].warnings.isEmpty)
    #expect(results[1].channels == ["stem": 4, "inner": 6, "out": 5])
    #expect(results[1].warnings.first?.contains("the budget is") == true)
  }
}
