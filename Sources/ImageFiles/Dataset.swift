/// A data set: labelled images to train on and others to test with.
public struct Dataset: Sendable {
  /// The known name, or the last part of the path.
  public let name: String
  /// The images to train on.
  public let training: any ImageSource
  /// The images that training never sees.
  public let heldOut: any ImageSource
  /// 1 for grey, 3 for colour.
  public let channels: Int
  /// The names of the classes; labels are indices into them.
  public let classNames: [String]
  /// The side, in pixels, at which networks are trained on this data set unless another is asked for.
  public let resolution: Int
  /// How samples become the numbers that a network sees.
  public let normalization: Normalization

  /// What was recognised, in words, for example `IDX files`.
  public let format: String
  /// What an image that cannot be used means.
  public let onBadImage: BadImagePolicy
  /// What was left out or decided while it was opened, for people.
  public let remarks: [String]

  /// Joins two sources of the same classes.
  ///
  /// - Precondition: both sources have the same classes and channels, and the normalization has as many channels.
  public init(
    name: String, training: any ImageSource, heldOut: any ImageSource, resolution: Int, normalization: Normalization,
    format: String = "images in memory", onBadImage: BadImagePolicy = .fail,
    remarks: [String] = []
  ) {
    precondition(training.classNames == heldOut.classNames, "the two splits of \(name) have different classes")
    precondition(
      training.channels == heldOut.channels && training.channels == normalization.channels,
      "the two splits of \(name) and its normalization have different channels")
    self.name = name
    self.training = training
    self.heldOut = heldOut
    channels = training.channels
    classNames = training.classNames
    self.resolution = resolution
    self.normalization = normalization
    self.format = format
    self.onBadImage = onBadImage
    self.remarks = remarks
  }
}
