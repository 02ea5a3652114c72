import Foundation
import Support
import Testing

@testable import Records

@Suite struct EventLogTests {
  private let path = NSTemporaryDirectory() + "/events-\(UUID().uuidString).jsonl"

  private var everyEvent: [RunEvent] {
    [
      .start(
        .init(
          kind: "train", network: "resnet20", macs: 41, parameters: 27, epochs: 2, stepsPerEpoch: 3, batchSize: 128,
          images: 384, resolution: 32, device: "cpu", seed: 5)),
      .step(.init(step: 1, totalSteps: 6, epoch: 0, loss: 2.5, learningRate: 0.1, imagesPerSecond: 100.25)),
      .epoch(
        .init(
          epoch: 0, step: 3, trainLoss: 2, loss: 1.5, top1: 50, top5: 90.5, learningRate: 0.05, seconds: 1.25)),
      .epoch(
        .init(epoch: 1, step: 6, trainLoss: 2, loss: nil, top1: nil, top5: nil, learningRate: 0, seconds: 1)),
      .search(
        .init(
          step: 1, totalSteps: 2, stage: "warm-up", loss: 1, macs: 1e9, targetMACs: 5e8, widths: ["a/b": 1.5],
          imagesPerSecond: 3)),
      .widths(.init(network: "resnet20", widths: ["a": 8, "b": 16], macs: 12)),
      .checkpoint(.init(step: 3, file: "checkpoints/3.safetensors")),
      .resume(.init(step: 3)),
      .warning(.init(message: "a \"quoted\"\nmessage — 日本")),
      .done(.init(top1: 91, top5: nil, loss: 0.25, seconds: 12, flops: 1e15)),
    ]
  }

  private func append(_ text: String) throws {
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(text.utf8))
    try handle.close()
  }

  @Test func everyEventComesBackAsItWas() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    let lines = everyEvent.enumerated().map { TimedEvent(time: 1.7e9 + Double($0.offset) / 8, event: $0.element) }
    let log = try EventLog(path: path)
    for line in lines { try log.receive(line) }
    try log.flush()
    #expect(try EventLog.read(path: path) == lines)
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.split(separator: "\n").count == lines.count)
    #expect(text.contains(#"{"event":"resume","step":3,"time":1700000000.875}"#))
  }

  @Test("An epoch that people cannot count is refused", arguments: [-1, Int.max])
  func impossibleEpoch(number: Int) throws {
    let epoch = RunEvent.Epoch(
      epoch: number, step: 1, trainLoss: 1, loss: nil, top1: nil, top5: nil, learningRate: 0.1, seconds: 1)
    let text = try JSONEncoder().encode(TimedEvent(time: 0, event: .epoch(epoch)))
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(TimedEvent.self, from: text) }
  }

  @Test(
    "Lines are read whole wherever a block of the file ends; one that is too long to be an event is passed over",
    arguments: [1, 7, 64, 4096])
  func blocks(size: Int) throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    let lines = everyEvent.enumerated().map { TimedEvent(time: Double($0.offset), event: $0.element) }
    let log = try EventLog(path: path)
    for line in lines { try log.receive(line) }
    try append("{\"event\":\"resume\",\"step\":1,\"time\":1,\"padding\":\"\(String(repeating: "x", count: 9000))\"}\n")
    for line in lines { try log.receive(line) }
    try append("{\"event\":\"resu")
    var found: [TimedEvent] = []
    try EventLog.read(path: path, inBlocksOf: size, longest: 1000) { found.append($0) }
    // In blocks that hold the long line's end as well, it is no longer than its block.
    #expect(found.filter { $0.event != .resume(.init(step: 1)) } == lines + lines)
    #expect(size > 1000 || !found.contains { $0.event == .resume(.init(step: 1)) })
    #expect(throws: FileFailure.self) { try EventLog.read(path: path + "-gone") }
  }

  @Test func aDivergedLossIsWritten() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    let log = try EventLog(path: path)
    for loss in [Double.nan, .infinity, -.infinity] {
      let step = RunEvent.Step(step: 1, totalSteps: 2, epoch: 0, loss: loss, learningRate: 1, imagesPerSecond: 1)
      try log.receive(TimedEvent(time: 0, event: .step(step)))
    }
    let losses = try EventLog.read(path: path).compactMap { line -> Double? in
      guard case .step(let step) = line.event else { return nil }
      return step.loss
    }
    #expect(losses.count == 3 && losses[0].isNaN)
    #expect(losses.dropFirst() == [.infinity, -.infinity])
  }

  @Test func anUnfinishedLastLineIsPassedOverAndDoesNotSwallowTheNext() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    let first = TimedEvent(time: 1, event: .resume(.init(step: 1)))
    let second = TimedEvent(time: 2, event: .resume(.init(step: 2)))
    try EventLog(path: path).receive(first)
    try append(#"{"time":1.5,"event":"st"#)
    #expect(try EventLog.read(path: path) == [first])
    try EventLog(path: path).receive(second)
    #expect(try EventLog.read(path: path) == [first, second])
  }

  @Test func eventsOfALaterVersionArePassedOver() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    let log = try EventLog(path: path)
    try append(#"{"time":1,"event":"levitation","height":3}"# + "\n")
    let known = TimedEvent(time: 2, event: .warning(.init(message: "x")))
    try log.receive(known)
    #expect(try EventLog.read(path: path) == [known])
  }

  @Test func failuresNameTheFile() throws {
    let missing = #expect(throws: FileFailure.self) { try EventLog.read(path: "/nowhere/events.jsonl") }
    #expect(missing?.kind == .missing)
    let uncreatable = #expect(throws: FileFailure.self) { _ = try EventLog(path: "/nowhere/events.jsonl") }
    #expect(uncreatable?.kind == .cannotCreate)
    guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
    let full = #expect(throws: FileFailure.self) {
      try EventLog(path: "/dev/full").receive(TimedEvent(time: 0, event: .resume(.init(step: 0))))
    }
    #expect(full?.kind == .io)
    #expect(full?.path == "/dev/full")
  }
}
