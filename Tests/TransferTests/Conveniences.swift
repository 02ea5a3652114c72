import Networks
import Transfer

// The tests name networks as they are written; the library takes checked ones.

extension Extrapolation {
  static func match(
    multipliers: [String: Double] = [:], from source: Network, to target: Network,
    stacking: Stacking = .averageBlock, divisor: Int = 8, targetMACs: Int? = nil
  ) throws -> WidthMatch {
    try match(
      multipliers: PerGroup(multipliers), from: source.resolved(), to: target.resolved(), stacking: stacking,
      divisor: divisor, budget: targetMACs.map { Budget(text: "\($0)", amount: $0) })
  }

  static func match(
    widths: Widths, from source: Network, to target: Network, stacking: Stacking = .averageBlock, divisor: Int = 8,
    targetMACs: Int? = nil
  ) throws -> WidthMatch {
    try match(
      widths: widths, from: source.resolved(), to: target.resolved(), stacking: stacking, divisor: divisor,
      budget: targetMACs.map { Budget(text: "\($0)", amount: $0) })
  }

  static func multipliers(
    _ multipliers: [String: Double], from source: Network, to target: Network, stacking: Stacking
  ) throws -> [String: Double] {
    try self.multipliers(PerGroup(multipliers), from: source.resolved(), to: target.resolved(), stacking: stacking)
      .values
  }

  static func multipliers(of widths: Widths, in network: Network) throws -> [String: Double] {
    try multipliers(of: widths, in: network.resolved()).values
  }
}

extension Overhead {
  static func counted(
    source: Network, sourceData: Double, target: Network, targetData: Double = 1
  ) throws -> Double {
    counted(
      source: try source.resolved(), sourceData: sourceData, target: try target.resolved(), targetData: targetData)
  }

  init(of projection: Projection, target: Network) throws { try self.init(of: projection, target: target.resolved()) }
}
