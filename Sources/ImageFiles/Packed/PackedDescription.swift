/// What a packed file says of its images as a whole.
struct PackedDescription: Codable, Hashable, Sendable {
  /// One split.
  struct Split: Codable, Hashable, Sendable {
    /// The number of images.
    var images: Int
    /// Width and height where all are small and have one size.
    var uniformSize: [Int]?
  }

  /// What the data set is called.
  var name: String
  /// What it was packed from, in words.
  var source: String
  var classNames: [String]
  var channels: Int
  /// The side at which networks are trained on it unless another is asked for.
  var resolution: Int
  var normalization: Normalization
  var training: Split
  var heldOut: Split
}
