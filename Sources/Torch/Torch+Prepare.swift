#if canImport(Glibc)
  import Glibc
#endif

extension Torch {
  /// Makes the process ready to compute on a device, so that equal work gives equal bits at the best speed.
  ///
  /// Denormal numbers count as zero, freed memory is kept for the next use, kernels are kept for many shapes, and cuDNN is asked for algorithms that give the same
  /// bits every time. From now on, the threads inside one operation wait for each other as suits the machine's load (see
  /// ``ThreadWaiting``). Calling it again changes nothing but the number of threads.
  ///
  /// - Parameter threads: Threads inside one operation; nil leaves them.
  /// - Throws: `TorchError` when LibTorch refuses.
  public static func prepare(_ device: Device, threads: Int? = nil) throws {
    if let threads, threads != Torch.threads { try setThreads(threads) }
    try setFlushDenormal(true)
    keepFreedMemory()
    keepKernels()
    if device.kind == .cuda { try setDeterministic(true) }
    ThreadWaiting.adapt(threads: Torch.threads)
  }

  /// Lets oneDNN keep the kernels that it has compiled for 16,384 shapes of convolutions, where 1,024 are the default.
  ///
  /// It compiles one for each pass and shape. A search draws sub-networks of ever other widths, some hundred shapes a step, so that few were found
  /// again and up to half of a small search went into compiling (`docs/results/search-reduction.md`). A kernel takes some 20 kB. It has to be
  /// said before the first convolution of the process; a user's own `ONEDNN_PRIMITIVE_CACHE_CAPACITY` is left alone.
  static func keepKernels() {
    guard getenv("DNNL_PRIMITIVE_CACHE_CAPACITY") == nil else { return }
    setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16384", 0)
  }
}
