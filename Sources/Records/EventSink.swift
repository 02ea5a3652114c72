/// A reader of the stream of events: a log file, a progress bar, a TensorBoard writer.
public protocol EventSink: AnyObject {
  /// Takes one event. Called on the training thread: it must be quick.
  func receive(_ event: TimedEvent) throws
  /// Makes everything received so far durable; called before each checkpoint and at the end.
  func flush() throws
}

extension EventSink {
  /// Nothing to make durable.
  public func flush() throws {}
}
