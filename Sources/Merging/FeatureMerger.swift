import Diagnosis
import Networks
import Support
import Torch
import Training

/// Merges the channels of a trained network that do nearly the same, pair by pair: Chen, Zhou, Yan, ICLR 2024, section 3.
///
/// In each sweep a group merges at most its closest pair, where distance is between all that computes and reads the channels. The sums
/// are taken in double precision on the CPU.
public struct FeatureMerger {
  private let settings: MergeSettings
  private let base: ResolvedNetwork
  private let device: Device
  private let groups: [WidthGroup]
  private var tensors: TensorPlaces
  private var layout: AxisLayout
  private var members: [WidthGroup.ID: [[Int]]] = [:]
  // Which groups have something new to look at: a group whose tensors nobody changed would find the same again.
  private var isStale: Set<WidthGroup.ID>

  /// Prepares a trained model.
  ///
  /// - Throws: `UsageFailure` for settings out of range, or a normalization that cannot be folded.
  public init(_ model: Model, settings: MergeSettings = MergeSettings()) throws {
    try settings.validate()
    self.settings = settings
    let values = try TensorPlaces(model)
    device = model.device
    if settings.mode == .foldedPaper {
      let folded = try FoldedNormalizations(model.plan.resolved, values.tensors)
      (base, tensors) = (folded.network, TensorPlaces(folded.tensors, of: folded.network.name))
    } else {
      (base, tensors) = (model.plan.resolved, values)
    }
    layout = AxisLayout(base)
    groups = base.mergeableGroups(settings.scope)
    for group in base.widthGroups { members[group.id] = (0..<group.width).map { [$0] } }
    isStale = Set(groups.map(\.id))
  }

  /// Merges until a sweep finds nothing.
  ///
  /// - Parameter check: Asked before every sweep; what it throws ends the work.
  public mutating func run(check: () throws -> Void = {}) throws -> MergeOutcome {
    var sweeps = 0
    var didMerge = true
    while didMerge {
      try check()
      didMerge = false
      for group in groups where Double(sweeps) < Double(group.width) * settings.largestRatio {
        if isStale.contains(group.id), try merge(group.id) { didMerge = true }
      }
      sweeps += 1
    }
    return try outcome(sweeps: sweeps)
  }

  /// Merges the closest pairs of one group, however far apart they are, until it has so many channels.
  ///
  /// - Throws: `UsageFailure` for a group that cannot be merged by itself, or a width below 1.
  public mutating func narrow(_ group: WidthGroup.ID, to width: Int) throws -> MergeOutcome {
    guard groups.contains(where: { $0.id == group }) else {
      throw UsageFailure("the channels of \(group) cannot be merged by themselves")
    }
    guard width >= 1 else { throw UsageFailure("\(group) is narrowed to 1 channel at least, not \(width)") }
    var sweeps = 0
    while (members[group]?.count ?? 0) > width, let pair = try closest(group)?.pair {
      try merge(group, pair)
      sweeps += 1
    }
    return try outcome(sweeps: sweeps)
  }

  /// Merges the closest pair of a group, where it is close enough.
  private mutating func merge(_ group: WidthGroup.ID) throws -> Bool {
    guard let closest = try closest(group), closest.distance <= settings.threshold * closest.largest else {
      isStale.remove(group)
      return false
    }
    try merge(group, closest.pair)
    return true
  }

  private mutating func merge(_ group: WidthGroup.ID, _ pair: (Int, Int)) throws {
    guard var own = members[group] else { return }
    let (first, second) = pair
    let weights = (Double(own[first].count), Double(own[second].count))
    // From the last: where a group stands twice on an axis, what lies before is still where it was.
    for (place, role) in (layout.places[group] ?? []).reversed() {
      try replace(place, role, first, second, weights)
    }
    layout.shrink(group)
    let merged = own[first] + own[second]
    own.remove(at: second)
    own.remove(at: first)
    members[group] = own + [merged]
    // Its neighbours read tensors that are now others.
    let changed = Set((layout.places[group] ?? []).map(\.place.tensor))
    for other in groups where (layout.places[other.id] ?? []).contains(where: { changed.contains($0.place.tensor) }) {
      isStale.insert(other.id)
    }
  }

  /// The closest pair of a group with its squared distance, and the largest of any pair; nil for a single channel.
  private func closest(
    _ group: WidthGroup.ID
  ) throws -> (pair: (Int, Int), distance: Double, largest: Double)? {
    var sum: Tensor?
    for (place, role) in layout.places[group] ?? [] {
      switch role {
      case .number, .filterNumber: continue
      case .producer, .filter, .reader: break
      }
      let rows = try tensors.rows(place, layout)
      let products = try rows.matmul(rows.permuted([1, 0]))
      sum = try sum.map { try $0 + products } ?? products
    }
    guard let products = try sum?.array(Double.self), let count = members[group]?.count, count > 1 else {
      return nil
    }
    var best = (distance: Double.infinity, first: 0, second: 0)
    var largest = 0.0
    for i in 0..<count {
      for j in i + 1..<max(count, i + 1) {
        let crossed = products[i * count + j] + products[j * count + i]
        let distance = max(0, products[i * count + i] + products[j * count + j] - crossed)
        if distance < best.distance { best = (distance, i, j) }
        if distance > largest { largest = distance }
      }
    }
    return ((best.first, best.second), best.distance, largest)
  }

  // MARK: - Tensors

  private mutating func replace(
    _ place: AxisLayout.Place, _ role: AxisLayout.Role, _ first: Int, _ second: Int, _ weights: (Double, Double)
  ) throws {
    let rows = try tensors.rows(place, layout)
    let (a, b) = (try rows.slice(0, first..<first + 1), try rows.slice(0, second..<second + 1))
    let sum = weights.0 + weights.1
    let merged = addsUp(role) ? try a + b : try a * (weights.0 / sum) + b * (weights.1 / sum)
    let kept = try [0..<first, first + 1..<second, second + 1..<rows.shape[0]].filter { !$0.isEmpty }
      .map { try rows.slice(0, $0) }
    try tensors.replace(place, layout, with: Tensor.concatenate(kept + [merged]))
  }

  /// Whether the entries of two channels are summed; otherwise they are averaged, by how many channels each stands for.
  private func addsUp(_ role: AxisLayout.Role) -> Bool {
    switch (settings.mode, role) {
    case (.meanSum, .reader): true
    case (.meanSum, _): false
    case (_, .producer), (_, .number): true
    // A filter or gate scales a channel that is summed already.
    case (_, .filter), (_, .filterNumber), (_, .reader): false
    }
  }

  // MARK: - Outcome

  private func outcome(sweeps: Int) throws -> MergeOutcome {
    var widths = Widths()
    var lists = PerGroup<[[Int]]>()
    for group in base.widthGroups {
      widths[group.id] = members[group.id]?.count ?? group.width
      lists[group.id] = members[group.id] ?? []
    }
    return MergeOutcome(model: try tensors.model(of: base.with(widths), on: device), members: lists, sweeps: sweeps)
  }
}
