import CTorch

/// A multi-dimensional array on a device, with LibTorch behind it.
///
/// A tensor is a reference: copies share elements, and in-place operations (their names begin with a verb such as
/// `fill`, `add(inPlace:)`) change them for all. So it belongs to one thread at a time: who hands one to another thread keeps
/// nothing of it.
public final class Tensor {
  let handle: ct_tensor

  init(owning handle: ct_tensor) { self.handle = handle }

  deinit { ct_tensor_free(handle) }

  /// The size of each dimension.
  public var shape: [Int] {
    let count = Int(ct_dims(handle))
    return [Int](
      unsafeUninitializedCapacity: count,
      initializingWith: { buffer, initialized in
        var sizes = [Int64](repeating: 0, count: Swift.max(count, 1))
        ct_sizes(handle, &sizes)
        for i in 0..<count { buffer.initializeElement(at: i, to: Int(sizes[i])) }
        initialized = count
      })
  }

  /// Elements between neighbours, by dimension.
  public var strides: [Int] {
    var strides = [Int64](repeating: 0, count: Swift.max(Int(ct_dims(handle)), 1))
    ct_strides(handle, &strides)
    return strides.prefix(Int(ct_dims(handle))).map(Int.init)
  }

  /// The number of dimensions.
  public var rank: Int { Int(ct_dims(handle)) }

  /// The number of elements.
  public var count: Int { Int(ct_numel(handle)) }

  /// The type of the elements; float32 for the exotic types that this package never makes.
  public var scalarType: ScalarType { ScalarType(rawValue: ct_scalar_type(handle)) ?? .float32 }

  /// Where the tensor lives.
  public var device: Device {
    Device(kind: Device.Kind(rawValue: ct_device_type(handle)) ?? .cpu, index: Int(ct_device_index(handle)))
  }

  /// Whether the elements lie in memory in the given order without gaps.
  public func isContiguous(_ format: MemoryFormat = .contiguous) -> Bool {
    ct_is_contiguous(handle, format.rawValue)
  }

  /// The only element, as a double. Waits for the device.
  public func item() throws -> Double {
    var value = 0.0
    try check(ct_item_double(handle, &value), "item")
    return value
  }

  /// The only element, as an integer. Waits for the device.
  public func integerItem() throws -> Int {
    var value: Int64 = 0
    try check(ct_item_int(handle, &value), "item")
    return Int(value)
  }

  /// The elements in row-major order, converted to `Element` when needed.
  public func array<Element: TensorElement>(_ type: Element.Type = Element.self) throws -> [Element] {
    let source = scalarType == Element.scalarType ? self : try to(Element.scalarType)
    let count = source.count
    return try [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
      try check(
        ct_copy_to_bytes(source.handle, buffer.baseAddress, count * MemoryLayout<Element>.stride), "copy to host")
      initialized = count
    }
  }

  /// Copies the elements, row-major, into memory of exactly their size.
  public func copyBytes(to buffer: UnsafeMutableRawBufferPointer) throws {
    try check(ct_copy_to_bytes(handle, buffer.baseAddress, buffer.count), "copy to host")
  }

  /// Calls `body` with the elements' bytes, row-major, without a copy where they already lie so on the CPU.
  public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
    let size = count * scalarType.byteCount
    let host = ct_data(handle) != nil ? self : try detached().to(Device.cpu).contiguous()
    guard let data = ct_data(host.handle) else {
      if size == 0 { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
      throw TorchError(operation: "read", reason: "the tensor's elements are not accessible")
    }
    return try withExtendedLifetime(host) { try body(UnsafeRawBufferPointer(start: data, count: size)) }
  }
}

extension Array where Element == Int {
  var int64: [Int64] { map(Int64.init) }
}
