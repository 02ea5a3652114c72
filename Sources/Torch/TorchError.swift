import CTorch
import Support

/// A failure inside LibTorch, with the operation and LibTorch's own message.
public struct TorchError: Failure, Equatable {
  /// The operation that failed, for example `conv2d`.
  public let operation: String
  /// LibTorch's message.
  public let reason: String

  /// The operation and the reason.
  public var message: String {
    if isCUDA { return "CUDA cannot be used: \(reason)" }
    let words = "LibTorch failed in \(operation): \(reason)"
    return isOutOfMemory ? words + ". A smaller `batch-size` takes less memory, and so does `recompute`" : words
  }

  // Nothing failed: a device or a driver is not there.
  private var isCUDA: Bool { operation == "load CUDA" }

  /// 69 when the device or its memory is what is missing, 70 otherwise.
  public var exitCode: ExitStatus {
    let isMissing = isOutOfMemory || isCUDA
    return isMissing ? .unavailable : .internalError
  }

  /// Whether memory ran out, on the host or on the device.
  public var isOutOfMemory: Bool {
    reason.contains("out of memory") || reason.contains("can't allocate memory") || reason.contains("bad_alloc")
  }

  /// Creates an error.
  public init(operation: String, reason: String) {
    self.operation = operation
    self.reason = reason
  }

  static func last(_ operation: String) -> TorchError {
    TorchError(operation: operation, reason: String(cString: ct_last_error()))
  }
}

func check(_ status: Int32, _ operation: String) throws(TorchError) {
  if status != 0 { throw TorchError.last(operation) }
}

func wrap(_ handle: ct_tensor?, _ operation: String) throws(TorchError) -> Tensor {
  guard let handle else { throw TorchError.last(operation) }
  return Tensor(owning: handle)
}
