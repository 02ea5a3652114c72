import Networks
import Support
import Torch
import Training

/// Measures with LibTorch, as this package evaluates networks.
public struct TorchClock: LatencyClock {
  private let device: Device
  private let cancellation: Cancellation
  /// The threads inside one operation.
  public let threads: Int

  /// - Parameters:
  ///   - device: Where to compute; made ready by `Torch.prepare`.
  ///   - threads: The threads inside one operation; nil for as many as there are.
  ///   - cancellation: What may stop it.
  public init(device: Device = .cpu, threads: Int? = nil, _ cancellation: Cancellation = .signals) {
    self.device = device
    self.threads = threads ?? Torch.threads
    self.cancellation = cancellation
  }

  /// `libtorch` with its version.
  public var runtime: String { "libtorch \(Torch.version)" }
  /// The seconds of the step's pass.
  public func seconds(ofStep network: ResolvedNetwork) throws -> Double { try seconds(of: network) }

  /// The seconds of one forward pass of one image, batch normalizations folded.
  public func seconds(of network: ResolvedNetwork) throws -> Double {
    if let signal = cancellation.signal { throw Interrupted(signal: signal, saved: nil) }
    let before = Torch.threads
    try Torch.prepare(device, threads: threads)
    defer { try? Torch.prepare(device, threads: before) }
    return try withoutGradients {
      let model = try Model(network.withoutFoldedNormalizations(), seed: 0, device: device)
      let shape = [1, network.input.channels, network.input.height, network.input.width]
      let image = try Tensor.normal(
        shape, generator: Generator(seed: 0, device: device), device: device
      ).contiguous(.channelsLast)
      let options = ForwardOptions(.evaluation)
      return try Timing.least {
        let result = try model.forward(image, options)
        // A device works on by itself until somebody reads what it has computed.
        if device != .cpu { _ = try result.slice(0, 0..<1).sum().item() }
      }
    }
  }
}
