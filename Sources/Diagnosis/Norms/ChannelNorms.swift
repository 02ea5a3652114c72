#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The norms of the channels of one group: for each of its slices, the L2 norm of every channel's entries.
public struct ChannelNorms: Hashable, Sendable {
  /// The slices.
  public var slices: [ChannelSlice]
  /// For each slice, the norm of each channel.
  public var norms: [[Double]]

  /// Collects norms.
  ///
  /// - Precondition: As many lists of norms as slices, all of one length.
  public init(slices: [ChannelSlice], norms: [[Double]]) {
    precondition(slices.count == norms.count && Set(norms.map(\.count)).count <= 1, "norms do not fit their slices")
    self.slices = slices
    self.norms = norms
  }

  /// `u(i)` of every channel; nil when a mode has nothing to look at, or a number is not finite.
  ///
  /// - Parameters:
  ///   - mode: What is taken together.
  ///   - includesProjections: Whether the projections of shortcuts count; in the released code they do not.
  public func values(_ mode: NormMode, includesProjections: Bool = false) -> [Double]? {
    guard let logs = logarithms(mode, includesProjections: includesProjections) else { return nil }
    let values = logs.map(exp)
    return values.allSatisfy(\.isFinite) ? values : nil
  }

  // Sums of logarithms, since a residual stream is a product of up to dozens of norms.
  private func logarithms(_ mode: NormMode, includesProjections: Bool) -> [Double]? {
    let counted = slices.indices.filter { includesProjections || !slices[$0].isProjection }
    func side(_ side: ChannelSlice.Side) -> [[Double]] { counted.filter { slices[$0].side == side }.map { norms[$0] } }
    let factors: [[Double]]
    switch mode {
    case .incoming: factors = [Self.joined(side(.incoming))].compactMap { $0 }
    case .outgoing: factors = [Self.joined(side(.outgoing))].compactMap { $0 }
    case .product, .geometric: factors = counted.map { norms[$0] }
    case .perLayer: factors = [Self.joined(side(.incoming)), Self.joined(side(.outgoing))].compactMap { $0 }
    }
    let isUsable = factors.allSatisfy { $0.allSatisfy(\.isFinite) && $0.contains { $0 > 0 } }
    guard let count = factors.first?.count, isUsable else { return nil }
    let scale = mode == .geometric ? 1 / Double(factors.count) : 1
    return (0..<count).map { channel in
      // A norm of exactly 0 has no logarithm; the least that is told apart stands for it. Where all are 0 there is nothing to tell.
      scale * factors.reduce(0) { $0 + log(max($1[channel], 1e-30)) }
    }
  }

  private static func joined(_ lists: [[Double]]) -> [Double]? {
    guard let count = lists.first?.count else { return nil }
    return (0..<count).map { channel in lists.reduce(0) { $0 + $1[channel] * $1[channel] }.squareRoot() }
  }
}
