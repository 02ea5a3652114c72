import Methods
import Networks
import Torch

@testable import WidthSearch

// The tests name networks as they are written; the library takes checked ones.

extension Supernet {
  convenience init(_ network: Network, seed: Int, device: Device) throws {
    try self.init(network.resolved(), seed: seed, device: device)
  }
}

extension SearchResult {
  func multipliers(of network: Network) throws -> [String: Double] { try multipliers(of: network.resolved()).values }
}

extension WidthOptimizer {
  /// The method and all of its settings, in words.
  var identity: String { "\(name) \(settings)" }
}
