import Foundation
import Methods
import ProcessGroups
import Records
import Support
import Testing
import Torch
import Training

@testable import WidthSearch

/// Searches that several processes make together.
@Suite(.enabled(if: ProcessGroup.isAvailable, "Gloo's headers were not there"))
struct CohortSearchTests {
  private func search(_ name: String, rate: Double = 0.05) throws -> ToySearch {
    var search = ToySearch()
    let settings = name == "morphnet" ? ["kappa": "10", "rounds": "2"] : [:]
    search.optimizer = try WidthOptimizers.named(name, settings: settings).searching()
    search.recipe.normWeightDecay = 0
    search.recipe.learningRate = rate
    return search
  }

  private func results(
    _ search: ToySearch, _ group: ProcessGroup?, _ folder: TemporaryFolder? = nil, synchronizes: Bool = true,
    signal: @escaping () -> Int32? = { nil }
  ) throws -> SearchResult {
    let cohort = Cohort(group, synchronizesNorms: synchronizes, signal: signal)
    var context = try search.context(folder, cohort: cohort)
    context.cancellation = Cancellation(signal: signal)
    return try #require(try search.optimizer?.search(context).first)
  }

  @Test("Every process ends with the same widths to the bit", arguments: MethodTests.searches, [2, 3])
  func agree(name: String, count: Int) throws {
    let search = try search(name)
    for synchronizes in [false, true] {
      let found = try inProcesses(count) { try results(search, $0, synchronizes: synchronizes) }
      for result in found {
        expectEqual(result, found[0])
        #expect(result.cost.flops == found[0].cost.flops)
      }
    }
  }

  // Of 32 images, three processes have 10, 11 and 11.
  @Test(
    "Several processes find what one finds, but for rounding, at the same cost", arguments: MethodTests.searches,
    [2, 3])
  func sameMathematics(name: String, count: Int) throws {
    // Gentle steps, so that roundings do not grow.
    let search = try search(name, rate: 0.005)
    let alone = try results(search, nil)
    for result in try inProcesses(count, { try results(search, $0) }) {
      expectClose(result.cost.flops, alone.cost.flops, tolerance: 1e-12)
      #expect(result.history.map(\.step) == alone.history.map(\.step))
      for (group, width) in alone.channels {
        expectClose(result.channels[group] ?? 0, width, tolerance: 1e-3, "\(group)")
      }
    }
  }

  @Test(
    "A search that stops goes on with any number of processes, with as many as before to the same end",
    arguments: MethodTests.searches, [2, 3])
  func elastic(name: String, count: Int) throws {
    let search = try search(name)
    let folder = try TemporaryFolder()
    let stopped = try inProcesses(2) { group -> Bool in
      var asked = 0
      let signal: () -> Int32? = {
        asked += 1
        return group.rank == 1 && asked >= 4 ? SIGTERM : nil
      }
      do { _ = try results(search, group, group.rank == 0 ? folder : nil, signal: signal) } catch is Interrupted {
        return true
      }
      return false
    }
    #expect(stopped == [true, true])
    let found = try inProcesses(count) { group in
      try results(search, group, group.rank == 0 ? folder : nil)
    }
    for result in found { expectEqual(result, found[0]) }
    #expect(found[0].history.last?.step ?? 0 > 4)
    if count == 2 {
      let straight = try inProcesses(2) { try results(search, $0) }
      expectEqual(found[0], straight[0])
    }
  }
}
