/// The type of a tensor's elements, with LibTorch's own numbering.
public enum ScalarType: Int32, Sendable, Hashable, Codable, CaseIterable {
  /// Unsigned 8-bit integer.
  case uint8 = 0
  /// Signed 8-bit integer.
  case int8 = 1
  /// Signed 16-bit integer.
  case int16 = 2
  /// Signed 32-bit integer.
  case int32 = 3
  /// Signed 64-bit integer.
  case int64 = 4
  /// IEEE half precision.
  case float16 = 5
  /// Single precision.
  case float32 = 6
  /// Double precision.
  case float64 = 7
  /// Boolean, one byte.
  case bool = 11
  /// Brain floating point.
  case bfloat16 = 15

  /// Bytes of one element.
  public var byteCount: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .int16, .float16, .bfloat16: 2
    case .int32, .float32: 4
    case .int64, .float64: 8
    }
  }
}

/// A Swift type that a tensor's elements can be read and written as.
public protocol TensorElement: Sendable, BitwiseCopyable {
  /// The tensor's element type.
  static var scalarType: ScalarType { get }
}

extension UInt8: TensorElement {
  /// ``ScalarType/uint8``.
  public static var scalarType: ScalarType { .uint8 }
}
extension Int32: TensorElement {
  /// ``ScalarType/int32``.
  public static var scalarType: ScalarType { .int32 }
}
extension Int64: TensorElement {
  /// ``ScalarType/int64``.
  public static var scalarType: ScalarType { .int64 }
}
extension Float: TensorElement {
  /// ``ScalarType/float32``.
  public static var scalarType: ScalarType { .float32 }
}
extension Double: TensorElement {
  /// ``ScalarType/float64``.
  public static var scalarType: ScalarType { .float64 }
}
