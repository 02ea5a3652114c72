import Methods
import Training

extension DMCPSettings.Residual {
  /// Where the factors act in a forward pass.
  var placement: ForwardOptions.ScalePlacement { self == .branch ? .normalizations : .additions }
}
