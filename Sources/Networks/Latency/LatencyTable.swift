import Foundation
import Support

/// How long the steps of networks take on one machine, by their form and channel counts: what a latency budget is set by.
///
/// Fewer multiply-accumulates are not always faster: small maps and narrow layers are bound by other things than arithmetic. A
/// table holds each ``LatencyForm`` of a network measured alone on a grid of channel counts; a network's latency is taken for the
/// sum over its steps, corrected by what whole networks took (``Calibration``).
public struct LatencyTable: Sendable, Hashable {
  /// The network whose forms were measured.
  public var network: String
  /// What computed: `libtorch` or `onnxruntime`, with its version.
  public var runtime: String
  /// The processor or other device, for people.
  public var device: String
  /// Threads of one computation.
  public var threads: Int
  /// What was measured, form by form, in seconds for one image.
  public var entries: [Entry]
  /// How whole networks differ from the sum of their steps.
  public var calibration: Calibration
  /// How well the table predicted networks that it was not made from; nil where none was measured.
  public var check: Check?

  /// One form with its times.
  public struct Entry: Sendable, Hashable {
    /// What was measured.
    public var form: LatencyForm
    /// Seconds by channel counts.
    public var seconds: CostGrid

    /// Describes a measurement.
    public init(_ form: LatencyForm, _ seconds: CostGrid) {
      self.form = form
      self.seconds = seconds
    }
  }

  /// A network's latency is the sum over its steps of `step + factor · seconds + weight · parameters`, none below zero.
  public struct Calibration: Codable, Sendable, Hashable {
    /// Seconds that a step takes longer among others than alone, whatever it computes; mostly below zero.
    public var step: Double
    /// How many times as long as alone its computation takes.
    public var factor: Double
    /// Seconds for each learnable number: alone, a step finds its weights in the cache at every call; in a network they come from
    /// memory.
    public var weight: Double
    /// How many whole networks it was fitted to.
    public var networks: Int

    /// Nothing corrected.
    public static let none = Calibration(step: 0, factor: 1, weight: 0, networks: 0)

    /// Describes a correction.
    public init(step: Double, factor: Double, weight: Double, networks: Int) {
      self.step = step
      self.factor = factor
      self.weight = weight
      self.networks = networks
    }
  }

  /// How far predictions were from measurements at random widths.
  public struct Check: Codable, Sendable, Hashable {
    /// How many networks were measured.
    public var networks: Int
    /// The median of |predicted − measured| / measured.
    public var medianError: Double
    /// The largest.
    public var largestError: Double
    /// (predicted, measured) in seconds.
    public var pairs: [[Double]]
    /// The multiply-accumulates of each.
    public var macs: [Int]

    /// Compares pairs of a predicted and a measured time.
    public init(pairs: [(predicted: Double, measured: Double)], macs: [Int]) {
      let errors = pairs.map { abs($0.predicted - $0.measured) / $0.measured }.sorted()
      networks = pairs.count
      let middle = errors.count / 2
      medianError =
        errors.isEmpty ? 0 : errors.count % 2 == 1 ? errors[middle] : (errors[middle - 1] + errors[middle]) / 2
      largestError = errors.last ?? 0
      self.pairs = pairs.map { [$0.predicted, $0.measured] }
      self.macs = macs
    }
  }

  /// Describes a table.
  public init(
    network: String, runtime: String, device: String, threads: Int, entries: [Entry],
    calibration: Calibration = .none, check: Check? = nil
  ) {
    self.network = network
    self.runtime = runtime
    self.device = device
    self.threads = threads
    self.entries = entries
    self.calibration = calibration
    self.check = check
  }

