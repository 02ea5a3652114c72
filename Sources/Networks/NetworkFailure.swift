import Support

/// A network that cannot exist: shapes that do not fit, a missing layer, widths that belong to another network.
public struct NetworkFailure: Failure, Equatable {
  /// The file that the network was read from, if it was.
  public var file: String?
  /// The name of the layer at fault, if one is.
  public let layer: String?
  /// What is wrong with it and what to do.
  public let reason: String

  /// Creates a failure.
  ///
  /// - Parameters:
  ///   - layer: The layer at fault; nil when the fault is not one layer's.
  ///   - reason: What was found, what was expected and what to do.
  ///   - file: The file that the network was read from.
  public init(layer: String? = nil, _ reason: String, file: String? = nil) {
    self.file = file
    self.layer = layer
    self.reason = reason
  }

  /// File, layer and reason in one line.
  public var message: String {
    var text = ""
    if let file { text += "\(file): " }
    if let layer { text += "layer \(layer): " }
    return text + reason
  }

  /// Always ``ExitStatus/badData``.
  public var exitCode: ExitStatus { .badData }
}
