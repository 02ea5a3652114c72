import Methods
import Records

extension WeightNormFolder {
  /// Whether what a training can follow was followed.
  package func holds(_ track: Tracking) -> Bool {
    switch track {
    case .weightNorms: exists
    case .signChanges: (try? signChanges()) != nil
    case .gradientCosines: (try? gradientCosines()) != nil
    }
  }
}
