/// Looks at a training between its epochs, and changes nothing in it.
public protocol TrainingObserver {
  /// Called once before the first step of a start.
  ///
  /// - Parameters:
  ///   - ended: The epochs that are complete.
  ///   - isNew: Whether no step was made yet.
  func begin(_ model: Model, afterEpochs ended: Int, isNew: Bool) throws
  /// Called after each epoch, before its checkpoint is saved.
  ///
  /// - Parameters:
  ///   - endedEpochs: The epochs that are complete, this one included.
  ///   - learningRate: That of the epoch's last step.
  func endEpoch(_ model: Model, endedEpochs: Int, learningRate: Double) throws
}
