/// A ``RunEvent`` with the moment at which it happened: one line of `events.jsonl`.
public struct TimedEvent: Sendable, Equatable {
  /// Seconds since 1970.
  public var time: Double
  /// What happened.
  public var event: RunEvent

  /// Creates a line.
  public init(time: Double, event: RunEvent) {
    self.time = time
    self.event = event
  }
}

extension TimedEvent: Codable {
  private enum Keys: String, CodingKey { case time, event }

  /// Reads `time`, `event` and the fields of that kind of event.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Keys.self)
    time = try container.decode(Double.self, forKey: .time)
    let kind = try container.decode(String.self, forKey: .event)
    switch kind {
    case "start": event = .start(try .init(from: decoder))
    case "step": event = .step(try .init(from: decoder))
    case "epoch":
      let payload = try RunEvent.Epoch(from: decoder)
      // People count from 1.
      guard (0..<Int.max).contains(payload.epoch) else {
        throw DecodingError.dataCorruptedError(
          forKey: .event, in: container, debugDescription: "there is no epoch \(payload.epoch)")
      }
      event = .epoch(payload)
    case "search": event = .search(try .init(from: decoder))
    case "widths": event = .widths(try .init(from: decoder))
    case "adaptation": event = .adaptation(try .init(from: decoder))
    case "checkpoint": event = .checkpoint(try .init(from: decoder))
    case "resume": event = .resume(try .init(from: decoder))
    case "warning": event = .warning(try .init(from: decoder))
    case "done": event = .done(try .init(from: decoder))
    default:
      throw DecodingError.dataCorruptedError(
        forKey: .event, in: container, debugDescription: "unknown event '\(kind)'")
    }
  }

  /// Writes the payload's fields beside `time` and `event`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Keys.self)
    try container.encode(time, forKey: .time)
    let (kind, payload): (String, any Encodable) =
      switch event {
      case .start(let payload): ("start", payload)
      case .step(let payload): ("step", payload)
      case .epoch(let payload): ("epoch", payload)
      case .search(let payload): ("search", payload)
      case .widths(let payload): ("widths", payload)
      case .adaptation(let payload): ("adaptation", payload)
      case .checkpoint(let payload): ("checkpoint", payload)
      case .resume(let payload): ("resume", payload)
      case .warning(let payload): ("warning", payload)
      case .done(let payload): ("done", payload)
      }
    try container.encode(kind, forKey: .event)
    try payload.encode(to: encoder)
  }
}
