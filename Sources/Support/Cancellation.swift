#if canImport(Glibc)
  import Glibc
#endif

/// What may stop long work: asked between steps; when it says so, the work saves and leaves with ``Interrupted``.
///
/// ```swift
/// try job.run(in: folder, cancellation: Cancellation { Task.isCancelled })
/// ```
public struct Cancellation {
  private let source: () -> Int32?

  /// Stops work by a signal: its number, or nil as long as the work is to go on.
  public init(signal source: @escaping () -> Int32?) { self.source = source }

  /// Stops work when `isCancelled` says so, as SIGTERM would.
  public init(_ isCancelled: @escaping () -> Bool) { source = { isCancelled() ? SIGTERM : nil } }

  /// The signals that the process has received since ``Interruption/listen()``.
  public static var signals: Cancellation { Cancellation(signal: { Interruption.signal }) }

  /// Nothing stops the work.
  public static var never: Cancellation { Cancellation(signal: { nil }) }

  /// The signal that stops the work, or nil.
  public var signal: Int32? { source() }

  /// Waits, and no longer than until the work is stopped.
  ///
  /// - Throws: ``Interrupted`` when it is.
  public func pause(seconds: Double) throws {
    let end = ContinuousClock.now + .seconds(seconds)
    repeat {
      if let signal { throw Interrupted(signal: signal, saved: nil) }
      poll(nil, 0, 50)
    } while ContinuousClock.now < end
  }
}
