import Diagnosis
import Foundation
import Networks
import Testing

@Suite struct WidthAdaptationTests {
  private let epochs = 150
  private let network: ResolvedNetwork

  init() throws { network = try NetworkZoo.resolved(named: "vgg16_cifar", classes: 10) }

  /// Carries a training out on curves by group number; the others rise and stay, so that they are wide enough.
  private func train(
    _ curves: [Int: [Double]], rules: AdaptationRules = AdaptationRules(), copies: Bool = false
  ) throws -> (changes: [(epoch: Int, change: WidthChange)], widths: Widths) {
    var adaptation = WidthAdaptation(network, epochs: epochs, rules)
    var current = network
    var all: [(Int, WidthChange)] = []
    for epoch in 0..<epochs {
      var samples: [WidthGroup.ID: Double] = [:]
      for (index, group) in network.widthGroups.enumerated() { samples[group.id] = (curves[index] ?? Curve.a)[epoch] }
      if copies {
        adaptation = try JSONDecoder().decode(WidthAdaptation.self, from: JSONEncoder().encode(adaptation))
      }
      let changes = try adaptation.observe(samples, epoch: epoch, learningRate: 0.1, of: current)
      current = try current.with(adaptation.widths)
      for change in changes { all.append((epoch, change)) }
      let ratio = Double(current.cost.macs) / Double(network.cost.macs)
      #expect(abs(ratio - 1) <= rules.largestDrift, "epoch \(epoch)")
    }
    #expect(current.widths == adaptation.widths)
    return (all, adaptation.widths)
  }

  @Test("Too narrow groups grow, wide ones shrink, within the budget, and each rests after a change")
  func grows() throws {
    let narrow = [1: Curve.c, 4: Curve.c]
    let (changes, widths) = try train(narrow)
    let ids = network.widthGroups.map(\.id)
    #expect((widths[ids[1]] ?? 0) > 64 && (widths[ids[4]] ?? 0) > 256)
    #expect(changes.contains { $0.change.pattern == .increaseToSaturate })
    for (epoch, change) in changes {
      #expect((change.new > change.old) == (change.pattern == .decreaseToSaturate))
      #expect((change.new - change.old) % 8 == 0 && change.new >= 8)
      #expect(Double(epoch) <= 0.7 * Double(epochs))
      #expect(change.pattern == .decreaseToSaturate ? narrow[ids.firstIndex(of: change.group) ?? -1] != nil : true)
    }
    for id in ids {
      let own = changes.filter { $0.change.group == id }.map(\.epoch)
      #expect(zip(own, own.dropFirst()).allSatisfy { $1 - $0 >= 10 }, "\(id)")
    }
    // What a checkpoint keeps decides the same.
    let again = try train(narrow, copies: true)
    #expect(again.widths == widths && again.changes.map(\.epoch) == changes.map(\.epoch))
  }

  @Test("Without room in the budget nothing is done, and a group that shrinks at once makes room for one that grows")
  func budget() throws {
    var tight = AdaptationRules()
    tight.largestDrift = 0
    #expect(try train([1: Curve.c], rules: tight).changes.isEmpty)
    // An eighth of the second layer is more than 1 % of all; no group is that small a part that it fits alone.
    tight.largestDrift = 0.012
    let (changes, _) = try train([1: Curve.c], rules: tight)
    let growth = changes.firstIndex { $0.change.pattern == .decreaseToSaturate }
    #expect(growth != nil)
  }

  @Test("Curves that move little, and samples that are missing, change nothing")
  func undecided() throws {
    let still = Curve.curve { 0.05 + 0.001 * sin($0 / 5) }
    let all = Dictionary(uniqueKeysWithValues: network.widthGroups.indices.map { ($0, still) })
    #expect(try train(all).changes.isEmpty)
    var adaptation = WidthAdaptation(network, epochs: epochs)
    for epoch in 0..<epochs {
      #expect(try adaptation.observe([:], epoch: epoch, learningRate: nil, of: network).isEmpty)
    }
  }
}
