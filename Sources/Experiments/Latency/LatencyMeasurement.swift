import Foundation
import Networks
import Support

/// How a latency table is made: every form of a network on a grid of channel counts, then whole networks to correct and to check it.
public struct LatencyMeasurement {
  /// The network whose forms are measured.
  public var network: ResolvedNetwork
  /// What channel counts are multiples of.
  public var divisor: Int
  /// How many whole networks at random widths the table is corrected by.
  public var calibrations: Int
  /// How many others it is checked by.
  public var checks: Int
  /// The seed of the random widths.
  public var seed: Int

  /// Channel counts that are measured, relative to a layer's own: dense where searches end, and up to where they start.
  static let parts = [0.125, 0.25, 0.5, 0.75, 1, 1.5, 2]

  /// How often everything is measured: the least of several moments counts, because a machine that is shared has slow ones that last
  /// for seconds.
  static let passes = 3

  /// Describes a measurement.
  public init(_ network: ResolvedNetwork, divisor: Int = 8, calibrations: Int = 8, checks: Int = 20, seed: Int = 0) {
    self.network = network
    self.divisor = divisor
    self.calibrations = calibrations
    self.checks = checks
    self.seed = seed
  }

  /// One form with the channel counts to measure it at.
  struct Plan: Sendable, Equatable {
    var form: LatencyForm
    /// Empty where the form has no channels of its own.
    var inputs: [Int]
    var outputs: [Int]
    var points: Int { max(1, inputs.count) * outputs.count }
  }

  /// What is to be measured, in network order.
  var plans: [Plan] {
    var order: [LatencyForm] = []
    var steps: [LatencyForm: [LatencyStep]] = [:]
    for step in network.latencySteps {
      if steps[step.form] == nil { order.append(step.form) }
      steps[step.form, default: []].append(step)
    }
    return order.map { form in
      let own = steps[form] ?? []
      return Plan(
        form: form, inputs: form.hasOwnChannels ? points(own.map(\.input), form) : [],
        outputs: points(own.map(\.output), form))
    }
  }

  private func points(_ layers: [Int], _ form: LatencyForm) -> [Int] {
    var points: Set<Int> = []
    for index in Set(layers) {
      let segments =
        index < 0
        ? [ChannelSegment(group: nil, channels: network.input.channels)] : network.layers[index].outputSegments
      let channels = segments.reduce(0) { $0 + $1.channels }
      // A squeeze-excite bottleneck has no group, and yet its channels follow one.
      let follows = index >= 0 && isDerived(index)
      guard follows || segments.contains(where: { isFree($0.group) }) else {
        points.insert(channels)
        continue
      }
      let step = follows ? form.step : leastCommonMultiple(form.step, spread(segments) * divisor)
      for part in Self.parts {
        points.insert(max(step, Int((part * Double(channels) / Double(step)).rounded()) * step))
      }
    }
    return points.sorted()
  }

  // Entries for each channel, where feature maps were flattened.
  private func spread(_ segments: [ChannelSegment]) -> Int { segments.map(\.positions).max() ?? 1 }

  private func isFree(_ group: WidthGroup.ID?) -> Bool { group.map { network.widthGroup($0) != nil } ?? false }

  private func isDerived(_ index: Int) -> Bool {
    var index = index
    while index >= 0 {
      switch network.layers[index].layer.operation.definition.channels {
      case .produces(_, let rule): return rule != nil
      case .passes, .filters, .spreads: index = network.layers[index].inputIndices[0]
      case .ties, .joins, .slices, .shuffles, .groups: return false
      }
    }
    return false
  }

