import Diagnosis
import Networks
import Support
import Torch
import Training

/// Widens one group of a trained model without changing what the model computes. [reconstructed]
///
/// The strongest channels are copied: what computes them and their normalization as they are, and what reads a channel and its copies is shared
/// out among them. A little noise on the copies lets them become different; without it they would stay equal for ever.
public struct ChannelGrowth {
  /// The group.
  public var group: WidthGroup.ID
  /// How many channels are added.
  public var count: Int
  /// The deviation of the noise on what computes a copy, as a part of its root mean square.
  public var noise = 0.01
  /// The seed of the noise.
  public var seed: Int

  /// Describes a growth.
  public init(_ group: WidthGroup.ID, by count: Int, noise: Double = 0.01, seed: Int = 0) {
    self.group = group
    self.count = count
    self.noise = noise
    self.seed = seed
  }

  /// What came of it.
  public struct Outcome {
    /// The wider model.
    public var model: Model
    /// For each of the group's channels now, the channel that it was, or is a copy of. Copies are the last ones.
    public var sources: [Int]
  }

  /// Widens a model.
  ///
  /// - Throws: `UsageFailure` for a group that is not there or cannot be widened by itself, or a count below 1.
  public func applied(to model: Model) throws -> Outcome {
    let network = model.plan.resolved
    guard let own = network.widthGroup(group) else { throw UsageFailure("\(network.name) has no width group \(group)") }
    guard network.mergeableGroups(.all).contains(where: { $0.id == group }) else {
      throw UsageFailure(
        "\(group) cannot be widened by itself: a grouped convolution or a squeeze-excite bottleneck follows its width")
    }
    guard count >= 1 else { throw UsageFailure("a group is widened by 1 channel at least, not \(count)") }
    let copied = try strongest(model, own)
    let sources = Array(0..<own.width) + copied
    var shares = Array(repeating: 0.0, count: own.width)
    for source in sources { shares[source] += 1 }
    let layout = AxisLayout(network)
    var places = try TensorPlaces(model)
    let generator = try Generator(seed: SeededGenerator(seed: seed, .channelGrowth).state)
    try withoutGradients {
      let chosen = try Tensor(sources.map(Int64.init))
      // From the last: where a group stands twice on an axis, what lies before is still where it was.
      for (place, role) in (layout.places[group] ?? []).reversed() {
        var rows = try places.rows(place, layout).selecting(0, chosen)
        switch role {
        case .reader:
          rows = try rows * Tensor(sources.map { 1 / shares[$0] }, shape: [sources.count, 1])
        case .producer where noise > 0:
          let old = try rows.slice(0, 0..<own.width)
          let new = try rows.slice(0, own.width..<sources.count)
          let deviation = try (new * new).mean([1], keepingDimensions: true).sqrt() * noise
          let random = try Tensor.normal(new.shape, deviation: 1, generator: generator).to(.float64)
          rows = try Tensor.concatenate([old, new + random * deviation])
        case .producer, .filter, .number, .filterNumber: break
        }
        try places.replace(place, layout, with: rows)
      }
    }
    let wider = try network.with([group: own.width + count])
    return Outcome(model: try places.model(of: wider, on: model.device), sources: sources)
  }

  /// The channels to copy, those of the largest product of norms first, and again from the first when there are not enough.
  private func strongest(_ model: Model, _ own: WidthGroup) throws -> [Int] {
    let groups = model.plan.resolved.channelGroups.filter { $0.id == own.id }
    let norms = try WeightNormReader(groups).read { try model.tensor(named: $0) }
    let values = norms.first?.values(.product) ?? Array(repeating: 1, count: own.width)
    let order = values.indices.sorted { (values[$0], -$0) > (values[$1], -$1) }
    return (0..<count).map { order[$0 % order.count] }
  }
}
