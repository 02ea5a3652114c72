import Foundation
import Support

/// Ends the process when an input takes too long or the process too much memory; the input is kept then, as after a crash.
final class Watch: @unchecked Sendable {
  // Everything that changes is touched under `lock`.
  private let lock = NSLock()
  private var begun: [Date?]
  private var slowest = 0.0
  private var largest = 0

  init(threads: Int, megabytes: Int, seconds: Double, scratch: String) {
    begun = Array(repeating: nil, count: threads)
    let thread = Thread { [self] in
      while true {
        usleep(20_000)
        let held = Self.megabytes
        lock.lock()
        largest = max(largest, held)
        let late = begun.firstIndex { $0.map { Date().timeIntervalSince($0) > seconds } ?? false }
        lock.unlock()
        if let late { leave("input \(late) takes more than \(seconds) s; see \(scratch)/input-\(late)") }
        if held > megabytes { leave("the process holds \(held) MB; the inputs are in \(scratch)/input-*") }
      }
    }
    thread.start()
  }

  private func leave(_ text: String) -> Never {
    StandardError.write("fuzz-readers: \(text)\n")
    _exit(1)
  }

  func begin(_ thread: Int) { lock.withLock { begun[thread] = Date() } }

  func end(_ thread: Int) {
    lock.withLock {
      if let start = begun[thread] { slowest = max(slowest, Date().timeIntervalSince(start)) }
      begun[thread] = nil
    }
  }

  var summary: String {
    lock.withLock {
      "the slowest input took \(String(format: "%.2f", slowest)) s, the process held at most \(largest) MB"
    }
  }

  // The pages in memory, as /proc tells.
  private static var megabytes: Int {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .ascii) else { return 0 }
    return (Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0) * Int(getpagesize()) / 1_000_000
  }
}
