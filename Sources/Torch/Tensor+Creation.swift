import CTorch

extension Tensor {
  /// A tensor of the given elements, row-major.
  public convenience init<Element: TensorElement>(_ elements: [Element], shape: [Int]? = nil, device: Device = .cpu)
    throws
  {
    self.init(
      owning: try elements.withUnsafeBytes {
        try Tensor.make($0, shape: shape ?? [elements.count], Element.scalarType, device)
      })
  }

  /// A tensor with a copy of `bytes`, row-major.
  ///
  /// - Throws: ``TorchError`` when the number of bytes does not fit `shape` and `scalarType`.
  public convenience init(
    bytes: UnsafeRawBufferPointer, shape: [Int], scalarType: ScalarType, device: Device = .cpu
  ) throws {
    self.init(owning: try Tensor.make(bytes, shape: shape, scalarType, device))
  }

  /// A CPU tensor [N, C, H, W] from a copy of bytes that lie as [N, H, W, C]; its strides are channels-last.
  public convenience init(
    channelsLastBytes bytes: UnsafeRawBufferPointer, shape: [Int], scalarType: ScalarType
  ) throws {
    guard shape.count == 4, let base = bytes.baseAddress else {
      throw TorchError(operation: "tensor from bytes", reason: "channels-last bytes need a shape [N, C, H, W]")
    }
    guard let handle = ct_from_channels_last_bytes(base, bytes.count, shape.int64, scalarType.rawValue) else {
      throw TorchError.last("tensor from bytes")
    }
    self.init(owning: handle)
  }

  private static func make(
    _ bytes: UnsafeRawBufferPointer, shape: [Int], _ type: ScalarType, _ device: Device
  ) throws -> ct_tensor {
    guard
      let handle = ct_from_bytes(
        bytes.baseAddress, bytes.count, shape.int64, Int32(shape.count), type.rawValue, device.kind.rawValue,
        device.cIndex)
    else { throw TorchError.last("tensor from bytes") }
    return handle
  }

  /// A tensor whose elements are whatever lay in memory.
  public static func empty(_ shape: [Int], _ type: ScalarType = .float32, device: Device = .cpu) throws -> Tensor {
    try wrap(
      ct_empty(shape.int64, Int32(shape.count), type.rawValue, device.kind.rawValue, device.cIndex), "empty")
  }

  /// A tensor filled with one value.
  public static func full(
    _ shape: [Int], _ value: Double, _ type: ScalarType = .float32, device: Device = .cpu
  ) throws -> Tensor {
    try wrap(
      ct_full(shape.int64, Int32(shape.count), value, type.rawValue, device.kind.rawValue, device.cIndex), "full")
  }

  /// A tensor of zeros.
  public static func zeros(_ shape: [Int], _ type: ScalarType = .float32, device: Device = .cpu) throws -> Tensor {
    try full(shape, 0, type, device: device)
  }

  /// A tensor of ones.
  public static func ones(_ shape: [Int], _ type: ScalarType = .float32, device: Device = .cpu) throws -> Tensor {
    try full(shape, 1, type, device: device)
  }

  /// Zeros of this tensor's shape, type, device and layout.
  public func zerosLike() throws -> Tensor { try wrap(ct_zeros_like(handle), "zeros_like") }

  /// Elements drawn from a normal distribution.
  public static func normal(
    _ shape: [Int], mean: Double = 0, deviation: Double = 1, _ type: ScalarType = .float32, generator: Generator,
    device: Device = .cpu
  ) throws -> Tensor {
    let tensor = try empty(shape, type, device: device)
    try check(ct_normal_(tensor.handle, mean, deviation, generator.handle), "normal")
    return tensor
  }

  /// Elements drawn uniformly from `low` up to `high`.
  public static func uniform(
    _ shape: [Int], low: Double = 0, high: Double = 1, _ type: ScalarType = .float32, generator: Generator,
    device: Device = .cpu
  ) throws -> Tensor {
    let tensor = try empty(shape, type, device: device)
    try check(ct_uniform_(tensor.handle, low, high, generator.handle), "uniform")
    return tensor
  }

  /// This tensor with another element type; itself when it has that type already.
  public func to(_ type: ScalarType) throws -> Tensor {
    try wrap(ct_to(handle, type.rawValue, -1, 0, -1, false, false), "to")
  }

  /// This tensor on another device; itself when it is there already.
  public func to(_ device: Device, nonBlocking: Bool = false) throws -> Tensor {
    try wrap(ct_to(handle, -1, device.kind.rawValue, device.cIndex, -1, nonBlocking, false), "to")
  }

  /// This tensor with its elements in the given order in memory.
  public func contiguous(_ format: MemoryFormat = .contiguous) throws -> Tensor {
    try wrap(ct_contiguous(handle, format.rawValue), "contiguous")
  }

  /// A copy with its own elements.
  public func cloned() throws -> Tensor { try wrap(ct_clone(handle), "clone") }

  /// Overwrites the elements with those of `source`, converted and broadcast as needed.
  public func copy(from source: Tensor, nonBlocking: Bool = false) throws {
    try check(ct_copy_(handle, source.handle, nonBlocking), "copy")
  }

  /// Sets all elements to one value.
  public func fill(_ value: Double) throws { try check(ct_fill_(handle, value), "fill") }
}
