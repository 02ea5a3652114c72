import Methods
import Networks
import Support

extension RandomWidths: WidthSearching {
  /// Draws widths; the FLOPs match that follows every search brings them to the budget.
  public func search(_ context: SearchContext) throws -> [SearchResult] {
    var random = SeededGenerator(seed: context.seed, .randomWidths)
    let range = settings.range
    return context.untrainedResults { group in
      Double(group.width) * (range.minimum + (range.maximum - range.minimum) * random.nextUnit())
    }
  }
}
