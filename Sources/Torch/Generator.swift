import CTorch

/// A source of random numbers on a device.
///
/// Not safe for use from several threads at once.
public final class Generator {
  let handle: ct_generator

  /// Creates a generator.
  public init(seed: UInt64, device: Device = .cpu) throws {
    guard let handle = ct_generator_new(device.kind.rawValue, device.cIndex, seed) else {
      throw TorchError.last("generator")
    }
    self.handle = handle
  }

  deinit { ct_generator_free(handle) }

  /// Starts the sequence of `seed` from its beginning.
  public func seed(_ seed: UInt64) throws { try check(ct_generator_seed(handle, seed), "seed") }

  /// A number from the beta distribution. The generator is one of the CPU.
  public func nextBeta(_ a: Double, _ b: Double) throws -> Double {
    var value = 0.0
    try check(ct_beta(a, b, handle, &value), "beta")
    return value
  }
}
