import Networks

/// Steps of a plan in a row whose activations are computed again for the derivative instead of kept.
///
/// One activation enters it, one leaves it.
struct RecomputedPart: Sendable, Hashable {
  /// The slot of what enters, −1 for the images.
  var input: Int
  /// The slot of what leaves.
  var result: Int
  /// Whether each slot of the plan is computed here.
  var computed: [Bool]
  /// The positions of the parameters that it uses.
  var parameters: [Int]
  /// Whether it draws random numbers.
  var draws: Bool
}

extension ExecutionPlan {
  /// Cuts the plan where a single activation is alive, so that the activations that are alive at once are fewest: those at the cuts, and
  /// within one part all of them.
  ///
  /// What comes behind the last part is not recomputed; its derivative follows at once. Empty where there is nothing to gain.
  var recomputedParts: [RecomputedPart] {
    let ends = endsOfSections
    guard ends.count > 2 else { return [] }
    // Elements of an image's activations inside each section, without what leaves it, and at its end.
    let elements = steps.map { step in resolved.layers[step.layers.upperBound].output.elements }
    var inside: [Int] = []
    for (index, end) in ends.enumerated() {
      let start = index == 0 ? 0 : ends[index - 1] + 1
      inside.append(elements[start...end].dropLast().reduce(0, +))
    }
    let atEnd = ends.map { elements[$0] }
    let cuts = Self.cuts(inside: inside, atEnd: atEnd)
    var parts: [RecomputedPart] = []
    var start = 0
    for cut in cuts {
      let range = start...ends[cut]
      parts.append(part(range, input: start == 0 ? -1 : steps[start - 1].result))
      start = ends[cut] + 1
    }
    return parts
  }

  /// The steps behind which only their own result is alive.
  private var endsOfSections: [Int] {
    var alive: Set<Int> = []
    var ends: [Int] = []
    for (index, step) in steps.enumerated() {
      alive.insert(step.result)
      alive.subtract(step.released)
      if alive == [step.result] { ends.append(index) }
    }
    return ends
  }

  /// The sections behind which to cut so that the sum of what is alive at cuts and the largest part's inside is smallest.
  ///
  /// For every limit to the inside that can be the largest, the cheapest cuts that keep to it.
  private static func cuts(inside: [Int], atEnd: [Int]) -> [Int] {
    let count = inside.count
    // Of all sections in front of each.
    let sums = zip(inside, atEnd).reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.0 + $1.1) }
    // Of sections first...last as one part: their insides, and what is at the ends between them.
    func whole(_ first: Int, _ last: Int) -> Int { sums[last + 1] - sums[first] - atEnd[last] }
    var best: (cost: Int, cuts: [Int]) = (whole(0, count - 1), [])
    let limits = Set((0..<count).flatMap { first in (first..<count).map { whole(first, $0) } }).sorted()
    // A hundred limits, evenly: the sum is flat about its smallest.
    for limit in limits.indices.filter({ $0.isMultiple(of: max(1, limits.count / 100)) }).map({ limits[$0] }) {
      // The cheapest cuts with the last one behind each section.
      var cost = [Int?](repeating: nil, count: count)
      var before = [Int](repeating: -1, count: count)
      for end in 0..<count {
        for first in stride(from: end, through: 0, by: -1) {
          guard whole(first, end) <= limit else { break }
          guard let earlier = first == 0 ? 0 : cost[first - 1] else { continue }
          if earlier + atEnd[end] < cost[end] ?? .max { (cost[end], before[end]) = (earlier + atEnd[end], first - 1) }
        }
      }
      guard let total = cost[count - 1], total - atEnd[count - 1] + limit < best.cost else { continue }
      var cuts: [Int] = []
      var at = before[count - 1]
      while at >= 0 {
        cuts.append(at)
        at = before[at]
      }
      best = (total - atEnd[count - 1] + limit, cuts.reversed())
    }
    return best.cuts
  }

  private func part(_ range: ClosedRange<Int>, input: Int) -> RecomputedPart {
    var computed = [Bool](repeating: false, count: slotCount)
    var parameters: Set<Int> = []
    var draws = false
    for step in steps[range] {
      computed[step.result] = true
      switch step.instruction {
      case .convolution(_, let weight, let bias), .linear(let weight, let bias):
        parameters.formUnion([weight, bias].compactMap { $0?.parameter })
      case .batchNorm(_, let channels, _, _, _): parameters.formUnion([channels.parameter, channels.parameter + 1])
      case .other(_, let slices): parameters.formUnion(slices.map(\.parameter))
      case .dropout: draws = true
      default: break
      }
    }
    return RecomputedPart(
      input: input, result: steps[range.upperBound].result, computed: computed, parameters: parameters.sorted(),
      draws: draws)
  }
}
