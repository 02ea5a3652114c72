import Networks
import Records
import Support

extension PageParts {
  // What the methods call their numbers, in words; other names are shown as they are.
  private static let names: [String: String] = [
    "expectedCostOverBudget": "Expected cost ÷ budget",
    "relativeWidthDeviation": "Undecided: mean deviation of a width",
    "directDraws": "Networks drawn from the chains", "directDrawsWithin1Percent": "Of these within 1% of the budget",
    "kappa": "κ", "lambda": "λ", "growth": "Expanded by", "costAfterShrinkOverBudget": "Cost after shrinking ÷ budget",
    "rounds": "Rounds", "keptChannels": "Channels kept", "channels": "Channels ranked", "meanScore": "Mean scale",
    "groupsAtMinimum": "Groups at their least width", "descentSteps": "Steps of the descent",
    "heldOutImages": "Images compared on", "steps": "Steps until the widths had settled",
    "plannedSteps": "Steps planned",
  ]

  /// What speaks for a search's result, in the method's own terms.
  static func evidence(_ evidence: WidthsFile.Evidence) -> [Page.Fact] {
    evidence.values.sorted { $0.key < $1.key }.map { name, value in
      Page.Fact(name: names[name] ?? name, value: Format.significant(value))
    }
  }
}
