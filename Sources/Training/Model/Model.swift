import Networks
import Support
import Torch

/// A network with parameters on a device.
///
/// Parameters are kept under PyTorch's names, so that weights move to and from PyTorch without a table of names. The model
/// runs its own network or, by slicing, any narrower one: the ability that slimmable supernets are built from.
public final class Model {
  /// The network at full width, prepared for running.
  public let plan: ExecutionPlan
  /// Where the parameters are.
  public let device: Device
  /// The learnable tensors, in PyTorch's order.
  public let parameters: [Parameter]
  /// The running statistics of the batch normalizations.
  public let statistics: BatchStatistics

  /// The parts whose activations are computed again for the derivative.
  var recomputedParts: [RecomputedPart] = []

  /// The network at full width.
  public var network: Network { plan.resolved.network }

  /// Creates a model with random weights; the same seed gives the same weights on every device.
  ///
  /// Convolutions start with He's normal initialization over the outgoing connections (He et al. 2015, as torchvision),
  /// linear layers with standard deviation 0.01, scales of batch normalization at 1, shifts and biases at 0.
  ///
  /// - Parameters:
  ///   - scalarType: The type of parameters and statistics; float64 is for comparisons.
  ///   - fuses: Whether normalizations are computed together with what is behind them; see ``ExecutionPlan``.
  public convenience init(
    _ network: Network, seed: Int, device: Device = .cpu, scalarType: ScalarType = .float32, fuses: Bool = true
  ) throws {
    try self.init(network.resolved(), seed: seed, device: device, scalarType: scalarType, fuses: fuses)
  }

  /// Creates a model of a checked network with random weights.
  public init(
    _ network: ResolvedNetwork, seed: Int, device: Device = .cpu, scalarType: ScalarType = .float32, fuses: Bool = true
  ) throws {
    plan = try ExecutionPlan(network, fuses: fuses)
    self.device = device
    let resolved = plan.resolved
    parameters = try ParameterLayout(resolved).entries.map { entry in
      let generator = try Generator(seed: Self.seed(seed, entry.name))
      let tensor = try Self.initialValue(entry, generator).to(scalarType).to(device)
      let placed = entry.shape.count == 4 ? try tensor.contiguous(.channelsLast) : tensor
      try placed.setRequiresGradient(true)
      return Parameter(name: entry.name, role: entry.role, tensor: placed)
    }
    statistics = try BatchStatistics(for: plan, scalarType, device: device)
  }

  /// The tensors of ``parameters``.
  public var tensors: [Tensor] { parameters.map(\.tensor) }

  /// The learnable tensor of a state-dict name.
  ///
  /// - Throws: `UsageFailure` when there is none.
  public func tensor(named name: String) throws -> Tensor {
    guard let parameter = parameters.first(where: { $0.name == name }) else {
      throw UsageFailure("\(network.name) has no parameter \(name)")
    }
    return parameter.tensor
  }

  /// Whether all parameters and running statistics are finite numbers. Waits for the device.
  public func isFinite() throws -> Bool {
    try withoutGradients {
      let flags = try (tensors + statistics.means + statistics.variances).map { try $0.isFinite().all() }
      return flags.isEmpty ? true : try Tensor.stack(flags).all().integerItem() == 1
    }
  }

  // By name and not by position, so that a layer starts alike in networks that differ elsewhere.
  private static func seed(_ seed: Int, _ name: String) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    var generator = SeededGenerator(seed: UInt64(bitPattern: Int64(seed)), hash)
    return generator.next()
  }

  private static func initialValue(_ entry: ParameterLayout.Entry, _ generator: Generator) throws -> Tensor {
    switch entry.role {
    case .weight where entry.shape.count == 4:
      let fanOut = Double(entry.shape[0] * entry.shape[2] * entry.shape[3])
      return try Tensor.normal(entry.shape, deviation: (2 / fanOut).squareRoot(), generator: generator)
    case .weight: return try Tensor.normal(entry.shape, deviation: 0.01, generator: generator)
    case .normScale: return try Tensor.ones(entry.shape)
    case .factor(let initial): return try Tensor.ones(entry.shape) * initial
    case .bias, .normShift: return try Tensor.zeros(entry.shape)
    }
  }
}
