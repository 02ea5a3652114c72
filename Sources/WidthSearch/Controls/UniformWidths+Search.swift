import Methods
import Networks

extension UniformWidths: WidthSearching {
  /// Returns the network's own widths: scaling to the budget is the FLOPs match that follows every search.
  public func search(_ context: SearchContext) throws -> [SearchResult] {
    context.untrainedResults { Double($0.width) }
  }
}
