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
  /// - Throws: As ``Projection/applied(to:divisor:)``.
  public func source() throws -> Network { try projection.applied(to: subject.target, divisor: subject.divisor) }

  /// The folder of a budget inside that of a plan: the plan's own when there is only one.
  public func place(of budget: Budget) -> String { budgets.count == 1 ? "" : RunFolder.budgetPrefix + budget.text }

  /// The folder of a budget.
  public func folder(of budget: Budget, in folder: RunFolder) -> RunFolder {
    let place = place(of: budget)
    return place.isEmpty ? folder : RunFolder(path: folder.file(place))
  }

  /// Finds out what cannot work before anything is searched, trained or removed.
  ///
  /// - Throws: What the search, the extrapolation or a training would throw, hours later.
  public func validate() throws {
    let source = try source()
    try subject.training(of: subject.target, seed: seed).validate()
    try search(source, budgets).validate()
    for budget in budgets {
      _ = try Extrapolation.match(
        multipliers: [:], from: source, to: subject.target, stacking: stacking, divisor: subject.divisor,
        targetMACs: budget.macs)
    }
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
    try validate()
    let source = try source()
    func name(_ budget: Budget?) -> String {
      ["search", budget?.text, label].compactMap { $0 }.joined(separator: ", ")
    }
    if optimizer.servesSeveralBudgets || budgets.count == 1 {
      let done = try store.perform(
        RemarkedSearch(try search(source, budgets)) { try remarks($0, source) }, in: store.joined(folder, "search"),
        label: name(nil))
      return try zip(budgets, done.output).map { budget, result in
        Found(
          file: try keep(result, budget, source, in: store.folder(store.joined(folder, place(of: budget)))),
          search: done.folder)
      }
    }
    return try budgets.map { budget in
      let place = store.joined(folder, place(of: budget))
      let done = try store.perform(
        RemarkedSearch(try search(source, [budget])) { try remarks($0, source) }, in: store.joined(place, "search"),
        label: name(budget))
      return Found(file: try keep(done.output[0], budget, source, in: store.folder(place)), search: done.folder)
    }
  }

  private func search(_ source: Network, _ budgets: [Budget]) throws -> SearchJob {
    SearchJob(
      network: source, dataset: subject.dataset, dataFraction: subject.dataFraction * projection.data,
      optimizer: optimizer, targets: try budgets.map { try sourceTarget($0, source) }, recipe: searchRecipe,
      divisor: subject.divisor, seed: seed, device: subject.device, loaderThreads: subject.loaderThreads)
  }

  /// The same part of the source's cost as the budget is of the target's.
  private func sourceTarget(_ budget: Budget, _ source: Network) throws -> Int {
    let ratio = Double(try source.cost().macs) / Double(try subject.target.cost().macs)
    return max(1, Int((Double(budget.macs) * ratio).rounded()))
  }

  /// Warnings about what becomes of a result on the target.
  private func remarks(_ result: SearchResult, _ source: Network) throws -> [String] {
    let budget = try budgets.first { try sourceTarget($0, source) == result.targetMACs }
    return try budget.flatMap { try match(result, $0, source).remark }.map { [$0] } ?? []
  }

  private func match(_ result: SearchResult, _ budget: Budget, _ source: Network) throws -> WidthMatch {
    if optimizer.keepsProportions {
      // The baseline is the target itself where it meets the budget, with nothing rounded.
      let network = try subject.uniform(at: budget)
      return WidthMatch(
        widths: try network.widths, network: network, scale: 1, macs: try network.cost().macs, target: budget.macs)
    }
    return try Extrapolation.match(
      multipliers: result.multipliers(of: source), from: source, to: subject.target, stacking: stacking,
      divisor: subject.divisor, targetMACs: budget.macs)
  }

  private func keep(
    _ result: SearchResult, _ budget: Budget, _ source: Network, in place: RunFolder
  ) throws -> WidthsFile {
    var file = try WidthsFile(
      match(result, budget, source), target: subject.target, source: source, projection: projection,
      algorithm: optimizer.name, targetMACs: budget.macs)
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
