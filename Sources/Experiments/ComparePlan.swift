import ImageFiles
import Methods
import Networks
import Records
import Support
import Training
import Transfer
import WidthSearch

/// Several search methods and controls on one network and data set: each searches directly and on the projection, and every
/// network is trained with the same recipe and the same seeds.
///
/// One search a seed, then one training of what it found with the same seed, so that the spread of an arm holds the search's as
/// well. Every part is a job in a folder of its own and can be stopped and started again; what two arms share is done once.
public struct ComparePlan {
  /// One method.
  public struct Method {
    /// The method with its settings.
    public var optimizer: any WidthSearching
    /// How it trains during the search.
    public var searchRecipe: Recipe
    /// What its arms are called: the method, where it is there several times with its settings.
    public var name: String
    /// Where it searches.
    public var place: MethodRequest.Place

    /// Describes a method, which goes by its own name unless told otherwise.
    public init(
      optimizer: any WidthSearching, searchRecipe: Recipe, name: String? = nil, place: MethodRequest.Place = .everywhere
    ) {
      self.optimizer = optimizer
      self.searchRecipe = searchRecipe
      self.name = name ?? optimizer.name
      self.place = place
    }
  }

  /// Widths that are there already, as those of a diagnosis, to be trained beside the others.
  public struct Given {
    /// What the arm is called.
    public var name: String
    /// The widths of the target.
    public var widths: Widths

    /// Describes widths.
    public init(name: String, widths: Widths) {
      self.name = name
      self.widths = widths
    }
  }

  /// What all arms share.
  public var subject: Subject
  /// The methods and controls.
  public var methods: [Method]
  /// Networks of widths that are there already.
  public var given: [Given]
  /// How network and data are shrunk for the transferred searches, one after the other; those that shrink nothing count for nothing.
  public var projections: [Projection]
  /// How blocks of the source stand for those of the target; at least one.
  public var stackings: [Stacking]
  /// The budget of the target.
  public var budget: Budget
  /// Whether methods search on the target itself, too.
  public var searchesDirectly: Bool
  /// The seeds, one search and one training of each arm with each.
  public var seeds: [Int]

  /// How many searches each method makes, which the seeds take in turn; nil for one a seed.
  public var searches: Int?

  /// By which rule ``seeds`` grow, for the record; nil when they are fixed.
  public var stopping: ComparisonSummary.Stopping?

  /// Describes a comparison of methods.
  public init(
    subject: Subject, methods: [Method], given: [Given] = [], projections: [Projection],
    stackings: [Stacking] = [.averageBlock], budget: Budget,
    searchesDirectly: Bool = true, seeds: [Int] = [0]
  ) {
    self.subject = subject
    self.methods = methods
    self.given = given
    self.projections = projections.filter { $0 != .identity }
    self.stackings = stackings.isEmpty ? [.averageBlock] : stackings
    self.budget = budget
    self.searchesDirectly = searchesDirectly
    self.seeds = seeds
  }

  /// A way to widths.
  private struct Arm {
    /// A method, or widths that need none.
    enum Way {
      case method(Method)
      case given(Given)
    }

    var way: Way
    var mode: ComparisonSummary.Mode
    /// How network and data are shrunk, where they are.
    var projection = Projection.identity
    /// How blocks are stacked.
    var stacking = Stacking.averageBlock
    /// What tells the projection and the stacking from others of the comparison, where there are several.
    var distinction: String?
    var name: String {
      switch way {
      case .method(let method): method.name
      case .given(let given): given.name
      }
    }
    /// The folder, which is the same whatever else is compared: other comparisons in the run folder have other arms.
    var folder: String {
      // `network-slimming:width=2,epochs=30` is a folder network-slimming-width-2-epochs-30.
      let own = name.replacing("%", with: "-percent").split { ":=,/".contains($0) }.joined(separator: "-")
      return ([mode.rawValue] + place + [own]).joined(separator: "/")
    }
    var label: String { "\(name) \(mode.rawValue)\(distinction.map { " (\($0))" } ?? "")" }

    // What was shrunk, and how it was stacked: `width-0.5-data-0.2`, `depth-0.5-last-block`.
    private var place: [String] {
      guard mode == .transferred else { return [] }
      let parts = [projection.words, stacking == .averageBlock ? nil : stacking.rawValue]
      return [parts.compactMap(\.self).joined(separator: "-")]
    }
  }

