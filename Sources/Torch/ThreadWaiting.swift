import CTorch
import Foundation
import Synchronization

/// How the threads inside one operation wait for each other, while other programs want the same processors.
///
/// A thread that has done its share may spin until the others are done, which is fastest on an idle machine, or sleep, which leaves
/// the processor to whoever holds the others up. LibTorch's OpenMP runtime decides that once, when it is loaded, and spins for
/// milliseconds: beside one busy process, a training on two cores fell to a third. Here the choice is made while the program
/// runs: the kernel counts how long our threads were ready to run and had no processor, and as soon as that is more than a little,
/// threads sleep; when it is over, they spin again.
///
/// A user's own `OMP_WAIT_POLICY`, `GOMP_SPINCOUNT` or `KMP_BLOCKTIME` is left alone. Numbers do not depend on any of this.
public enum ThreadWaiting {
  /// What decides, from how long threads have waited for a processor.
  struct Judge {
    /// Waiting threads, on average, from which on the processors count as contended. A spinning training alone has 0.01 to 0.02,
    /// beside one busy process 0.6 to 0.8.
    static let contended = 0.15
    /// Below this they are free again.
    static let free = 0.05
    /// Seconds that threads sleep at least.
    static let shortestSleep = 1.0
    /// Seconds that they sleep at most before spinning is tried again.
    static let longestSleep = 30.0

    // At the start, as a machine may be busy already: a moment of sleeping costs less than one of contention.
    private(set) var isSleeping = true
    private var since = 0.0
    private var patience = 0.0

    /// Whether threads are to sleep.
    ///
    /// - Parameters:
    ///   - waiting: Threads that waited for a processor since the last call, on average.
    ///   - now: Seconds on any clock.
    mutating func shouldSleep(waiting: Double, now: Double) -> Bool {
      if isSleeping {
        if waiting < Self.free, now - since >= patience { (isSleeping, since) = (false, now) }
      } else if waiting > Self.contended {
        // Contended again right after: the contention is our own, by threads that prepare images, and not worth a try a second.
        let isBack = now - since < 5 * max(patience, Self.shortestSleep)
        patience = isBack ? min(max(2 * patience, Self.shortestSleep), Self.longestSleep) : Self.shortestSleep
        (isSleeping, since) = (true, now)
      }
      return isSleeping
    }
  }

  private static let hasBegun = Mutex(false)

  /// Begins to watch, once in a process.
  ///
  /// - Parameter threads: Threads inside one operation; one alone waits for nobody.
  static func adapt(
    threads: Int, environment: [String: String] = ProcessInfo.processInfo.environment
  ) {
    guard threads > 1, !isChosen(by: environment), processorWait() != nil else { return }
    let isFirst = hasBegun.withLock { begun in
      defer { begun = true }
      return !begun
    }
    guard isFirst else { return }
    let thread = Thread { watch() }
    thread.name = "thread waiting"
    thread.stackSize = 1 << 18
    thread.start()
  }

  /// Whether the user has said how threads are to wait.
  static func isChosen(by environment: [String: String]) -> Bool {
    ["OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"].contains { environment[$0] != nil }
  }

  private static func watch() {
    let clock = ContinuousClock()
    let start = clock.now
    var judge = Judge()
    var last = (time: 0.0, wait: processorWait() ?? 0)
    // More members than there are processors, whatever teams there are.
    let members = Int32(ProcessInfo.processInfo.processorCount + 1)
    if ct_crowd_begin(members) != 0 { return }
    while true {
      Thread.sleep(forTimeInterval: 0.25)
      guard let wait = processorWait() else { return }
      let elapsed = (clock.now - start) / .seconds(1)
      // A thread that has ended takes its count with it.
      let waiting = max(0, wait - last.wait) / max(elapsed - last.time, 1e-3)
      last = (elapsed, wait)
      let wasSleeping = judge.isSleeping
      let sleeps = judge.shouldSleep(waiting: waiting, now: elapsed)
      guard sleeps != wasSleeping else { continue }
      let failed = sleeps ? ct_crowd_begin(members) : ct_crowd_end()
      if failed != 0 { return }
    }
  }

  /// Seconds that the threads of this process have waited for a processor, by the kernel's count; nil where it keeps none.
  static func processorWait() -> Double? {
    guard let tasks = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task") else { return nil }
    var sum: Double?
    for task in tasks {
      guard let file = FileHandle(forReadingAtPath: "/proc/self/task/\(task)/schedstat"),
        let text = try? file.readToEnd()
      else { continue }
      // Nanoseconds on a processor, nanoseconds ready without one, turns.
      let words = String(decoding: text, as: UTF8.self).split(separator: " ")
      guard words.count >= 2, let nanoseconds = Double(words[1]) else { continue }
      sum = (sum ?? 0) + nanoseconds / 1e9
    }
    return sum
  }
}
