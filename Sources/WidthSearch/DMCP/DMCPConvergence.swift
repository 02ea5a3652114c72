import Methods
import Networks
import Records
import Support

/// How decided the chains are at the end of a search, and how networks drawn from them lie around the budget.
///
/// The official code ends with direct samples within 1 % of the budget, found by rejection; here they show how much of the
/// chains' mass lies there. The result itself is the expectation (Guo et al. 2020, section 3.4).
struct DMCPConvergence {
  /// The expected cost relative to the budget.
  let expectedCost: Double
  /// The mean over groups of the standard deviation of the width, relative to the expected width.
  let spread: Double
  /// Networks drawn from the chains that cost within 1 % of the budget.
  let samples: [[WidthGroup.ID: Int]]
  /// How many networks were drawn for these.
  let drawn: Int

  /// How far the expected cost may be from the budget, as a part of it.
  static let band = 0.05

  /// From which spread on chains are called undecided. Short searches end at 0.55 to 0.6, and ramps, which are decided by construction, at
  /// 0.04 to 0.05 (docs/results/2026-11-28-searches-that-decide.md).
  static let leastUndecided = 0.25

  /// |E − T| / T below 5 %.
  var meetsBudget: Bool { abs(expectedCost - 1) < Self.band }

  /// Whether networks drawn from the chains have about the widths that are expected of them.
  var isDecided: Bool { spread < Self.leastUndecided }

  /// Whether the chains are decided by construction.
  let isRamp: Bool

  /// What is to be said of a search that has not settled: that is, that misses its budget or has not decided.
  var warnings: [String] {
    var warnings: [String] = []
    if !meetsBudget {
      warnings.append(
        "the search ended at \(Format.percent(100 * expectedCost, 1)) of its budget, outside the 5 % band: it was too short to settle. The widths are "
          + "matched to the budget all the same; more `search-epochs` would help")
    }
    if !isDecided {
      warnings.append(
        "the chains have not decided: in networks drawn from them a width deviates by \(Format.percent(100 * spread, 0)) of itself. The widths that "
          + "are found are their expectations"
          + (isRamp ? "" : "; with `search-option` parametrisation=ramp a search of as many steps decides"))
    }
    return warnings
  }

  private static let mostDraws = 20_000

  init(
    _ network: MarkovNetwork, target: Double, samples wanted: Int, counter: CostCounter, seed: Int, isRamp: Bool
  ) throws {
    self.isRamp = isRamp
    expectedCost = network.expectedCost / target
    spread = network.spread
    var random = SeededGenerator(seed: seed, .dmcpSamples)
    var found: [[WidthGroup.ID: Int]] = []
    var drawn = 0
    while found.count < wanted, drawn < Self.mostDraws {
      drawn += 1
      let widths = network.directDraw(&random).values
      let cost = Double(counter.count(counter.groups.map { widths[$0] ?? 1 }))
      if abs(cost - target) <= 0.01 * target { found.append(widths) }
    }
    samples = found
    self.drawn = drawn
  }

  /// What `widths.json` and the report say.
  var evidence: WidthsFile.Evidence {
    var values = [
      "expectedCostOverBudget": expectedCost, "relativeWidthDeviation": spread, "directDraws": Double(drawn),
    ]
    values["directDrawsWithin1Percent"] = Double(samples.count)
    return WidthsFile.Evidence(values: values, samples: samples)
  }
}
