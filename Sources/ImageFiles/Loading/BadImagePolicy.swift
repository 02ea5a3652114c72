import Support

/// What to do about an image that cannot be read or decoded.
public enum BadImagePolicy: String, Codable, Hashable, Sendable, CaseIterable {
  /// The work ends with an error that names the file and the reason.
  case fail
  /// The image is left out and counted. In training, the next of the epoch takes its place.
  case skip
}

/// An image that was left out.
public struct SkippedImage: Hashable, Codable, Sendable {
  /// The file, or the archive and its member.
  public var file: String
  /// Why it cannot be used.
  public var reason: String
  /// The sort of damage, for counting: see ``Kind``.
  public var kind: Kind

  /// Sorts of damage that are told apart in warnings.
  public enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
    /// The file is gone or cannot be opened.
    case missing
    /// It is an image of a format that is not read, or no image.
    case format
    /// It declares more than the limits allow.
    case limit
    /// It is cut off or its content is damaged.
    case damaged
  }

  package init(_ failure: FileFailure) {
    file = failure.path
    reason = failure.reason
    kind =
      switch failure.kind {
      case .missing: .missing
      case .unsupported: .format
      case .beyondLimit: .limit
      default: .damaged
      }
  }
}
