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

  /// The projected network.
  ///
  /// - Throws: As `Projection.applied(to:divisor:)`.
  public func source() throws -> ResolvedNetwork {
    try projection.applied(to: subject.target, divisor: subject.divisor)
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
  public func validate() throws { try validate(source()) }

  private func validate(_ source: ResolvedNetwork) throws {
    try subject.training(of: subject.target, seed: seed).validate()
    try requireSmaller(source)
    for budget in budgets { try requireReachable(budget, source) }
    for group in groups { try search(source, group).validate() }
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
  private func requireReachable(_ budget: Budget, _ source: ResolvedNetwork) throws {
    let (target, divisor, model) = (subject.target, subject.divisor, budget.model)
    let asked = "`\(model.setting)` \(budget.text)"
    let least = target.leastCost(in: model, divisor: divisor)
    guard Double(least) <= 1.01 * Double(budget.amount) else {
      throw UsageFailure(
        "\(asked) cannot be reached: with every group at its least width, \(divisor), \(target.name) still has "
          + "\(Format.amount(least)) \(model.unit), and \(Format.amount(budget.amount)) are asked for"
          + (divisor > 1 ? "; a smaller `divisor` leads further down" : ""))
    }
    let match: WidthMatch
    do {
      match = try Extrapolation.match(
        multipliers: [:], from: source, to: target, stacking: stacking, divisor: divisor, budget: budget)
    } catch let failure as NetworkFailure where projection.depth != 1 {
      throw UsageFailure(
        "`project` \(projection): the blocks of \(target.name) are too unlike each other for fewer to stand for all "
          + "(\(failure.message)); leave depth out")
    }
    guard abs(match.relativeError) <= 0.1 else {
      throw UsageFailure(
        "\(asked): the nearest \(target.name) has \(Format.amount(match.count)) \(model.unit), "
          + "\(Format.percent(100 * match.relativeError, 1, isChange: true)), which is no comparison at equal cost"
          + (divisor > 1 ? "; a smaller `divisor` comes nearer" : ""))
    }
    guard match.scale <= 8 else {
      throw UsageFailure(
        "\(asked) takes \(Format.decimal(match.scale, 1)) times the network's own widths: \(target.name) has "
          + "\(Format.amount(model.count(target))) \(model.unit) for images of \(target.input.height) px. If larger images are meant, "
          + "give their `resolution`")
    }
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
    let source = try source()
    try validate(source)
    let groups = groups
    var found: [Budget: Found] = [:]
    for group in groups {
      // One search for all budgets lies beside their folders; of several, each lies in that of its first budget.
      let place = groups.count == 1 ? folder : store.joined(folder, place(of: group[0]))
      let name = ["search", groups.count == 1 ? nil : group[0].text, label].compactMap { $0 }.joined(separator: ", ")
      let done = try store.perform(
        RemarkedSearch(search(source, group)) { try remarks($0, group, source) }, in: store.joined(place, "search"),
        label: name)
      for (budget, result) in zip(group, done.output) {
        found[budget] = Found(
          file: try keep(result, budget, source, in: store.folder(store.joined(folder, self.place(of: budget)))),
          search: done.folder)
      }
    }
    return budgets.compactMap { found[$0] }
  }

  private func search(_ source: ResolvedNetwork, _ budgets: [Budget]) -> SearchJob {
    SearchJob(
      network: source, dataset: subject.dataset, dataFraction: subject.dataFraction * projection.data,
      optimizer: optimizer, targets: budgets.map { sourceTarget($0, source) },
      in: budgets[0].model, recipe: searchRecipe,
      divisor: subject.divisor, seed: seed, device: subject.device, loaderThreads: subject.loaderThreads)
  }

  /// The same part of the source's cost as the budget is of the target's.
  private func sourceTarget(_ budget: Budget, _ source: ResolvedNetwork) -> Int {
    let ratio = Double(budget.model.count(source)) / Double(budget.model.count(subject.target))
    return max(1, Int((Double(budget.amount) * ratio).rounded()))
  }

  /// Warnings about what becomes of a result on the target.
  private func remarks(_ result: SearchResult, _ budgets: [Budget], _ source: ResolvedNetwork) throws -> [String] {
    let budget = budgets.first { sourceTarget($0, source) == result.target }
    return try budget.flatMap { try match(result, $0, source).remark(divisor: subject.divisor) }.map { [$0] } ?? []
  }

  private func match(_ result: SearchResult, _ budget: Budget, _ source: ResolvedNetwork) throws -> WidthMatch {
    if optimizer.keepsProportions {
      // The baseline is the target itself where it meets the budget, with nothing rounded.
      return WidthMatch(try subject.uniform(at: budget), scale: 1, in: budget.model, target: budget.amount)
    }
    return try Extrapolation.match(
      multipliers: result.multipliers(of: source), from: source, to: subject.target, stacking: stacking,
      divisor: subject.divisor, budget: budget)
  }

  private func keep(
    _ result: SearchResult, _ budget: Budget, _ source: ResolvedNetwork, in place: RunFolder
  ) throws -> WidthsFile {
    var file = try WidthsFile(
      match(result, budget, source), target: subject.target, source: source, projection: projection,
      algorithm: optimizer.name)
    file.overhead = try overhead(of: result)
    file.history = result.history
    file.evidence = result.evidence
    try AtomicFile.createFolder(place.path)
    try file.write(to: place.widths)
    return file
  }

  /// What the search spent beside what it would have spent on the target itself, in the same passes.
  private func overhead(of result: SearchResult) throws -> WidthsFile.OverheadRecord {
    let direct = SearchJob(
      network: subject.target, dataset: subject.dataset, dataFraction: subject.dataFraction, optimizer: optimizer,
      targets: [1], recipe: searchRecipe, divisor: subject.divisor)
    let directFlops = result.cost.flops(at: try direct.scale())
    let spent = result.cost.flops
    return .init(
      flops: spent, seconds: result.cost.seconds, directFlops: directFlops,
      reduction: spent > 0 ? directFlops / spent : 1,
      nominalReduction: projection.nominalReduction(of: subject.target))
  }
}
