/// When a run saves a checkpoint between the ends of its epochs.
public final class CheckpointPolicy {
  /// Seconds between checkpoints.
  public let seconds: Double
  /// Steps between checkpoints; nil goes by the clock alone.
  public let steps: Int?
  private var lastTime = 0.0

  /// Creates a policy; by default a checkpoint a minute.
  public init(seconds: Double = 60, steps: Int? = nil) {
    self.seconds = seconds
    self.steps = steps
  }

  /// Whether it is time.
  public func isDue(step: Int, lastSaved: Int, now: Double) -> Bool {
    if let steps { return step - lastSaved >= steps }
    return now - lastTime >= seconds
  }

  /// Notes that a checkpoint was written.
  public func saved(at now: Double) { lastTime = now }
}
