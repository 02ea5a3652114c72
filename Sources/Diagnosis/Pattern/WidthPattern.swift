/// What a curve of weight-norm variance says of a layer's width.
///
/// The names are those of Chen, Bu, Yan (2024); the rules by which a curve is given one are reconstructed, for the paper's own are not
/// known and were probably the eye's.
public enum WidthPattern: String, Codable, Hashable, Sendable, CaseIterable {
  /// Increase to saturate: wide enough.
  case increaseToSaturate = "IS"
  /// Decrease to saturate: too narrow.
  case decreaseToSaturate = "DS"
  /// Between the two, or a fall that came back.
  case ambiguous
  /// The variance hardly moved.
  case flat
  /// The variance fell from the beginning.
  case neverRose
  /// Too few samples, or numbers that are not finite.
  case undetermined
}
