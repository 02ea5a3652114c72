import ImageFiles

/// The batches of one epoch, computed ahead of their use.
///
/// A stream belongs to one thread. Releasing it early stops its threads and waits until they have finished the batch that
/// they are at.
public final class BatchStream {
  /// A batch on its way from the thread that made it, which keeps nothing of it, to the one that takes it.
  struct Handover: @unchecked Sendable {
    let batch: Batch
  }

  private let prefetch: OrderedPrefetch<Handover>

  init(_ prefetch: OrderedPrefetch<Handover>) { self.prefetch = prefetch }

  /// The next batch, or nil after the last one.
  ///
  /// - Throws: what went wrong while the batch was made, for example a ``Support/FileFailure`` that names a damaged image.
  public func next() throws -> Batch? { try prefetch.next()?.batch }
}
