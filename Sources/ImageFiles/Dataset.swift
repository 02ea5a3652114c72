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
  private let fingerprintOnce = FingerprintOnce()

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

  /// Sixteen hexadecimal digits that tell these data from others of the same name: other class names, labels, images or
  /// normalization. Taken once.
  public var fingerprint: String { get throws { try fingerprintOnce.text(of: self) } }

  /// What to warn of at the end of a training or search: images that were replaced or removed since ``fingerprint`` was taken, as far as
  /// a fingerprint shows it; nil where nothing shows.
  ///
  /// What is held in memory, in an archive or in a packed file is what was opened, whatever takes its name.
  public var changes: String? {
    get throws {
      guard try DatasetFingerprint(self).text != fingerprint else { return nil }
      return
        "images of \(name) were replaced or removed while they were being read: what was computed here is of the old ones and of the new ones. "
        + "Start anew with the data as they are now"
    }
  }

  /// The same images, normalized as a network was trained.
  public func normalized(by normalization: Normalization) -> Dataset {
    Dataset(
      name: name, training: training, heldOut: heldOut, resolution: resolution,
      normalization: normalization.converted(toChannels: channels), format: format, onBadImage: onBadImage,
      remarks: remarks)
  }

  /// The same images with the classes in another order; nil when the names are not the same.
  public func ordered(byClasses names: [String]) -> Dataset? {
    if names == classNames { return self }
    let places = Dictionary(names.enumerated().map { (ByteName($1), $0) }, uniquingKeysWith: { first, _ in first })
    let labels = classNames.compactMap { places[ByteName($0)] }
    guard labels.count == classNames.count, places.count == names.count, names.count == classNames.count else {
      return nil
    }
    return Dataset(
      name: name, training: RelabelledImages(training, classNames: names, labels: labels),
      heldOut: RelabelledImages(heldOut, classNames: names, labels: labels), resolution: resolution,
      normalization: normalization, format: format, onBadImage: onBadImage, remarks: remarks)
  }

  /// Whether the classes have names, and not only numbers.
  public var namesClasses: Bool { Self.areNames(classNames) }

  /// Whether these are names, and not only numbers.
  public static func areNames(_ names: [String]) -> Bool { !names.allSatisfy { Int($0) != nil } }
}