  /// Measures.
  ///
  /// - Parameters:
  ///   - clock: What measures.
  ///   - device: The processor's name, for people.
  ///   - told: Told how many of how many points are measured.
  /// - Throws: What the clock throws; `UsageFailure` for a network that holds nothing that takes time.
  public func table(
    by clock: some LatencyClock, device: String, told: (_ done: Int, _ all: Int) -> Void = { _, _ in }
  ) throws -> LatencyTable {
    let plans = plans
    let networks = try randomNetworks(calibrations + checks)
    let points = plans.flatMap { plan in
      (plan.inputs.isEmpty ? [0] : plan.inputs).flatMap { input in
        plan.outputs.map { (form: plan.form, input: input, output: $0) }
      }
    }
    var (call, steps, whole) = (
      Double.infinity, [Double](repeating: .infinity, count: points.count),
      [Double](repeating: .infinity, count: networks.count)
    )
    let all = Self.passes * (points.count + networks.count)
    for pass in 0..<Self.passes {
      let begun = pass * (points.count + networks.count)
      call = min(call, try clock.callSeconds())
      for (index, point) in points.enumerated() {
        let step = try point.form.network(input: point.input, output: point.output)
        steps[index] = min(steps[index], try clock.seconds(ofStep: step))
        told(begun + index + 1, all)
      }
      for (index, network) in networks.enumerated() {
        whole[index] = min(whole[index], try clock.seconds(of: network))
        told(begun + points.count + index + 1, all)
      }
    }
    // Where a step is lost in the noise, it takes next to nothing.
    var rest = steps.map { max(1e-9, $0 - call) }[...]
    let entries = try plans.map { plan in
      let values = (0..<max(1, plan.inputs.count)).map { _ in
        defer { rest = rest.dropFirst(plan.outputs.count) }
        return Array(rest.prefix(plan.outputs.count))
      }
      return LatencyTable.Entry(
        plan.form, try CostGrid(inputs: plan.inputs, outputs: plan.outputs, values: values))
    }
    var table = LatencyTable(
      network: network.name, runtime: clock.runtime, device: device, threads: clock.threads, entries: entries)
    let pairs = zip(networks, whole).map { (predicted: table.seconds(of: $0), measured: $1) }
    table.calibration = Self.calibration(Array(pairs.prefix(calibrations)), steps: network.latencySteps.count)
    if checks > 0 {
      table.check = .init(
        pairs: zip(networks, pairs).dropFirst(calibrations).map { network, pair in
          (predicted: table.seconds(of: network), measured: pair.measured)
        }, macs: networks.dropFirst(calibrations).map(\.cost.macs))
    }
    return table
  }

  /// Networks at random widths, each group between a quarter and one and a half of its own.
  ///
  /// The first of them are also scaled as a whole, so that a correction sees small networks, too.
  func randomNetworks(_ count: Int) throws -> [ResolvedNetwork] {
    try (0..<count).map { index in
      var random = SeededGenerator(seed: seed, .latencyWidths, at: index)
      let common = index < calibrations ? [1, 0.5, 0.25][index % 3] : 1
      var widths: Widths = [:]
      for group in network.widthGroups {
        let part = common * (0.25 + 1.25 * random.nextUnit())
        widths[group.id] = makeDivisible(part * Double(group.width), divisor: group.step(divisor: divisor))
      }
      return try network.with(widths)
    }
  }

  /// The line through (predicted, measured) that is nearest in relative terms, its constant in equal parts on all steps.
  static func calibration(
    _ pairs: [(predicted: Double, measured: Double)], steps: Int
  ) -> LatencyTable.Calibration {
    guard pairs.count > 1, steps > 0 else { return .none }
    // Σ ((a + b·p − m) / m)² is least: a line through (1/m, p/m) → 1.
    var (aa, ab, bb, a1, b1) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for pair in pairs {
      let (x, y) = (1 / pair.measured, pair.predicted / pair.measured)
      aa += x * x
      ab += x * y
      bb += y * y
      a1 += x
      b1 += y
    }
    let determinant = aa * bb - ab * ab
    var constant = determinant > 1e-9 * aa * bb ? (a1 * bb - b1 * ab) / determinant : 0
    var factor = (b1 - constant * ab) / bb
    // Times that fall as more is computed are noise.
    if factor <= 0 { (constant, factor) = (0, b1 / bb) }
    return .init(step: constant / Double(steps), factor: factor, networks: pairs.count)
  }
}