  // Controls come first; a projection of nothing is a direct search.
  private var arms: [Arm] {
    let controls = methods.filter(\.optimizer.isControl).map { Arm(way: .method($0), mode: .control) }
    let searches = methods.filter { !$0.optimizer.isControl }
    let ready = given.map { Arm(way: .given($0), mode: .control) }
    let searching = searches.flatMap { method -> [Arm] in
      let isDirect =
        switch method.place {
        case .everywhere: searchesDirectly || projections.isEmpty
        case .direct: true
        case .transferred: false
        }
      let direct = isDirect ? [Arm(way: .method(method), mode: .direct)] : []
      guard method.place != .direct else { return direct }
      return direct
        + projections.flatMap { projection in
          stackings.map { stacking in
            Arm(
              way: .method(method), mode: .transferred, projection: projection, stacking: stacking,
              distinction: distinction(projection, stacking))
          }
        }
    }
    return controls + ready + searching
  }

  private func distinction(_ projection: Projection, _ stacking: Stacking) -> String? {
    guard projections.count * stackings.count > 1 else { return nil }
    return ([projection.words] + (stackings.count > 1 ? [stacking.rawValue] : [])).joined(separator: "-")
  }

  private func finding(_ arm: Arm, seed: Int) -> WidthFinding? {
    guard case .method(let method) = arm.way else { return nil }
    // Counted from the first seed, so that seeds which come later find the same searches.
    let first = seeds.first ?? 0
    let seed = searches.map { first &+ (seed &- first) % max(1, $0) } ?? seed
    return WidthFinding(
      subject: subject, optimizer: method.optimizer, searchRecipe: method.searchRecipe,
      projection: arm.projection, stacking: arm.stacking, budgets: [budget], seed: seed)
  }

