import Foundation
import Synchronization
import Testing

@testable import Support

@Suite struct ProcessPoolTests {
  private func task(_ name: String, after: [String] = [], _ script: String) -> ProcessPool.Task {
    .init(name, after: after, arguments: ["-c", script])
  }

  private func pool(_ limit: Int) -> ProcessPool { ProcessPool(executable: "/bin/sh", limit: limit) }

  @Test func linesArriveWholeAndInOrder() throws {
    var lines: [String: [String]] = [:]
    let tasks = (0..<5).map { task("t\($0)", "for i in 1 2 3; do printf '%s' a; echo \"$i\"; done; printf end") }
    let mishaps = try pool(2).run(tasks, .never, received: { lines[$0, default: []].append($1) })
    #expect(mishaps.isEmpty)
    #expect(lines.count == 5)
    #expect(lines.values.allSatisfy { $0 == ["a1", "a2", "a3", "end"] })
  }

  @Test func noMoreThanTheLimitAreAtWork() throws {
    var most = 0
    var over = 0
    _ = try pool(3).run((0..<7).map { task("t\($0)", "exit 0") }, .never, received: { _, _ in }) {
      most = max(most, $0.count)
      over = $1
    }
    #expect(most == 3)
    #expect(over == 7)
  }

  @Test func oneThatDiesIsNamedAndTheOthersGoOn() throws {
    var lines: [String] = []
    let tasks = [
      task("killed", "kill -9 $$"), task("broken", "echo first >&2; echo 'no such file' >&2; exit 66"),
      task("needs", after: ["broken"], "echo never"), task("needs needs", after: ["needs"], "echo never"),
      task("last", "echo done"), task("orphan", after: ["nobody"], "echo never"),
    ]
    let mishaps = try pool(1).run(tasks, .never, received: { lines.append($1) })
    #expect(lines == ["done"])
    #expect(mishaps.map(\.name) == ["killed", "broken", "needs", "needs needs", "orphan"])
    #expect(mishaps[0].reason.contains("signal 9"))
    #expect(mishaps[1].reason == "no such file")
    #expect(mishaps[1].exitCode == .noInput)
    #expect(mishaps[2].reason == "needs broken")
    #expect(mishaps[2].exitCode == .noInput)
  }

  @Test func oneThatNeedsAnotherWaitsForIt() throws {
    var order: [String] = []
    _ = try pool(2).run(
      [task("second", after: ["first"], "echo second"), task("first", "echo first")], .never,
      received: { order.append($1) })
    #expect(order == ["first", "second"])
  }

  @Test func whatFailsOnBeingStoppedIsToldInsteadOfTheSignal() throws {
    let ready = Mutex(0)
    func run(_ endings: [String]) throws -> [ProcessPool.Mishap] {
      ready.withLock { $0 = 0 }
      let tasks = endings.enumerated().map { number, ending in
        task("t\(number)", "trap 'kill $!; \(ending)' TERM; sleep 600 >/dev/null 2>&1 & echo ready; wait")
      }
      return try pool(2).run(
        tasks, Cancellation(signal: { ready.withLock { $0 } >= 2 ? SIGTERM : nil }),
        received: { _, line in if line == "ready" { ready.withLock { $0 += 1 } } })
    }
    let mishaps = try run(["exit 143", "echo full >&2; exit 74"])
    #expect(mishaps == [.init(name: "t1", reason: "full", exitCode: .ioError)])
    // Ended by the signal itself, after it had told of work.
    let ended = try run(["exit 143", "trap - TERM; kill -TERM $$"])
    #expect(ended.map(\.name) == ["t1"] && ended.map(\.exitCode) == [.terminated])
    #expect(ended[0].reason.contains("before it had saved"))
    #expect(throws: Interrupted.self) { try run(["exit 143", "exit 143"]) }
  }

  @Test func aSignalReachesEveryOneOnceAndNothingNewBegins() throws {
    let ready = Mutex(0)
    var lines: [String] = []
    // Ends by the signal alone; a second one would be a second line.
    let script = "trap 'echo caught; kill $!; exit 0' TERM; sleep 600 >/dev/null 2>&1 & echo ready; wait"
    let interrupted = #expect(throws: Interrupted.self) {
      try pool(2).run(
        (0..<4).map { task("t\($0)", script) },
        Cancellation(signal: { ready.withLock { $0 } >= 2 ? SIGTERM : nil }),
        received: { _, line in
          lines.append(line)
          if line == "ready" { ready.withLock { $0 += 1 } }
        })
    }
    #expect(interrupted?.exitCode == .terminated)
    #expect(lines.sorted() == ["caught", "caught", "ready", "ready"])
  }

  @Test func aProgramThatIsNotThereIsAMishap() throws {
    let mishaps = try ProcessPool(executable: "/nowhere/at/all", limit: 2).run(
      [task("a", "")], .never, received: { _, _ in })
    #expect(mishaps.map(\.exitCode) == [.unavailable])
  }
}
