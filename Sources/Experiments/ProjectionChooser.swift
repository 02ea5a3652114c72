import Foundation
import Records
import Support
import Transfer
import WidthSearch

/// Chooses how far to shrink network and data, so that a search takes no longer than it may: `--project auto --budget 30m`.
///
/// The first rung of a ``Transfer/ProjectionLadder`` whose search fits. Steps of the smallest rung are timed first, for a guess by
/// MACs at the others; then those of the guessed rung, and of its neighbours as long as the answer moves. A small network is slower than
/// its MACs say, so that the guess errs to the smaller side, and the time of measuring stays small beside the budget.
struct ProjectionChooser {
  /// The way to widths, with nothing projected.
  var finding: WidthFinding
  /// What the searches may take together, in seconds.
  var budget: Double
  /// How fast a search goes here.
  var pace: (SearchJob) throws -> SearchPace
  /// Seconds on some clock.
  var clock: () -> Double = { Date().timeIntervalSinceReferenceDate }

  // How much less than the MACs the time grows with a network, at the least: two thirds was seen between narrow ones.
  private static let leastGrowth = 0.6

  /// A rung with what it takes.
  private struct Candidate {
    var projection: Projection
    var searches: [SearchJob]
    var counted: Double
    /// MACs of the widest pass, times the steps, of all searches.
    var work: Double
    var measured: Double?
  }

  /// Chooses.
  ///
  /// - Throws: `UsageFailure` when not even the smallest projection fits.
  func choose() throws -> ProjectionChoice {
    let start = clock()
    var candidates = try candidates()
    let last = candidates.count - 1
    try measure(&candidates[last])
    guard let least = candidates[last].measured, least <= budget else { throw tooLong(candidates[last]) }
    var index = guess(candidates, by: last)
    // Every rung is measured once, at most.
    while true {
      try measure(&candidates[index])
      if seconds(candidates, index) > budget {
        index += 1
        continue
      }
      guard index > 0, candidates[index - 1].measured == nil,
        Self.leastGrowth * seconds(candidates, index - 1, by: index) <= budget
      else { break }
      index -= 1
    }
    let chosen = candidates[index]
    let rungs = candidates.indices.map { place in
      ProjectionChoice.Rung(
        projection: candidates[place].projection, counted: candidates[place].counted,
        seconds: seconds(candidates, place, by: index), isMeasured: candidates[place].measured != nil)
    }
    return ProjectionChoice(
      budget: budget, projection: chosen.projection, predictedSeconds: seconds(candidates, index),
      measuringSeconds: clock() - start, rungs: rungs)
  }

  private func candidates() throws -> [Candidate] {
    let subject = finding.subject
    let direct = try finding.searches()
    let steps = try direct.first?.steps() ?? 0
    let ladder = ProjectionLadder(for: subject.target, divisor: subject.divisor, steps: steps) { projection in
      (try? self.projected(projection).validate()) != nil
    }
    return try ladder.rungs.map { projection in
      let searches = try projected(projection).searches()
      let work = try searches.reduce(0) { try $0 + Double($1.scale().supernetMACs) * Double($1.steps()) }
      return Candidate(
        projection: projection, searches: searches,
        counted: try Overhead(of: projection, target: subject.target, divisor: subject.divisor).counted, work: work)
    }
  }

  private func projected(_ projection: Projection) -> WidthFinding {
    var result = finding
    result.projection = projection
    return result
  }

  private func measure(_ candidate: inout Candidate) throws {
    guard candidate.measured == nil, let search = candidate.searches.first else { return }
    let pace = try pace(search)
    candidate.measured = try candidate.searches.reduce(0) {
      try $0
        + pace.seconds(steps: $1.steps(), comparedBatches: $1.comparedBatches, comparedImages: $1.comparedImages)
    }
  }

  /// Seconds of a candidate: measured, or as another's by MACs.
  private func seconds(_ candidates: [Candidate], _ index: Int, by other: Int = 0) -> Double {
    if let measured = candidates[index].measured { return measured }
    let known = candidates[other]
    return (known.measured ?? 0) * candidates[index].work / max(known.work, 1)
  }

  private func guess(_ candidates: [Candidate], by measured: Int) -> Int {
    candidates.indices.first { seconds(candidates, $0, by: measured) <= budget } ?? measured
  }

  private func tooLong(_ smallest: Candidate) -> UsageFailure {
    UsageFailure(
      "`budget` \(Format.duration(budget)): the smallest of the projections, \(smallest.projection), still takes about "
        + "\(Format.duration(smallest.measured ?? 0)) to search on; give more time, fewer `search-epochs`, or a `project` of your own"
    )
  }
}

extension WidthFinding {
  /// With the projection that a run folder's choice names, or the one that fits best into the time; the choice is kept in the folder.
  ///
  /// - Parameters:
  ///   - budget: What the searches may take together, in seconds.
  ///   - willMeasure: Is called before anything is timed: not where a choice is kept.
  ///   - tell: Is told of a choice that was made here.
  /// - Throws: `UsageFailure` when no projection fits.
  public func fitting(
    _ budget: Double, in folder: RunFolder, willMeasure: () -> Void = {}, _ tell: (ProjectionChoice) -> Void = { _ in }
  ) throws -> WidthFinding {
    let choice: ProjectionChoice
    if let known = try ProjectionChoice.read(folder), known.budget == budget {
      choice = known
    } else {
      willMeasure()
      choice = try ProjectionChooser(finding: self, budget: budget, pace: { try $0.pace() }).choose()
      try choice.write(folder)
      tell(choice)
    }
    var result = self
    result.projection = choice.projection
    result.predictedSeconds = choice.predictedSeconds
    return result
  }
}
