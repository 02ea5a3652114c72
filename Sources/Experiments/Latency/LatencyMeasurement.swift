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
  public init(_ network: ResolvedNetwork, divisor: Int = 8, calibrations: Int = 12, checks: Int = 20, seed: Int = 0) {
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
      let follows = index >= 0 && network.derivation(of: index) != nil
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
    table.calibration = Self.calibration(
      zip(pairs, networks).prefix(calibrations).map { ($0.0.predicted, Double($0.1.cost.parameters), $0.0.measured) },
      steps: network.latencySteps.count)
    if checks > 0 {
      table.check = .init(
        pairs: zip(networks, pairs).dropFirst(calibrations).map { network, pair in
          (predicted: table.seconds(of: network), measured: pair.measured)
        }, macs: networks.dropFirst(calibrations).map(\.cost.macs))
    }
    return table
  }

  /// Networks at random widths, each group between a half and one and a half of its own, and up to 1.6 times that towards one end.
  ///
  /// The first of them are also scaled as a whole, so that a correction sees small networks, too.
  func randomNetworks(_ count: Int) throws -> [ResolvedNetwork] {
    try (0..<count).map { index in
      var random = SeededGenerator(seed: seed, .latencyWidths, at: index)
      let common = index < calibrations ? [1, 0.5, 0.25][index % 3] : 1
      // From one end of the network to the other, as searches move channels.
      let tilt = 1.2 * random.nextUnit() - 0.6
      var widths: Widths = [:]
      for (place, group) in network.widthGroups.enumerated() {
        let depth = Double(place) / Double(max(1, network.widthGroups.count - 1))
        let part = common * (1 + tilt * (1 - 2 * depth)) * (0.5 + random.nextUnit())
        widths[group.id] = makeDivisible(part * Double(group.width), divisor: group.step(divisor: divisor))
      }
      return try network.with(widths)
    }
  }

  /// The plane through (time of the steps, parameters) → measured that is nearest in relative terms, its constant in equal parts on all
  /// steps.
  static func calibration(
    _ networks: [(predicted: Double, parameters: Double, measured: Double)], steps: Int
  ) -> LatencyTable.Calibration {
    guard networks.count > 3, steps > 0 else { return .none }
    // Σ ((a·n + b·p + c·w − m) / m)² is least.
    let rows = networks.map { [Double(steps) / $0.measured, $0.predicted / $0.measured, $0.parameters / $0.measured] }
    // Terms that make times fall as more is computed or read are noise, and are left out.
    for terms in [[0, 1, 2], [0, 1], [1]] {
      guard let found = leastSquares(rows.map { row in terms.map { row[$0] } }) else { continue }
      let values = Dictionary(uniqueKeysWithValues: zip(terms, found))
      guard values[1, default: 0] > 0, values[2, default: 0] >= 0 else { continue }
      return .init(
        step: values[0] ?? 0, factor: values[1] ?? 1, weight: values[2] ?? 0, networks: networks.count)
    }
    return .none
  }

  /// The factors with which rows come nearest to 1, by the normal equations of columns that are scaled alike.
  private static func leastSquares(_ rows: [[Double]]) -> [Double]? {
    let count = rows[0].count
    let scales = (0..<count).map { column in rows.reduce(0) { $0 + $1[column] * $1[column] }.squareRoot() }
    guard scales.allSatisfy({ $0 > 0 }) else { return nil }
    let scaled = rows.map { row in zip(row, scales).map { $0 / $1 } }
    var matrix = (0..<count).map { i in
      (0..<count).map { j in scaled.reduce(0) { $0 + $1[i] * $1[j] } } + [scaled.reduce(0) { $0 + $1[i] }]
    }
    for pivot in 0..<count {
      guard matrix[pivot][pivot] > 1e-9 else { return nil }
      for row in 0..<count where row != pivot {
        let part = matrix[row][pivot] / matrix[pivot][pivot]
        for column in pivot...count { matrix[row][column] -= part * matrix[pivot][column] }
      }
    }
    return (0..<count).map { matrix[$0][count] / matrix[$0][$0] / scales[$0] }
  }
}
