import Foundation
import Methods
import Networks
import Records
import Support
import Training
import Transfer
import WidthSearch

/// The way to widths: project network and data, search there with one method and one seed, carry the result back to the target.
///
/// Reference: Chin, Marculescu and Morcos, "Width Transfer: On the (In)variance of Width Optimization" (2021), section 3.
public struct WidthFinding {
  /// What is searched for whom.
  public var subject: Subject
  /// The search method.
  public var optimizer: any WidthSearching
  /// How the search trains.
  public var searchRecipe: Recipe
  /// How network and data are shrunk for the search.
  public var projection: Projection
  /// How blocks of the source stand for those of the target.
  public var stacking: Stacking
  /// The budgets of the target; at least one.
  public var budgets: [Budget]
  /// The seed of the search.
  public var seed: Int
  /// Seconds that its searches were predicted to take, for the record; nil where nobody has predicted it.
  public var predictedSeconds: Double?

  /// What tells the time of the widths that are found, where the budget is not one of time; nil tells none.
  public var timing: LatencyTable?

  /// Describes a way to widths.
  ///
  /// - Parameter searchRecipe: How the search trains; nil for what suits the method, made from the subject's recipe
  ///   (``Methods/WidthOptimizer/searchRecipe(from:epochs:learningRate:)`` takes wishes).
  public init(
    subject: Subject, optimizer: any WidthSearching, searchRecipe: Recipe? = nil, projection: Projection = .identity,
    stacking: Stacking = .averageBlock, budgets: [Budget], seed: Int = 0
  ) {
    self.subject = subject
    self.optimizer = optimizer
    self.searchRecipe = searchRecipe ?? optimizer.searchRecipe(from: subject.recipe)
    self.projection = projection
    self.stacking = stacking
    self.budgets = budgets
    self.seed = seed
  }

  /// The networks between which widths are transferred, with what a search may not change fixed in both.
  public struct Ends {
    /// The projected network. It is shrunk as a whole; then what is fixed in the target is fixed at the width it has here.
    public var source: ResolvedNetwork
    /// The target.
    public var target: ResolvedNetwork
    /// Why which groups of the target are fixed.
    public var reasons: PerGroup<String>
  }

  /// Projects the network, and fixes what is to be fixed and what the method cannot act on.
  ///
  /// - Throws: As `Projection.applied(to:divisor:)`.
  public func ends() throws -> Ends {
    let target = subject.target
    let source = try projection.applied(to: target, divisor: subject.divisor)
    let kept = optimizer.kept(of: target)
    let inSource = Set(optimizer.kept(of: source).groups)
    let asked = target.widthGroups.map(\.id).filter(subject.fixed.contains)
    return Ends(
      source: try source.fixing(inSource.union(source.groups(placedAs: subject.fixed, in: target))),
      target: try target.fixing(subject.fixed.union(kept.groups)),
      reasons: PerGroup(groups: asked, values: asked.map { _ in "as asked" }).merging(kept))
  }

  /// The folder of a budget inside that of a plan: the plan's own when there is only one.
  public func place(of budget: Budget) -> String { budgets.count == 1 ? "" : budget.name }

  /// The folder of a budget.
  public func folder(of budget: Budget, in folder: RunFolder) -> RunFolder {
    let place = place(of: budget)
    return place.isEmpty ? folder : RunFolder(path: folder.file(place))
  }

  /// Finds out what cannot work before anything is searched, trained or removed.
  ///
  /// - Throws: What the search, the extrapolation or a training would throw, hours later.
  public func validate() throws { try validate(ends()) }

  private func validate(_ ends: Ends) throws {
    try subject.training(of: subject.target, seed: seed).validate()
    try requireGroups(ends)
    try requireSmaller(ends.source)
    for budget in budgets { try requireReachable(budget, ends) }
    for group in groups { try search(ends, group).validate() }
  }

  private func requireGroups(_ ends: Ends) throws {
    guard ends.target.widthGroups.isEmpty || ends.source.widthGroups.isEmpty, let first = ends.reasons.groups.first
    else {
      return
    }
    throw UsageFailure(
      "\(optimizer.name): none of the \(subject.target.widthGroups.count) width groups of \(subject.target.name) is left to decide "
        + "on: \(first) is kept (\(ends.reasons[first] ?? ""))")
  }

  // Widths of a narrow network are rounded up to the divisor, so that a projection may make it larger.
  private func requireSmaller(_ source: ResolvedNetwork) throws {
    guard projection != .identity, source.cost.macs > subject.target.cost.macs else { return }
    throw UsageFailure(
      "`project` \(projection): the projected \(source.name) costs \(Format.amount(source.cost.macs)) MACs, more than the "
        + "\(Format.amount(subject.target.cost.macs)) of the network itself: its widths are rounded up to multiples of `divisor` "
        + "\(subject.divisor); take a smaller one")
  }

