import Foundation
import Methods
import Testing

@testable import WidthSearch

@Suite struct GreedyDescentTests {
  // Worked by hand: accuracy = 100 − la[kA] − lb[kB] with k from 1 to 4; FLOPs = kA + kA · kB.
  private static let losses: [[Double]] = [[7, 3, 1, 0], [9, 3.5, 2, 0]]

  private static func cost(_ levels: [Int]) -> Int { (levels[0] + 1) * (levels[1] + 2) }

  private static func score(_ levels: [Int]) -> GreedyDescent.Score {
    let error = zip(losses, levels).reduce(0) { $0 + $1.0[$1.1] }
    return .init(errors: Int(2 * error), loss: 0)
  }

  private func descend(to budget: Int, from candidates: [Int] = [4, 4]) -> (GreedyDescent, groups: [Int], costs: [Int])
  {
    var descent = GreedyDescent(candidates: candidates)
    var groups: [Int] = []
    var costs = [Self.cost(descent.levels)]
    while Self.cost(descent.levels) > budget {
      let scores = descent.movable.map { Self.score(descent.lowered($0)) }
      guard let group = descent.step(scores: scores, cost: Self.cost) else { break }
      groups.append(group)
      costs.append(Self.cost(descent.levels))
    }
    return (descent, groups, costs)
  }

  @Test("The specification's example ends at (2, 3)")
  func example() {
    let (descent, groups, costs) = descend(to: 9)
    #expect(descent.levels == [1, 2])
    #expect(groups == [0, 0, 1])  // the second is a tie
    #expect(costs == [20, 15, 10, 8])
  }

  @Test("Costs fall strictly, one group a step, down to the narrowest; a group at its end is not asked about")
  func monotone() {
    let (descent, groups, costs) = descend(to: 0)
    #expect(descent.levels == [0, 0] && groups.count == 6 && descent.movable.isEmpty)
    #expect(zip(costs, costs.dropFirst()).allSatisfy { $0 > $1 })
    let (narrow, moved, _) = descend(to: 0, from: [1, 3])
    #expect(narrow.levels == [0, 0] && moved == [1, 1])
  }

  @Test("A budget beyond the widest changes nothing")
  func wide() {
    #expect(descend(to: 20).groups.isEmpty)
  }

  @Test("Ties: lower loss, then the larger saving, then the first")
  func ties() {
    func winner(_ losses: [Double], _ savings: [Int]) -> Int? {
      var descent = GreedyDescent(candidates: [2, 2])
      return descent.step(scores: losses.map { .init(errors: 5, loss: $0) }) { levels in
        100 - (levels[0] == 0 ? savings[0] : savings[1])
      }
    }
    #expect(winner([2, 1], [9, 1]) == 1)
    #expect(winner([1, 1], [1, 9]) == 1)
    #expect(winner([1, 1], [4, 4]) == 0)
  }

  @Test("A descent survives being saved")
  func saved() throws {
    let (descent, _, _) = descend(to: 9)
    #expect(try JSONDecoder().decode(GreedyDescent.self, from: JSONEncoder().encode(descent)) == descent)
  }
}
