import Records

/// What a run went through, in order, without what a stop and a resume made obsolete.
///
/// A run that is killed and goes on from a checkpoint repeats steps that its log already holds. Here each step counts
/// once, and its last record holds.
public struct EventHistory: Sendable, Equatable {
  /// A warning and how often it was given.
  public struct Warning: Sendable, Equatable {
    /// What a person should know.
    public var message: String
    /// How often the run said so.
    public var count: Int
  }

  /// What was known when the run began.
  public private(set) var start: RunEvent.Start?
  /// Progress records by rising step.
  public private(set) var steps: [RunEvent.Step] = []
  /// Epochs by rising step.
  public private(set) var epochs: [RunEvent.Epoch] = []
  /// States of the search by rising step.
  public private(set) var searches: [RunEvent.Search] = []
  /// The widths that the search decided on.
  public private(set) var widths: RunEvent.DecidedWidths?
  /// Warnings in the order in which they first came.
  public private(set) var warnings: [Warning] = []
  /// How often the run went on from a checkpoint.
  public private(set) var resumes = 0
  /// The end, when the run is complete.
  public private(set) var done: RunEvent.Done?
  /// When the first event happened, in seconds since 1970.
  public private(set) var firstTime: Double?
  /// When the last event happened, in seconds since 1970.
  public private(set) var lastTime: Double?

  /// Reads the history out of a log.
  public init(_ events: [TimedEvent]) {
    firstTime = events.first?.time
    lastTime = events.last?.time
    for event in events { append(event.event) }
  }

  private mutating func append(_ event: RunEvent) {
    switch event {
    case .start(let payload): start = payload
    case .step(let payload): steps.supersede(by: payload, step: \.step)
    case .epoch(let payload): epochs.supersede(by: payload, step: \.step)
    case .search(let payload): searches.supersede(by: payload, step: \.step)
    case .widths(let payload): widths = payload
    case .checkpoint, .adaptation: break
    case .resume(let payload):
      resumes += 1
      done = nil
      steps.removeAll { $0.step > payload.step }
      epochs.removeAll { $0.step > payload.step }
      searches.removeAll { $0.step > payload.step }
    case .warning(let payload):
      if let index = warnings.firstIndex(where: { $0.message == payload.message }) {
        warnings[index].count += 1
      } else {
        warnings.append(Warning(message: payload.message, count: 1))
      }
    case .done(let payload): done = payload
    }
  }
}

extension Array {
  // A run that began anew without a checkpoint gives no resume event: its first record takes the place of all from there.
  fileprivate mutating func supersede(by element: Element, step: (Element) -> Int) {
    while let last, step(last) >= step(element) { removeLast() }
    append(element)
  }
}
