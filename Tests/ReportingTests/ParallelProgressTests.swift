import Records
import Synchronization
import Testing

@testable import Reporting

@Suite struct ParallelProgressTests {
  private func event(_ label: String, step: Int) -> RelayedEvent {
    RelayedEvent(
      label: label,
      event: TimedEvent(
        time: 1,
        event: .step(
          .init(step: step, totalSteps: 40, epoch: 0, loss: 1, learningRate: 0.1, imagesPerSecond: 5))))
  }

  @Test func aTerminalHasOneLineForAll() throws {
    let text = Mutex("")
    let progress = ParallelProgress(of: 3, isTerminal: true) { piece in text.withLock { $0 += piece } }
    progress.change(atWork: ["a", "b"], over: 0)
    progress.receive(event("first", step: 10), of: "a")
    progress.receive(event("second", step: 20), of: "b")
    #expect(text.withLock { $0 }.hasSuffix("\r\u{1B}[2K0 of 3 done · first 25 % · second 50 %"))
    progress.change(atWork: ["b"], over: 1)
    #expect(text.withLock { $0 }.hasSuffix("\r\u{1B}[2K1 of 3 done · second 50 %"))
    progress.receive(
      RelayedEvent(
        label: "second",
        event: TimedEvent(time: 2, event: .done(.init(top1: nil, top5: nil, loss: nil, seconds: 3, flops: 1)))), of: "b"
    )
    // A line that stays stands above it.
    #expect(
      text.withLock { $0 }.hasSuffix("\r\u{1B}[2Ksecond: done in 3 s\n\r\u{1B}[2K1 of 3 done · second 50 %"))
  }

  @Test func elsewhereJobsHaveTheirOwnLines() throws {
    let text = Mutex("")
    let progress = ParallelProgress(of: 2, isTerminal: false) { piece in text.withLock { $0 += piece } }
    progress.change(atWork: ["a"], over: 0)
    progress.receive(event("first", step: 10), of: "a")
    progress.receive(
      RelayedEvent(
        label: "first",
        event: TimedEvent(time: 2, event: .done(.init(top1: nil, top5: nil, loss: nil, seconds: 3, flops: 1)))), of: "a"
    )
    #expect(text.withLock { $0 }.hasSuffix("first: done in 3 s\n") && !text.withLock { $0 }.contains("\u{1B}"))
  }

  @Test func aLineComesBackAsItWas() throws {
    let relayed = event("a \"label\", seed 1", step: 3)
    #expect(RelayedEvent(line: String(decoding: try relayed.line(), as: UTF8.self)) == relayed)
    #expect(RelayedEvent(line: "a word") == nil)
  }
}
