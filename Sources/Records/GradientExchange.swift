import Support

/// What gradients took on their way between the processes of a training, a step: means of one process's own steps.
public struct GradientExchange: Codable, Sendable, Equatable {
  /// How many processes trained together.
  public var processes: Int
  /// Bytes of gradients that each process put into a step's averages.
  public var bytes: Int
  /// Seconds between the first gradients' leaving and the last ones' arrival; nil where too few steps were made to tell.
  public var seconds: Double?
  /// How many of these seconds gradients were still computed, so that nothing waited.
  public var hiddenSeconds: Double?
  /// Seconds of computing gradients; nil where they were sent after it.
  public var backwardSeconds: Double?

  /// Creates the record.
  public init(
    processes: Int, bytes: Int, seconds: Double? = nil, hiddenSeconds: Double? = nil, backwardSeconds: Double? = nil
  ) {
    self.processes = processes
    self.bytes = bytes
    self.seconds = seconds
    self.hiddenSeconds = hiddenSeconds
    self.backwardSeconds = backwardSeconds
  }

  /// What a person is told of it.
  public var sentence: String {
    let size = "\(processes) processes exchanged \(Format.megabytes(bytes)) of gradients a step"
    guard let seconds else { return size }
    let hidden = min(hiddenSeconds ?? 0, seconds)
    return "\(size) in \(Format.milliseconds(seconds)), of which they waited \(Format.milliseconds(seconds - hidden))"
  }
}
