import Support

/// Shifts the colours of images along the principal components of ImageNet's colours (Krizhevsky et al., "ImageNet
/// Classification with Deep Convolutional Neural Networks", 2012, section 4.1).
///
/// Components and their variances are those of facebook/fb.resnet.torch, for pixels from 0 to 1.
public struct LightingNoise: Hashable, Sendable, Encodable {
  /// The standard deviation of the three random numbers that weight the components.
  public var std: Double

  /// Creates a noise; 0.1 is AlexNet's.
  public init(std: Double = 0.1) { self.std = std }

  /// Throws unless the value makes sense.
  ///
  /// - Throws: ``Support/UsageFailure``.
  public func validate() throws {
    guard (0...10).contains(std) else { throw UsageFailure("lighting: std is \(std); it lies in 0...10") }
  }

  /// What to add to the samples of each channel, in units of pixels from 0 to 1; a grey image gets the mean of the three.
  ///
  /// The weights of the components are three normal draws from `generator`, the largest component first.
  func shift(channels: Int, _ generator: inout SeededGenerator) -> [Float] {
    let weights = Self.variances.map { $0 * std * generator.nextNormal() }
    let shift = Self.components.map { row in zip(row, weights).reduce(0) { $0 + $1.0 * $1.1 } }
    return channels == 1 ? [Float(shift.reduce(0, +) / 3)] : shift.map { Float($0) }
  }

  /// The eigenvalues of the covariance of red, green and blue.
  private static let variances = [0.2175, 0.0188, 0.0045]
  /// The eigenvectors, as columns; the rows are red, green and blue.
  private static let components = [
    [-0.5675, 0.7192, 0.4009],
    [-0.5808, -0.0045, -0.8140],
    [-0.5836, -0.6948, 0.4203],
  ]
}
