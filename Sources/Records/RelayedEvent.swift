import Foundation
import Support

/// An event of a job that another process does, as one line of that process's output.
public struct RelayedEvent: Codable, Sendable, Equatable {
  /// What the job is called.
  public var label: String
  /// What happened.
  public var event: TimedEvent

  /// Creates the record.
  public init(label: String, event: TimedEvent) {
    self.label = label
    self.event = event
  }

  /// Reads a line; nil when it is none of these.
  public init?(line: String) {
    guard let event = try? JSONDecoder.own.decode(RelayedEvent.self, from: Data(line.utf8)) else { return nil }
    self = event
  }

  /// The line, without its end.
  public func line() throws -> Data { try JSONEncoder.compact.encode(self) }
}

/// Hands events on to the process that has started this one.
public final class EventRelay: EventSink {
  private let label: String
  private let write: (Data) throws -> Void

  /// Creates a relay.
  ///
  /// - Parameters:
  ///   - label: What the job is called.
  ///   - write: Where a line goes, its end included.
  public init(label: String, write: @escaping (Data) throws -> Void) {
    self.label = label
    self.write = write
  }

  /// Hands an event on.
  public func receive(_ event: TimedEvent) throws {
    try write(RelayedEvent(label: label, event: event).line() + Data([0x0A]))
  }
}
