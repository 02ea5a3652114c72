import CTorch
import Support

/// Where a tensor lives and is computed on.
public struct Device: Sendable, Hashable, CustomStringConvertible {
  /// The kind of device, with LibTorch's numbering.
  public enum Kind: Int32, Sendable, Hashable {
    /// The host's processor.
    case cpu = 0
    /// An NVIDIA GPU.
    case cuda = 1
  }

  /// The kind of device.
  public let kind: Kind
  /// Which one of its kind; 0 for the CPU.
  public let index: Int

  /// The host's processor.
  public static let cpu = Device(kind: .cpu, index: 0)

  /// The CUDA device with the given index.
  public static func cuda(_ index: Int = 0) -> Device { Device(kind: .cuda, index: index) }

  var cIndex: Int32 { kind == .cpu ? -1 : Int32(index) }

  /// `cpu`, `cuda:0`, …
  public var description: String { kind == .cpu ? "cpu" : "cuda:\(index)" }

  /// Reads `cpu`, `cuda`, `cuda:1` or `auto` and makes sure that the device can be used.
  ///
  /// - Throws: ``Support/UsageFailure`` for other words, ``TorchError`` (exit code 69) when CUDA or that GPU is not there.
  public static func named(_ name: String) throws -> Device {
    if name == "cpu" { return .cpu }
    if name == "auto" {
      return (try? loadCUDA()) != nil && ct_cuda_device_count() > 0 ? .cuda() : .cpu
    }
    let parts = name.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.first == "cuda", parts.count <= 2,
      let index = parts.count == 1 ? 0 : Int(parts[1]), index >= 0
    else { throw UsageFailure("`device` \(name): expected cpu, cuda, cuda:N or auto") }
    try loadCUDA()
    let count = Int(ct_cuda_device_count())
    guard index < count else {
      throw TorchError(
        operation: "load CUDA", reason: "there is no device cuda:\(index); this machine has \(count). Use `device` cpu")
    }
    return .cuda(index)
  }

  private static func loadCUDA() throws {
    guard ct_load_cuda() == 0 else {
      throw TorchError(
        operation: "load CUDA",
        reason: String(cString: ct_last_error())
          + ". This needs an NVIDIA driver and a CUDA build of LibTorch (set LIBTORCH or install the CUDA wheel of "
          + "torch, then run scripts/bootstrap); `device` cpu runs without")
    }
  }

  /// Waits until everything asked of the device is done.
  public func synchronize() throws { try check(ct_synchronize(kind.rawValue, Int32(index)), "synchronize") }
}
