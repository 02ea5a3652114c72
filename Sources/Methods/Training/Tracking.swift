/// What is followed of a training beside its loss.
public enum Tracking: String, Codable, Hashable, Sendable, CaseIterable {
  /// The weight norms of all channels, for the diagnosis of widths.
  case weightNorms = "weight-norms"
  /// How many weights change their sign in each of the first ten epochs.
  case signChanges = "sign-changes"
  /// How alike the gradients of each layer's channels are on one fixed batch.
  case gradientCosines = "gradient-cosines"
}
