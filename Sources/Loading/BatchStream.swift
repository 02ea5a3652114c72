import ImageFiles

/// The batches of one epoch, computed ahead of their use.
///
/// A stream belongs to one thread. Releasing it early stops its threads and waits until they have finished the batch that
/// they are at.
public final class BatchStream {
  private let prefetch: OrderedPrefetch<Batch>

  init(_ prefetch: OrderedPrefetch<Batch>) { self.prefetch = prefetch }

  /// The next batch, or nil after the last one.
  ///
  /// - Throws: what went wrong while the batch was made, for example a ``Support/FileFailure`` that names a damaged image.
  public func next() throws -> Batch? { try prefetch.next() }
}
