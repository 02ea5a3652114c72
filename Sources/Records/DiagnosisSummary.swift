import Diagnosis
import Foundation
import Networks
import Support

/// What a diagnosis says of every width group of a network: what `diagnose --json` prints, and `diagnosis.json` holds.
public struct DiagnosisSummary: Codable, Sendable {
  /// One training that was diagnosed.
  public struct Source: Codable, Sendable, Hashable {
    /// Its folder, or the pattern of its checkpoints' names.
    public var path: String
    /// Its seed, where known.
    public var seed: Int?
    /// The epochs that were sampled.
    public var epochs: [Int]

    /// Describes a source.
    public init(path: String, seed: Int? = nil, epochs: [Int]) {
      self.path = path
      self.seed = seed
      self.epochs = epochs
    }
  }

  /// What is said of one group.
  public struct Group: Codable, Sendable {
    /// The group.
    public var id: WidthGroup.ID
    /// The numbers of its layers as figures have them.
    public var numbers: [Int]
    /// The layers that put out its channels.
    public var layers: [String]
    /// Its channels.
    public var width: Int
    /// The pattern over all sources.
    public var pattern: WidthPattern
    /// `wide enough`, `too narrow` or `undecided`.
    public var verdict: String
    /// Why, in plain words, of the first source that has the pattern.
    public var reason: String
    /// D, the median over the sources.
    public var drop: Double?
    /// From 0 to 1 how clear it is.
    public var confidence: Double
    /// The share of the sources that agree.
    public var agreement: Double
    /// What each source says.
    public var findings: [PatternFinding]
    /// V of each source, at its epochs; null where a sample is missing.
    public var curves: [[Double?]]
    /// How the norms of what computes the channels were spread, relative to their mean, in the first source.
    public var distributions: [Distribution]?
    /// Whether the channels that led early lead in the end, in the first source.
    public var early: Early?
    /// How alike the filters of its first layer are at the end of the first source.
    public var filters: FilterCosines?
  }

  /// The channels of a group at one moment.
  public struct Distribution: Codable, Sendable {
    /// Epochs trained.
    public var epoch: Int
    /// The density of the norms over their mean.
    public var density: KernelDensity
  }

  /// The norms of channels early in training and at its end: figure 7b of the source.
  public struct Early: Codable, Sendable {
    /// The early epoch: 6, as in the source.
    public var epoch: Int
    /// Pearson's r.
    public var correlation: Double?
    /// Spearman's ρ.
    public var rankCorrelation: Double?
    /// Norms of some channels early and at the end, over the layer's means.
    public var points: [[Double]]?
  }

  /// Held-out accuracy after an epoch.
  public struct Accuracy: Codable, Sendable {
    /// Epochs trained.
    public var epoch: Int
    /// Top-1 in percent.
    public var top1: Double
  }

  /// The network.
  public var network: Network
  /// The mode of the norms.
  public var mode: NormMode
  /// The rules of the classifier.
  public var rules: PatternRules
  /// The trainings.
  public var sources: [Source]
  /// The groups in network order.
  public var groups: [Group]
  /// Each layer of a group with several, likewise.
  public var layers: [Group]
  /// How far another network's diagnosis agrees.
  public var comparison: Comparison?
  /// The held-out accuracy of the first source, where its events tell.
  public var accuracy: [Accuracy]?
  /// How many weights changed their sign in the first epochs of the first source, where that was followed.
  public var signChanges: [SignChange]?
  /// How alike the gradients of channels were on one batch of the first source's data, where that was followed.
  public var gradientCosines: [GradientCosines]?
  /// Where curves stop because the learning rate fell, and not because layers were done: what makes a verdict doubtful.
  public var remark: String?
  /// Which trainings had not ended when they were diagnosed; nil where all had.
  public var unfinished: String?

  /// A diagnosis beside another, as of a projected network.
  public struct Comparison: Codable, Sendable {
    /// The other network's name.
    public var network: String
    /// Its trainings.
    public var sources: [Source]
    /// The agreement over groups of one address.
    public var agreement: PatternComparison
    /// The groups.
    public var pairs: [Pair]

    /// A group of both networks.
    public struct Pair: Codable, Sendable {
      /// The group's id in this network.
      public var group: WidthGroup.ID
      /// The group's id in the other.
      public var other: WidthGroup.ID
      /// The pattern in the other.
      public var pattern: WidthPattern
      /// D in the other.
      public var drop: Double?
    }
  }

