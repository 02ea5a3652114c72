import Foundation
import Networks
import Torch

/// What the time of a training step goes to.
///
/// Convolutions and matrix products are bound by arithmetic; other operations by the memory that they read and write, whose least time is
/// their bytes at the machine's bandwidth; the rest is what each operation costs however small it is: its call, the graph, allocation.
struct StepLimits: Encodable {
  var network: String
  /// Milliseconds of a step, measured without and with the operations' times.
  var total: Double
  var measuredTotal: Double
  /// Milliseconds in convolutions and matrix products.
  var convolutions: Double
  /// 10⁹ multiply-accumulates of convolutions a second, three for each of the forward pass.
  var gigaMACs: Double
  /// Milliseconds in other operations, and what their bytes take at `bandwidth`.
  var passes: Double
  var passesAtBandwidth: Double
  /// Milliseconds outside of both.
  var rest: Double
  /// Bytes a second of adding one array of 128 MB to another, in 10⁹.
  var bandwidth: Double
  /// Calls of operations in a step.
  var calls: Double
  /// The operations other than convolutions that take longest, milliseconds a step.
  var longest: [String: Double]

  init(of network: ResolvedNetwork, batchSize: Int, iterations: Int, warmUp: Int, _ step: () throws -> Void) throws {
    self.network = network.name
    bandwidth = try Self.measureBandwidth()
    for _ in 0..<warmUp { try step() }
    func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    func milliseconds(_ body: () throws -> Void) rethrows -> Double {
      let start = Date()
      try body()
      return Date().timeIntervalSince(start) * 1000
    }
    total = try median((0..<iterations).map { _ in try milliseconds(step) })
    var times: [OperationTime] = []
    let measured = try milliseconds {
      times = try Torch.measuringOperations { for _ in 0..<iterations { try step() } }
    }
    measuredTotal = measured / Double(iterations)
    let scale = 1000 / Double(iterations)
    let products = times.filter { Self.isProduct($0.name) }
    let others = times.filter { !Self.isProduct($0.name) && $0.name != "autograd" }
    convolutions = products.reduce(0) { $0 + $1.seconds } * scale
    passes = others.reduce(0) { $0 + $1.seconds } * scale
    passesAtBandwidth = others.reduce(0) { $0 + $1.bytes } / (bandwidth * 1e9) * scale
    rest = measuredTotal - convolutions - passes
    gigaMACs = 3 * Double(network.cost.macs) * Double(batchSize) / (convolutions * 1e-3) * 1e-9
    calls = Double(times.reduce(0) { $0 + $1.calls }) / Double(iterations)
    longest = Dictionary(
      uniqueKeysWithValues: others.sorted { $0.seconds > $1.seconds }.prefix(6).map { ($0.name, $0.seconds * scale) })
  }

  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  private static func isProduct(_ name: String) -> Bool {
    ["conv", "addmm", "aten::mm", "matmul", "linear"].contains { name.contains($0) }
  }

  private static func measureBandwidth() throws -> Double {
    let count = 1 << 25
    let (sum, term) = (try Tensor.ones([count]), try Tensor.ones([count]))
    var best = 0.0
    for _ in 0..<8 {
      let start = Date()
      try sum.add(inPlace: term)
      best = max(best, 12 * Double(count) / Date().timeIntervalSince(start) * 1e-9)
    }
    return best
  }
}
