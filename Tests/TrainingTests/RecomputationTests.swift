import Networks
import Support
import Testing
import Torch

@testable import Training

/// Activations that are computed again instead of kept: the same step.
@Suite struct RecomputationTests {
  private func batch(_ network: Network, _ count: Int = 8) throws -> (images: Tensor, labels: Tensor) {
    let images = try noise([count, network.input.channels, network.input.height, network.input.width]).contiguous(
      .channelsLast)
    return (images, try Tensor((0..<count).map { Int64($0 * 7 % 4) }))
  }

  /// The logits, the gradients and the running statistics of one step.
  private func step(
    _ network: Network, recomputes: Bool, precision: ScalarType? = nil, scale: Double? = nil, widths: Widths? = nil
  ) throws -> [[Float]] {
    let model = try Model(network, seed: 1)
    if recomputes { model.recomputeActivations() }
    let (images, labels) = try batch(network)
    let generator = try Generator(seed: 3)
    var options = ForwardOptions(
      widths == nil ? .training : .batch, dropout: generator, reusesBuffers: precision == nil)
    var factors: [Tensor] = []
    if let scale {
      // As in a search: leaves, and the factors are computed from them.
      for group in model.plan.resolved.widthGroups {
        let leaf = try Tensor.ones([group.width])
        try leaf.setRequiresGradient(true)
        factors.append(leaf)
        options.channelScales[group.id] = try leaf * scale
      }
    }
    let plan = try widths.map { try ExecutionPlan(model.plan.resolved.network(with: $0)) }
    let logits = try withAutocast(precision, on: .cpu) { try model.forward(images, as: plan, options) }.to(.float32)
    try logits.crossEntropy(labels).backward()
    let gradients = try (model.tensors + factors).map { try #require($0.gradient) }
    // Whoever draws next goes on at the same place.
    let next = try Tensor.normal([4], generator: generator)
    return try ([logits.detached(), next] + gradients + model.statistics.means + model.statistics.variances)
      .map { try $0.floats } + [model.statistics.batchesTracked.map { Float($0) }]
  }

  private static let names = ["resnet20", "mobilenet_v2_cifar", "vgg11_cifar", "efficientnet_b0_cifar"]

  @Test("Logits, gradients, statistics and random numbers are the same to the bit", arguments: names)
  func sameBits(name: String) throws {
    let network = try NetworkZoo.network(named: name, classes: 10).scalingWidth(by: 0.25, divisor: 2)
    #expect(try step(network, recomputes: true) == step(network, recomputes: false))
  }

  @Test("Also in mixed precision, with factors on channels, and narrower")
  func others() throws {
    let network = try NetworkZoo.network(named: "resnet20", classes: 10).scalingWidth(by: 0.5, divisor: 2)
    #expect(
      try step(network, recomputes: true, precision: .bfloat16)
        == step(network, recomputes: false, precision: .bfloat16))
    // A factor on channels of several parts has a derivative that is summed in another order.
    let factors = try network.resolved().widthGroups.count
    let (one, other) = (
      try step(network, recomputes: true, scale: 0.7), try step(network, recomputes: false, scale: 0.7)
    )
    #expect(one.count == other.count)
    #expect(one.prefix(2) == other.prefix(2))
    var unlike = 0
    for (mine, theirs) in zip(one, other) where mine != theirs {
      unlike += 1
      let largest = theirs.map(abs).max() ?? 0
      #expect(zip(mine, theirs).allSatisfy { abs($0 - $1) <= 1e-5 * largest })
    }
    #expect(unlike <= factors)
    let groups = try network.resolved().widthGroups
    let narrow = Widths(Dictionary(uniqueKeysWithValues: groups.map { ($0.id, max(1, $0.width / 2)) }))
    #expect(try step(network, recomputes: true, widths: narrow) == step(network, recomputes: false, widths: narrow))
  }

  @Test("The parts follow each other, leave a last one as it is, and keep less", arguments: names)
  func parts(name: String) throws {
    let plan = try ExecutionPlan(NetworkZoo.network(named: name, classes: 10))
    let parts = plan.recomputedParts
    #expect(parts.count >= 2)
    print(name, parts.map { part in part.computed.count { $0 } }, plan.steps.count)
    #expect(parts.first?.input == -1)
    for (part, next) in zip(parts, parts.dropFirst()) { #expect(part.result == next.input) }
    let elements = plan.steps.map { plan.resolved.layers[$0.layers.upperBound].output.elements }
    var once = [Int](repeating: 0, count: plan.slotCount)
    for part in parts { for slot in once.indices where part.computed[slot] { once[slot] += 1 } }
    #expect(once.allSatisfy { $0 <= 1 })
    #expect(plan.steps.contains { once[$0.result] == 0 })
    func sum(_ isCounted: (ExecutionPlan.Step) -> Bool) -> Int {
      zip(plan.steps, elements).reduce(0) { $0 + (isCounted($1.0) ? $1.1 : 0) }
    }
    let ends = Set(parts.map(\.result))
    let insides =
      parts.map { part in sum { part.computed[$0.result] && $0.result != part.result } } + [
        sum { once[$0.result] == 0 }
      ]
    #expect(sum { ends.contains($0.result) } + insides.max()! < sum { _ in true } / 2)
  }

  @Test("Dropout and stochastic depth draw the same numbers again")
  func draws() throws {
    let network = toyNetwork(dropout: true)
    #expect(try ExecutionPlan(network).recomputedParts.contains { $0.draws })
    #expect(try step(network, recomputes: true) == step(network, recomputes: false))
  }

  @Test("A failure in a part is told, the first time and the second")
  func failures() throws {
    struct Broken: Error {}
    let leaf = try Tensor.ones([3])
    try leaf.setRequiresGradient(true)
    #expect(throws: Broken.self) { try recomputing([leaf], leaves: []) { _, _ in throw Broken() } }
    let result = try recomputing([leaf], leaves: []) { inputs, again in
      if again { throw UsageFailure("not twice") }
      return try inputs[0] * 2
    }
    #expect { try result.sum().backward() } throws: { "\($0)".contains("not twice") }
  }
}