  /// Classifies every group of a network over one or several trainings.
  ///
  /// - Precondition: At least one source, each with its series.
  public init(
    _ network: ResolvedNetwork, _ sources: [(source: Source, series: NormSeries)], mode: NormMode = .product,
    rules: PatternRules = PatternRules()
  ) {
    self.network = network.network
    self.mode = mode
    self.rules = rules
    self.sources = sources.map(\.source)
    let classifier = PatternClassifier(rules)
    func diagnose(_ group: ChannelGroup, layers: [String], _ mode: NormMode) -> Group {
      let curves = sources.map { $0.series.curve(group.id, mode) }
      let findings = curves.map(classifier.classify)
      let agreed = PatternAgreement(findings)
      let speaker = findings.firstIndex { $0.pattern == agreed.pattern } ?? 0
      let reason =
        agreed.alike != nil && findings.contains { $0.pattern == agreed.pattern }
        ? findings[speaker].reasonText(epochs: sources[speaker].series.epochs, rules: rules)
        : "the \(agreed.words)"
      return Group(
        id: group.id, numbers: group.numbers, layers: layers, width: group.width, pattern: agreed.pattern,
        verdict: agreed.pattern.verdict, reason: reason, drop: agreed.drop, confidence: agreed.confidence,
        agreement: agreed.agreement, findings: findings, curves: curves)
    }
    let members = Dictionary(network.allGroups.map { ($0.id, $0.layers) }, uniquingKeysWith: { first, _ in first })
    groups = network.channelGroups.map { diagnose($0, layers: members[$0.id] ?? [], mode) }
    remark = Self.remark(groups, sources.map(\.series))
    layers = network.channelLayers.filter { layer in sources.contains { $0.series.holds(layer.id, .perLayer) } }
      .map { diagnose($0, layers: [$0.id], .perLayer) }
  }

  // Small steps move norms little: a curve that peaks right after the rate fell was stopped there.
  private static func remark(_ groups: [Group], _ series: [NormSeries]) -> String? {
    for (index, series) in series.enumerated() {
      let peaks = groups.compactMap { $0.findings[index].peakIndex }.map { series.epochs[$0] }
      guard let milestone = series.milestones.first else {
        let small = series.smallRateEpochs
        let stopped = peaks.count { small.contains($0) }
        guard let first = small.first, stopped > 0, 2 * stopped >= peaks.count else { continue }
        return
          "\(stopped) of \(Format.number(peaks.count, "curve")) reach their peak from epoch \(first) on, where the learning rate is below a tenth of its "
          + "largest: small steps move norms little, and such a layer looks wide enough whatever it would have done. Train longer to be sure."
      }
      let stopped = peaks.count { (milestone - 1...milestone + 5).contains($0) }
      guard stopped > 0, 2 * stopped >= peaks.count else { continue }
      return
        "\(stopped) of \(Format.number(peaks.count, "curve")) stop where the learning rate falls, at epoch \(milestone): such a layer looks wide enough "
        + "whatever it would have done. Train longer before the first step of the learning rate to be sure."
    }
    return nil
  }

  /// The patterns by group, for streamlining; fixed groups are left out.
  ///
  /// - Throws: `NetworkFailure` when the network is invalid, which a file may hold.
  public func patterns() throws -> PerGroup<WidthPattern> {
    let free = Set(try network.resolved().widthGroups.map(\.id))
    return groups.filter { free.contains($0.id) }.reduce(into: PerGroup()) { $0[$1.id] = $1.pattern }
  }

  /// Sets another network's diagnosis beside this one, group by group of the same address.
  ///
  /// - Throws: ``Support/UsageFailure`` when no group corresponds; `NetworkFailure` when a network is invalid.
  public mutating func compare(with other: DiagnosisSummary) throws {
    let theirs = try other.network.resolved()
    let byAddress = Dictionary(theirs.allGroups.map { ($0.address, $0.id) }, uniquingKeysWith: { first, _ in first })
    let found = Dictionary(other.groups.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    var pairs: [Comparison.Pair] = []
    var numbers: [(first: (WidthPattern, Double?), second: (WidthPattern, Double?))] = []
    let own = Dictionary(groups.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    for group in try network.resolved().allGroups {
      guard let id = byAddress[group.address], let one = own[group.id], let second = found[id] else { continue }
      pairs.append(.init(group: group.id, other: id, pattern: second.pattern, drop: second.drop))
      numbers.append(((one.pattern, one.drop), (second.pattern, second.drop)))
    }
    guard !numbers.isEmpty else {
      throw UsageFailure("\(network.name) and \(other.network.name) have no width group in the same place")
    }
    comparison = Comparison(
      network: other.network.name, sources: other.sources, agreement: PatternComparison(numbers), pairs: pairs)
  }
}