  /// A short name of what the table says: equal for tables of the same times.
  public var identity: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a: tells tables apart, where nobody forges them.
    for byte in (try? encoder.encode(Said(forms: entries, calibration: calibration))) ?? Data() {
      hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }
    return String(hash, radix: 16)
  }

  // What predictions follow from.
  private struct Said: Encodable {
    var forms: [Entry]
    var calibration: Calibration
  }

  /// The times of a form; of one that was measured on maps of another size, the nearest, in proportion to the positions.
  ///
  /// A network that is projected to another resolution has the forms of the whole one on other sizes, and what counts there is the
  /// part of its latency that a layer has.
  func seconds(of form: LatencyForm) -> CostGrid? {
    let alike = entries.filter { $0.form.operations == form.operations }
    func distance(_ entry: Entry) -> Double { abs(log(Double(entry.form.positions) / Double(form.positions))) }
    guard let nearest = alike.min(by: { distance($0) < distance($1) }) else { return nil }
    if nearest.form == form { return nearest.seconds }
    return nearest.seconds.scaled(by: Double(form.positions) / Double(nearest.form.positions))
  }

  /// The times of a form among others.
  func corrected(_ form: LatencyForm) -> CostGrid? {
    seconds(of: form)?.scaled(by: calibration.factor).adding { input, output in
      calibration.step + calibration.weight * form.parameters(input: input, output: output)
    }
  }

  /// Makes sure that every step of a network was measured, at its own size and with its channels where no width changes them.
  ///
  /// - Throws: ``Support/UsageFailure`` that names the first layer that was not.
  public func requireForms(of network: ResolvedNetwork) throws {
    let known = Dictionary(entries.map { ($0.form, $0.seconds) }, uniquingKeysWith: { first, _ in first })
    for step in network.latencySteps {
      let layer = network.layers[step.layers[0]].layer.name
      guard let grid = known[step.form] else {
        throw other(network, "it has no \(step.form.words), which \(layer) needs")
      }
      if step.input < 0, step.form.hasOwnChannels, !grid.inputs.contains(network.input.channels) {
        throw other(
          network, "\(layer) was not measured for images of \(Format.number(network.input.channels, "channel"))")
      }
      let output = network.layers[step.output]
      let isFree = output.outputSegments.contains { $0.group.map { network.widthGroup($0) != nil } ?? false }
      if !isFree, grid.outputs.count == 1, grid.outputs[0] != output.output.channels {
        throw other(
          network, "\(layer) was measured with \(grid.outputs[0]) output channels, not \(output.output.channels)")
      }
    }
  }

  private func other(_ network: ResolvedNetwork, _ reason: String) -> UsageFailure {
    let (input, classes) = (network.input, network.layers.last?.output.channels ?? 0)
    return UsageFailure(
      "the latency table is one of another network, \(self.network): \(reason). Measure this one: width-transfer latency measure "
        + "with this network and --resolution \(input.height) --input-channels \(input.channels) --classes \(classes)"
    )
  }

  /// What each step of a network is predicted to take, in seconds, by the position of its first layer.
  public func secondsByLayer(of network: ResolvedNetwork) -> [Int: Double] {
    func channels(_ index: Int) -> Double {
      Double(index < 0 ? network.input.channels : network.layers[index].output.channels)
    }
    return network.latencySteps.reduce(into: [:]) { times, step in
      guard let grid = corrected(step.form) else { return }
      times[step.layers[0]] = grid.reading(input: channels(step.input), output: channels(step.output)).value
    }
  }

  /// What a network is predicted to take for one image, in seconds.
  public func seconds(of network: ResolvedNetwork) -> Double { Double(CostModel.latency(self).count(network)) / 1e9 }
}

extension LatencyTable: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case network, runtime, device, threads, forms, calibration, check
  }

  /// Reads a table.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(withOnly: CodingKeys.self, of: "a latency table")
    self.init(
      network: try values.decode(String.self, forKey: .network),
      runtime: try values.decode(String.self, forKey: .runtime),
      device: try values.decode(String.self, forKey: .device), threads: try values.decode(Int.self, forKey: .threads),
      entries: try values.decode([Entry].self, forKey: .forms),
      calibration: try values.decodeIfPresent(Calibration.self, forKey: .calibration) ?? .none,
      check: try values.decodeIfPresent(Check.self, forKey: .check))
    guard calibration.step.isFinite, calibration.weight.isFinite, calibration.factor.isFinite, calibration.factor > 0
    else {
      throw DecodingError.dataCorruptedError(
        forKey: .calibration, in: values, debugDescription: "the factor is positive")
    }
    guard Set(entries.map(\.form)).count == entries.count else {
      throw DecodingError.dataCorruptedError(
        forKey: .forms, in: values, debugDescription: "one form is there twice")
    }
  }

  /// Writes the table.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(network, forKey: .network)
    try values.encode(runtime, forKey: .runtime)
    try values.encode(device, forKey: .device)
    try values.encode(threads, forKey: .threads)
    try values.encode(entries, forKey: .forms)
    try values.encode(calibration, forKey: .calibration)
    try values.encodeIfPresent(check, forKey: .check)
  }
}

extension LatencyTable.Entry: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable { case form, inputs, outputs, seconds }

  /// Reads a measurement.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(withOnly: CodingKeys.self, of: "a measured form")
    form = try values.decode(LatencyForm.self, forKey: .form)
    do {
      seconds = try CostGrid(
        inputs: try values.decodeIfPresent([Int].self, forKey: .inputs) ?? [],
        outputs: try values.decode([Int].self, forKey: .outputs),
        values: try values.decode([[Double]].self, forKey: .seconds))
    } catch let failure as UsageFailure {
      throw DecodingError.dataCorruptedError(forKey: .seconds, in: values, debugDescription: failure.message)
    }
    guard seconds.inputs.isEmpty != form.hasOwnChannels else {
      throw DecodingError.dataCorruptedError(
        forKey: .inputs, in: values,
        debugDescription: form.hasOwnChannels
          ? "this form is measured by input channels too" : "this form has as many output channels as input channels")
    }
  }

  /// Writes the measurement.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(form, forKey: .form)
    if !seconds.inputs.isEmpty { try values.encode(seconds.inputs, forKey: .inputs) }
    try values.encode(seconds.outputs, forKey: .outputs)
    try values.encode(seconds.values, forKey: .seconds)
  }
}
