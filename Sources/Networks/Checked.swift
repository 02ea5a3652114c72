/// Integer arithmetic that reports overflow instead of trapping: sizes may come from a hostile file.
struct Checked {
  /// The layer that is blamed.
  let layer: String

  /// The product of `factors`.
  func product(_ factors: Int...) throws -> Int {
    var result = 1
    for factor in factors {
      let (value, overflow) = result.multipliedReportingOverflow(by: factor)
      if overflow { throw tooLarge }
      result = value
    }
    return result
  }

  /// The sum of `terms`.
  func sum(_ terms: Int...) throws -> Int {
    var result = 0
    for term in terms {
      let (value, overflow) = result.addingReportingOverflow(term)
      if overflow { throw tooLarge }
      result = value
    }
    return result
  }

  private var tooLarge: NetworkFailure { NetworkFailure(layer: layer, "its size does not fit in 64 bits") }
}

/// Bounds that no real network reaches. Within them, single sizes can be added without a check; products cannot.
enum Limits {
  /// Channels or features of one tensor.
  static let channels = 1 << 28
  /// Pixels along one side; kernel sizes, strides and paddings too.
  static let side = 1 << 20
  /// Tensors that lie side by side in the tensors of one network, all together; DenseNet-264 has some ten thousand.
  static let segments = 1 << 20
}
