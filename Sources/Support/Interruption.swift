import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Turns SIGINT, SIGTERM and the end of the terminal (SIGHUP) into a flag that long work looks at between its steps, so that it can save and leave.
public enum Interruption {
  private static let received = Atomic<Int32>(0)
  // Of the first SIGINT and the first SIGTERM, in nanoseconds of a clock that only goes on; 0 before it. One of another kind is no second one:
  // the end of a terminal is followed by the end of its session, a notebook's stop by its restart.
  private static let firstInterrupt = Atomic<Int64>(0)
  private static let firstTermination = Atomic<Int64>(0)
  private static let patience: Int64 = 1_000_000_000

  /// Begins to listen. A second SIGINT, or a second SIGTERM, ends the process at once, where it comes a second or more after the first: who stops a
  /// group of processes, as `timeout` and service managers do, signals each of them twice within milliseconds.
  ///
  /// Signals that the parent process had blocked are let through: a thread of a pool often starts its children so.
  public static func listen() {
    // Made here, and not inside of a signal's handler.
    _ = (
      received.load(ordering: .relaxed), firstInterrupt.load(ordering: .relaxed),
      firstTermination.load(ordering: .relaxed)
    )
    var wanted = sigset_t()
    sigemptyset(&wanted)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      var action = sigaction()
      // A process that was started to outlive its terminal ignores its end.
      if number == SIGHUP, sigaction(number, nil, &action) == 0, isIgnored(action) { continue }
      action.__sigaction_handler.sa_handler = { number in Interruption.receive(number) }
      action.sa_flags = SA_RESTART
      sigaction(number, &action, nil)
      sigaddset(&wanted, number)
    }
    pthread_sigmask(SIG_UNBLOCK, &wanted, nil)
  }

  // Nothing here but what a signal's handler may do.
  private static func receive(_ number: Int32) {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    let now = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    let (isFirst, first) =
      switch number {
      case SIGINT: firstInterrupt.compareExchange(expected: 0, desired: now, ordering: .relaxed)
      case SIGTERM: firstTermination.compareExchange(expected: 0, desired: now, ordering: .relaxed)
      default: (true, 0)
      }
    if !isFirst, now - first >= patience {
      Glibc.signal(number, SIG_DFL)
      Glibc.raise(number)
    }
    received.store(number, ordering: .relaxed)
  }

  /// Asks this process to save and leave, as a first SIGTERM does; any number of times.
  public static func request() {
    _ = received.compareExchange(expected: 0, desired: SIGTERM, ordering: .relaxed)
  }

  private static func isIgnored(_ action: sigaction) -> Bool {
    unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// Turns writing to a closed pipe, or beyond the limit on file sizes, into an error that can be told, where it would end
  /// the process.
  public static func ignoreWriteSignals() {
    for number in [SIGPIPE, SIGXFSZ] { Glibc.signal(number, SIG_IGN) }
  }

  /// The signal that has arrived, or nil.
  public static var signal: Int32? {
    let number = received.load(ordering: .relaxed)
    return number == 0 ? nil : number
  }

  /// Throws when a signal has arrived, for work that has nothing to save.
  public static func check() throws {
    if let signal { throw Interrupted(signal: signal, saved: nil) }
  }
}

/// The end of a run by SIGINT or SIGTERM, after what was done has been saved.
public struct Interrupted: Failure, Equatable {
  /// The signal.
  public let signal: Int32
  /// What was saved, for the message.
  public let saved: String?

  /// Creates the failure.
  public init(signal: Int32, saved: String?) {
    self.signal = signal
    self.saved = saved
  }

  /// What was saved and how to go on.
  public var message: String {
    guard let saved else { return "interrupted" }
    return "interrupted; \(saved). Run the same command again to go on from there"
  }

  /// 130 for SIGINT, 143 for the others.
  public var exitCode: ExitStatus { signal == SIGINT ? .interrupted : .terminated }
}