  /// Refuses budgets of which it is known before the search that nothing comes near them.
  private func requireReachable(_ budget: Budget, _ ends: Ends) throws {
    let (target, divisor, model) = (ends.target, subject.divisor, budget.model)
    let asked = "`\(model.setting)` \(budget.text)"
    let least = target.leastCost(in: model, divisor: divisor)
    guard Double(least) <= 1.01 * Double(budget.amount) else {
      throw UsageFailure(
        "\(asked) cannot be reached: with every group at its least width, \(divisor)\(fixedAlready(ends)), \(target.name) still has "
          + "\(model.words(least)), and \(model.words(budget.amount)) are asked for"
          + (divisor > 1 ? "; a smaller `divisor` leads further down" : ""))
    }
    let match: WidthMatch
    do {
      match = try Extrapolation.match(
        multipliers: [:], from: ends.source, to: target, stacking: stacking, divisor: divisor, budget: budget)
    } catch let failure as NetworkFailure where projection.depth != 1 {
      throw UsageFailure(
        "`project` \(projection): the blocks of \(target.name) are too unlike each other for fewer to stand for all "
          + "(\(failure.message)); leave depth out")
    }
    guard abs(match.relativeError) <= 0.1 else {
      throw UsageFailure(
        "\(asked): the nearest \(target.name) has \(model.words(match.count)), "
          + "\(Format.percent(100 * match.relativeError, 1, isChange: true)), which is no comparison at equal cost"
          + (divisor > 1 ? "; a smaller `divisor` comes nearer" : ""))
    }
    guard match.scale <= 8 else {
      throw UsageFailure(
        "\(asked) takes \(Format.decimal(match.scale, 1)) times the network's own widths: \(target.name) has "
          + "\(model.words(model.count(target))) for images of \(target.input.height) px. If larger images are meant, "
          + "give their `resolution`")
    }
  }

  private func fixedAlready(_ ends: Ends) -> String {
    ends.reasons.isEmpty ? "" : " (\(ends.reasons.count) of them fixed at their own, such as \(ends.reasons.groups[0]))"
  }

  /// The budgets that share a search: those of one cost model where the method serves several, else each by itself.
  private var groups: [[Budget]] {
    guard optimizer.servesSeveralBudgets else { return budgets.map { [$0] } }
    var groups: [[Budget]] = []
    for budget in budgets {
      if let index = groups.firstIndex(where: { $0[0].model == budget.model }) {
        groups[index].append(budget)
      } else {
        groups.append([budget])
      }
    }
    return groups
  }

  /// Widths for one budget, and where they were searched.
  public struct Found {
    /// What `widths.json` holds.
    public var file: WidthsFile
    /// The folder of the search, relative to the store's.
    public var search: String
  }

  /// Searches on the projected network and carries the widths to the target; writes `widths.json` for every budget.
  ///
  /// Methods that serve several budgets search once for all; others once for each.
  ///
  /// - Parameters:
  ///   - store: Where jobs are kept.
  ///   - folder: The folder, relative to the store's, under which the search lies and `widths.json` is written.
  ///   - label: What the search is called while it runs.
  /// - Returns: One for each of ``budgets``.
  /// - Throws: `UsageFailure` before anything is done when the parts do not fit, `Interrupted` when it is stopped.
  public func find(in store: JobStore, folder: String = "", label: String? = nil) throws -> [Found] {
    let ends = try ends()
    try validate(ends)
    let groups = groups
    var found: [Budget: Found] = [:]
    for group in groups {
      // One search for all budgets lies beside their folders; of several, each lies in that of its first budget.
      let place = groups.count == 1 ? folder : store.joined(folder, place(of: group[0]))
      let name = ["search", groups.count == 1 ? nil : distinction(of: group[0]), label].compactMap { $0 }.joined(
        separator: ", ")
      let done = try store.perform(
        RemarkedSearch(search(ends, group)) { try remarks($0, group, ends) }, in: store.joined(place, "search"),
        label: name)
      for (budget, result) in zip(group, done.output) {
        let file = try file(of: result, budget, ends)
        let place = store.folder(store.joined(folder, self.place(of: budget)))
        // Who sums up what others have done changes nothing of it; of a search that two parts share, one has not written its widths.
        if !store.isReading || !FileManager.default.fileExists(atPath: place.widths) {
          try AtomicFile.createFolder(place.path)
          try file.write(to: place.widths)
        }
        found[budget] = Found(file: file, search: done.folder)
      }
    }
    return budgets.compactMap { found[$0] }
  }

