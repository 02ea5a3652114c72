import Records

/// Search and extrapolation: what `width-transfer search` does.
public struct SearchPlan {
  /// The way to widths.
  public var finding: WidthFinding

  /// Describes the plan.
  public init(_ finding: WidthFinding) { self.finding = finding }

  /// Searches in a folder, or goes on, and writes `widths.json` for every budget.
  ///
  /// - Returns: One file for each budget.
  public func run(in folder: RunFolder, _ surroundings: JobSurroundings = .init()) throws -> [WidthsFile] {
    try finding.validate()
    return try finding.find(in: JobStore(folder, plan: .search, surroundings: surroundings)).map(\.file)
  }
}