  /// Finds out what cannot work before anything is searched.
  public func validate() throws {
    let names = arms.map(\.folder)
    if let twice = projections.first(where: { one in projections.count { $0 == one } > 1 }) {
      throw UsageFailure("`project` \(twice) is given twice")
    }
    guard Set(stackings).count == stackings.count else { throw UsageFailure("a `stacking` is given twice") }
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw UsageFailure("two networks of the comparison are called \(twice); rename a file of widths")
    }
    for arm in arms {
      if case .given(let given) = arm.way {
        try subject.training(of: subject.target.with(given.widths), seed: seeds.first ?? 0).validate()
      } else {
        try finding(arm, seed: seeds.first ?? 0)?.validate()
      }
    }
  }

  /// Whether seeds can decide anything: there is a uniform network beside others, or a method searches both directly and on a projection.
  public var hasDifferences: Bool {
    let direct = Set(arms.filter { $0.mode == .direct }.map(\.name))
    return arms.contains { $0.mode == .transferred && direct.contains($0.name) }
      || arms.count > 1 && arms.contains { $0.mode == .control && $0.name == "uniform" }
  }

  /// Searches and trains, and writes `comparison.json`. A training that diverges does not hold up others; the summary names it.
  ///
  /// - Throws: `UsageFailure` before anything is done when the parts do not fit, `Interrupted` when it is stopped.
  public func run(in folder: RunFolder, _ surroundings: JobSurroundings = .init()) throws -> ComparisonSummary {
    try validate()
    let store = try JobStore(folder, plan: .compare, surroundings: surroundings)
    // Seed by seed, so that a comparison that is stopped has every arm once before any arm twice.
    var members = arms.map { _ in [ComparisonSummary.Member]() }
    var failed: [FailedPart] = []
    for seed in seeds {
      for (index, arm) in arms.enumerated() {
        do {
          members[index].append(try member(arm, seed: seed, in: store))
        } catch let failure as TrainingFailure where surroundings.cohort.isSingle {
          // Several processes could not agree to go on: one of them may have found out alone.
          failed.append(FailedPart(name: self.folder(arm, seed: seed), reason: failure.message))
        }
      }
    }
    let there = zip(arms, members).filter { !$0.1.isEmpty }
    guard !there.isEmpty else { throw FailedParts(failed) }
    var summary = try summary(there.map(\.0), there.map(\.1))
    if !failed.isEmpty { (summary.failed, summary.missing) = (failed, failed.map(\.name)) }
    try JSONFile.write(summary, to: folder.comparison)
    return summary
  }

  /// Sums up what has been done so far, by whomever, and writes `comparison.json` with what is missing.
  ///
  /// - Parameter failed: What of it was tried in vain.
  /// - Throws: `UsageFailure` when nothing has been done.
  public func gather(in folder: RunFolder, failed: [FailedPart] = []) throws -> ComparisonSummary {
    let store = try JobStore(folder, sharing: .reading)
    var missing: [String] = []
    var members = arms.map { _ in [ComparisonSummary.Member]() }
    for seed in seeds {
      for (index, arm) in arms.enumerated() {
        do {
          members[index].append(try member(arm, seed: seed, in: store))
        } catch is JobStore.Missing {
          missing.append(self.folder(arm, seed: seed))
        }
      }
    }
    let there = zip(arms, members).filter { !$0.1.isEmpty }
    guard !there.isEmpty else { throw UsageFailure("\(folder.path): nothing of this comparison has been done yet") }
    var summary = try summary(there.map(\.0), there.map(\.1))
    if !missing.isEmpty { summary.missing = missing }
    if !failed.isEmpty { summary.failed = failed }
    try JSONFile.write(summary, to: folder.comparison)
    return summary
  }

  private func resolved(_ projection: Projection) throws -> Projection {
    projection.resolved(to: try projection.applied(to: subject.target, divisor: subject.divisor))
  }

  private func folder(_ arm: Arm, seed: Int) -> String { "\(arm.folder)/seed-\(seed)" }

  private func member(_ arm: Arm, seed: Int, in store: JobStore) throws -> ComparisonSummary.Member {
    store.keepsJobsApart = true
    let path = folder(arm, seed: seed)
    let label = "\(arm.label), seed \(seed)"
    let found = try finding(arm, seed: seed)?.find(in: store, folder: path, label: label)[0]
    let network: ResolvedNetwork
    switch (arm.way, found) {
    case (.given(let given), _): network = try subject.target.with(given.widths)
    case (.method, let found?): network = try subject.target.with(found.file.widths)
    case (.method, nil): network = subject.target
    }
    let done = try store.perform(subject.training(of: network, seed: seed), in: path, label: label)
    let cost = network.cost
    return .init(
      seed: seed, widths: network.widths, macs: cost.macs, parameters: cost.parameters,
      overhead: arm.mode == .control ? nil : found?.file.overhead, result: done.output, folder: done.folder,
      searchFolder: found?.search == store.joined(done.folder, "search") ? nil : found?.search)
  }

  private func summary(_ arms: [Arm], _ members: [[ComparisonSummary.Member]]) throws -> ComparisonSummary {
    let target = subject.target
    var summary = ComparisonSummary(
      network: target.name, dataset: subject.dataset.name, resolution: target.input.height,
      images: subject.training(of: target, seed: seeds.first ?? 0).imageCount,
      classes: subject.dataset.classNames.count, epochs: subject.recipe.epochs,
      targetMacs: budget.model == .macs ? budget.amount : try subject.uniform(at: budget).cost.macs,
      projection: projections.count == 1 ? try resolved(projections[0]) : nil,
      groups: GroupRecord.all(of: target),
      arms: try zip(arms, members).map { arm, members in
        .init(
          algorithm: arm.name, mode: arm.mode, members: members,
          projection: arm.distinction == nil ? nil : try resolved(arm.projection),
          stacking: arm.distinction == nil || stackings.count == 1 ? nil : arm.stacking)
      })
    summary.targetParameters = budget.model == .parameters ? budget.amount : nil
    summary.targetLatency = budget.model.isTime ? Double(budget.amount) / 1e9 : nil
    summary.stopping = stopping
    summary.searches = searches
    return summary
  }
}

extension ComparePlan: PartedPlan {
  /// A search with the training of what it finds, for each arm and seed.
  public var parts: [PlanPart] { seeds.flatMap { seed in arms.map { PlanPart(folder($0, seed: seed)) } } }

  /// Searches and trains for one arm and seed.
  ///
  /// - Throws: `UsageFailure` when there is no such part, `Interrupted` when it is stopped.
  public func perform(part: String, in store: JobStore) throws {
    for seed in seeds {
      guard let arm = arms.first(where: { folder($0, seed: seed) == part }) else { continue }
      _ = try member(arm, seed: seed, in: store)
      return
    }
    throw UsageFailure("\(part) is no part of this comparison")
  }
}

extension Projection {
  // `width-0.5-data-0.2`: as a folder can be called.
  fileprivate var words: String {
    let parts: [(String, String?)] = [
      ("width", width == 1 ? nil : "\(width)"),
      ("depth", depth == 1 ? nil : "\(depth)"),
      ("resolution", resolution.map { "\($0)" }),
      ("data", data == 1 ? nil : "\(data)"),
    ]
    return parts.compactMap { name, value in value.map { "\(name)-\($0)" } }.joined(separator: "-")
  }
}
