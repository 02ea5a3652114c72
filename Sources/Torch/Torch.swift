import CTorch

/// Settings of the whole library.
public enum Torch {
  /// The version of the LibTorch that runs, as it says itself.
  public static var version: String { String(cString: ct_version()) }

  /// The version of LibTorch whose headers this was compiled with.
  public static var builtVersion: String { String(cString: ct_built_version()) }

  /// Threads used inside one operation.
  public static var threads: Int { Int(ct_threads()) }

  /// Sets the number of threads used inside one operation.
  ///
  /// Sums are split by threads, so bit-identical results need the same number.
  public static func setThreads(_ count: Int) throws { try check(ct_set_threads(Int32(count)), "set threads") }

  /// Asks cuDNN for algorithms that give the same bits every time.
  public static func setDeterministic(_ deterministic: Bool) throws {
    try check(ct_set_deterministic(deterministic), "set deterministic")
  }

  /// Keeps freed host memory for the next use instead of giving it back to the system.
  ///
  /// Activations of some megabytes are allocated and freed in every step; the default allocator returns them to the
  /// system each time, and the page faults cost up to a quarter of a step of a narrow network (`scripts/bench`). For
  /// programs that train; it acts on the whole process.
  public static func keepFreedMemory() { _ = ct_keep_freed_memory() }

  /// Whether tensors on the CPU take their memory from where freed memory can be kept: from the program's start on, so that nothing changes under
  /// a computation that runs when ``keepFreedMemory()`` is called.
  package static var ownsMemory: Bool { ct_owns_memory() }

  /// Treats denormal numbers as zero on the CPU: they are far slower and mean nothing here.
  public static func setFlushDenormal(_ flush: Bool) throws {
    try check(ct_set_flush_denormal(flush), "set flush denormal")
  }
}

/// Whether operations are recorded for differentiation.
public var recordsGradients: Bool { ct_grad_enabled() }

/// Runs `body` without recording operations for differentiation.
public func withoutGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
  let former = ct_grad_enabled()
  ct_set_grad_enabled(false)
  defer { ct_set_grad_enabled(former) }
  return try body()
}

/// Runs `body` with automatic mixed precision: LibTorch casts the inputs of convolutions and matrix products to `type`.
///
/// With nil, `body` runs as its surroundings do. Scopes may be nested: an inner one has its own type, and the outer one goes on
/// after it.
public func withAutocast<Result>(_ type: ScalarType?, on device: Device, _ body: () throws -> Result) throws -> Result {
  guard let type else { return try body() }
  var wasEnabled = false
  var former: Int32 = 0
  try check(ct_autocast_begin(device.kind.rawValue, type.rawValue, &wasEnabled, &former), "autocast")
  do {
    let result = try body()
    try check(ct_autocast_end(device.kind.rawValue, wasEnabled, former), "autocast")
    return result
  } catch {
    ct_autocast_end(device.kind.rawValue, wasEnabled, former)
    throw error
  }
}