  /// What tells a budget from the others: `0.5x`, or with its kind where two kinds have the same words.
  public func distinction(of budget: Budget) -> String {
    budgets.count { $0.text == budget.text } > 1 ? budget.name : budget.text
  }

  /// The searches that it takes: one, or one for each budget where the method serves a single one.
  ///
  /// - Throws: As ``ends()``.
  func searches() throws -> [SearchJob] {
    let ends = try ends()
    return groups.map { search(ends, $0) }
  }

  private func search(_ ends: Ends, _ budgets: [Budget]) -> SearchJob {
    var job = SearchJob(
      network: ends.source, dataset: subject.dataset, dataFraction: subject.dataFraction * projection.data,
      optimizer: optimizer, targets: budgets.map { sourceTarget($0, ends) },
      in: budgets[0].model, recipe: searchRecipe,
      divisor: subject.divisor, seed: seed, device: subject.device, loaderThreads: subject.loaderThreads)
    job.notices = notices(ends)
    return job
  }

  /// What the method cannot act on, one sentence a reason.
  private func notices(_ ends: Ends) -> [String] {
    let kept = optimizer.kept(of: subject.target)
    let reasons = kept.groups.compactMap { kept[$0] }.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    return reasons.map { reason in
      let groups = kept.groups.filter { kept[$0] == reason }
      return "\(optimizer.name) keeps the widths of \(Format.list(groups, most: 4)): \(reason)"
    }
  }

  /// The same part of the source's cost as the budget is of the target's.
  ///
  /// With something fixed it is the cost of the source scaled as the target has to be: what is fixed may be another part of one than
  /// of the other.
  private func sourceTarget(_ budget: Budget, _ ends: Ends) -> Int {
    let (model, whole) = (budget.model, budget.model.count(ends.target))
    guard !ends.reasons.isEmpty, budget.amount != whole else {
      let ratio = Double(model.count(ends.source)) / Double(whole)
      return max(1, Int((Double(budget.amount) * ratio).rounded()))
    }
    func widths(_ network: ResolvedNetwork) -> [Double] { network.widthGroups.map { Double($0.width) } }
    let scale =
      RelaxedCost(ends.target, model).scale(matching: Double(budget.amount), widths: widths(ends.target)) ?? 1
    return max(1, Int(RelaxedCost(ends.source, model).evaluate(widths(ends.source).map { scale * $0 }).rounded()))
  }

  /// Warnings about what becomes of a result on the target.
  private func remarks(_ result: SearchResult, _ budgets: [Budget], _ ends: Ends) throws -> [String] {
    let budget = budgets.first { sourceTarget($0, ends) == result.target }
    return try budget.flatMap { try match(result, $0, ends).remark(divisor: subject.divisor) }.map { [$0] } ?? []
  }

  private func match(_ result: SearchResult, _ budget: Budget, _ ends: Ends) throws -> WidthMatch {
    if optimizer.keepsProportions {
      // The baseline is the target itself where it meets the budget, with nothing rounded.
      return WidthMatch(try subject.uniform(at: budget), scale: 1, in: budget.model, target: budget.amount)
    }
    return try Extrapolation.match(
      multipliers: result.multipliers(of: ends.source), from: ends.source, to: ends.target, stacking: stacking,
      divisor: subject.divisor, budget: budget)
  }

  private func file(of result: SearchResult, _ budget: Budget, _ ends: Ends) throws -> WidthsFile {
    var file = try WidthsFile(
      match(result, budget, ends), target: ends.target, source: ends.source, projection: projection,
      algorithm: optimizer.name, timing: timing)
    if !ends.reasons.isEmpty { file.fixed = ends.reasons }
    file.overhead = try overhead(of: result, ends)
    file.history = result.history
    file.evidence = result.evidence
    return file
  }

  /// What the search spent beside what it would have spent on the target itself, in the same passes.
  private func overhead(of result: SearchResult, _ ends: Ends) throws -> WidthsFile.OverheadRecord {
    let direct = SearchJob(
      network: ends.target, dataset: subject.dataset, dataFraction: subject.dataFraction, optimizer: optimizer,
      targets: [1], recipe: searchRecipe, divisor: subject.divisor)
    let directFlops = result.cost.flops(at: try direct.scale())
    let spent = result.cost.flops
    var record = WidthsFile.OverheadRecord(
      flops: spent, seconds: result.cost.seconds, directFlops: directFlops,
      reduction: spent > 0 ? directFlops / spent : 1,
      nominalReduction: projection.nominalReduction(of: subject.target))
    record.predictedSeconds = predictedSeconds.map { $0 / Double(groups.count) }
    return record
  }
}
