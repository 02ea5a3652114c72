extension Torch {
  /// Makes the process ready to compute on a device, so that equal work gives equal bits at the best speed.
  ///
  /// Denormal numbers count as zero, freed memory is kept for the next use, and cuDNN is asked for algorithms that give the same
  /// bits every time. From now on, the threads inside one operation wait for each other as suits the machine's load (see
  /// ``ThreadWaiting``). Calling it again changes nothing but the number of threads.
  ///
  /// - Parameter threads: Threads inside one operation; nil leaves them.
  /// - Throws: `TorchError` when LibTorch refuses.
  public static func prepare(_ device: Device, threads: Int? = nil) throws {
    if let threads, threads != Torch.threads { try setThreads(threads) }
    try setFlushDenormal(true)
    keepFreedMemory()
    if device.kind == .cuda { try setDeterministic(true) }
    ThreadWaiting.adapt(threads: Torch.threads)
  }
}
