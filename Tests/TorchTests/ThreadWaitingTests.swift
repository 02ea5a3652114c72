import Testing

@testable import Torch

@Suite struct ThreadWaitingTests {
  /// What the judge says, given what was waited in each quarter of a second.
  private func verdicts(_ waits: [Double]) -> [Bool] {
    var judge = ThreadWaiting.Judge()
    return waits.enumerated().map { judge.shouldSleep(waiting: $1, now: 10 + 0.25 * Double($0 + 1)) }
  }

  @Test("Threads spin while processors are free, sleep as soon as they are contended, and spin again when that is over")
  func hysteresis() {
    #expect(verdicts([0.01, 0.02, 0.1, 0.01]).allSatisfy { !$0 })
    let waits = [0.01, 0.7, 0.6, 0.1, 0.01, 0.01, 0.01, 0.01]
    #expect(verdicts(waits) == [false, true, true, true, true, false, false, false])
  }

  @Test("On a machine that is busy from the start, threads never spin")
  func busyFromTheStart() {
    #expect(ThreadWaiting.Judge().isSleeping)
    #expect(verdicts([0.7, 0.6, 0.7, 0.3, 0.1]).allSatisfy { $0 })
  }

  @Test("Contention that comes back at once is tried less and less often, and a long calm is forgotten")
  func patience() {
    var judge = ThreadWaiting.Judge()
    var (now, lengths, since) = (100.0, [Double](), Double?.none)
    // Contended whenever threads spin: what they wait for is each other.
    while lengths.count < 7 {
      now += 0.25
      let sleeps = judge.shouldSleep(waiting: judge.isSleeping ? 0 : 1, now: now)
      if sleeps, since == nil { since = now }
      if !sleeps, let start = since {
        lengths.append(now - start)
        since = nil
      }
    }
    #expect(lengths == [1, 2, 4, 8, 16, 30, 30])
    _ = judge.shouldSleep(waiting: 0, now: now + 1000)
    let sleeps = judge.shouldSleep(waiting: 1, now: now + 1001)
    let sleepsStill = judge.shouldSleep(waiting: 0, now: now + 1002.5)
    #expect(sleeps && !sleepsStill)
  }

  @Test(
    "A user's own way of waiting is left alone",
    arguments: [
      (["OMP_WAIT_POLICY": "active"], true), (["GOMP_SPINCOUNT": "7"], true), (["KMP_BLOCKTIME": "0"], true),
      (["OMP_NUM_THREADS": "2"], false), ([:], false),
    ])
  func chosen(environment: [String: String], isChosen: Bool) {
    #expect(ThreadWaiting.isChosen(by: environment) == isChosen)
  }

  #if os(Linux)
    @Test("The kernel's count grows when more threads want to run than there are processors")
    func count() throws {
      // Where the kernel keeps no count, nothing is adapted.
      guard let before = ThreadWaiting.processorWait() else { return }
      #expect(before >= 0)
      #expect(try #require(ThreadWaiting.processorWait()) >= 0)
    }
  #endif
}
