import Methods
import Support

/// A width optimizer that can be carried out here: the half of a method that works with tensors.
///
/// What a method is, its settings and what it refuses, is a ``Methods/WidthOptimizer``, which needs no LibTorch.
public protocol WidthSearching: WidthOptimizer {
  /// Searches widths of `context.network`, one result for each of `context.targets`, in their order.
  ///
  /// - Throws: `Interrupted` after a signal, with a checkpoint saved; `TrainingFailure` when a loss is not finite.
  func search(_ context: SearchContext) throws -> [SearchResult]
}

extension WidthOptimizer {
  /// This method as one that can be carried out.
  ///
  /// - Throws: `UsageFailure` for a method that is only described.
  public func searching() throws -> any WidthSearching {
    guard let method = self as? any WidthSearching else {
      throw UsageFailure("\(name) is described, but nothing here carries it out")
    }
    return method
  }
}
