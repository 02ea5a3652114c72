import ImageFiles

extension Model {
  /// Scale and shift of one batch normalization.
  public struct Normalization {
    /// The position of its layer in the network.
    public let layer: Int
    /// γ, [channels].
    public let scale: Parameter
    /// β, [channels].
    public let shift: Parameter
  }

  /// The batch normalizations in network order.
  public var normalizations: [Normalization] {
    let layout = ParameterLayout(plan.resolved)
    return plan.normalizations.map { layer in
      let first = layout.first[layer]
      return Normalization(layer: layer, scale: parameters[first], shift: parameters[first + 1])
    }
  }
}
