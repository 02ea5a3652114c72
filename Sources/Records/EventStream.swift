import Foundation

/// Sends events, with the time, to every reader.
public final class EventStream {
  private let sinks: [any EventSink]
  private let now: () -> Double

  /// Creates a stream.
  ///
  /// - Parameter now: Seconds since 1970; tests pass their own clock.
  public init(_ sinks: [any EventSink] = [], now: @escaping () -> Double = { Date().timeIntervalSince1970 }) {
    self.sinks = sinks
    self.now = now
  }

  /// Sends an event to every reader.
  public func send(_ event: RunEvent) throws {
    let timed = TimedEvent(time: now(), event: event)
    for sink in sinks { try sink.receive(timed) }
  }

  /// Asks every reader to make durable what it has.
  public func flush() throws {
    for sink in sinks { try sink.flush() }
  }
}
