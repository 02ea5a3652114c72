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
  /// Progress records by rising step; of very many, every so many-th.
  public var steps: [RunEvent.Step] { allSteps.values }
  /// Epochs by rising step; of very many, every so many-th.
  public var epochs: [RunEvent.Epoch] { allEpochs.values }
  /// States of the search by rising step; of very many, every so many-th.
  public var searches: [RunEvent.Search] { allSearches.values }
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

  private var allSteps = ThinnedSeries<RunEvent.Step> { $0.step }
  private var allEpochs = ThinnedSeries<RunEvent.Epoch> { $0.step }
  // Each holds the width of every group.
  private var allSearches = ThinnedSeries<RunEvent.Search>(limit: 1 << 12) { $0.step }

  /// The history of some events.
  public init(_ events: [TimedEvent] = []) { for event in events { append(event) } }

  /// Reads the history out of a log, of whatever length.
  ///
  /// - Throws: What reading the log throws.
  public init(log path: String) throws { try EventLog.read(path: path) { append($0) } }

  private mutating func append(_ event: TimedEvent) {
    if firstTime == nil { firstTime = event.time }
    lastTime = event.time
    append(event.event)
  }

  private mutating func append(_ event: RunEvent) {
    switch event {
    case .start(let payload): start = payload
    case .step(let payload): allSteps.append(payload)
    case .epoch(let payload): allEpochs.append(payload)
    case .search(let payload): allSearches.append(payload)
    case .widths(let payload): widths = payload
    case .checkpoint, .adaptation: break
    case .resume(let payload):
      resumes += 1
      done = nil
      allSteps.remove { $0 > payload.step }
      allEpochs.remove { $0 > payload.step }
      allSearches.remove { $0 > payload.step }
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
