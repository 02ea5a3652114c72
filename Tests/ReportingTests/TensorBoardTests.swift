import Foundation
import Records
import Testing

@testable import Reporting

@Suite struct TensorBoardTests {
  private static func bytes(_ hex: String) -> Data {
    let digits = hex.filter { !$0.isWhitespace }
    return Data(
      stride(from: 0, to: digits.count, by: 2).compactMap { offset in
        let start = digits.index(digits.startIndex, offsetBy: offset)
        return UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16)
      })
  }

  private func step(_ step: Int, loss: Double, time: Double) -> TimedEvent {
    TimedEvent(
      time: time,
      event: .step(
        .init(step: step, totalSteps: 100, epoch: 0, loss: loss, learningRate: 0.25, imagesPerSecond: 64)))
  }

  // Check value of CRC-32C, and its masked form as event files store it.
  @Test func checksumOfThePublishedVector() {
    #expect(CRC32C.checksum(Data("123456789".utf8)) == 0xE306_9283)
    #expect(CRC32C.masked(Data("123456789".utf8)) == 0xC78A_B0E5)
  }

  // Whole records, byte for byte: a version record and a scalar.
  @Test func recordsAreTheKnownBytes() throws {
    #expect(
      try TensorBoardRecord.version(time: 1_700_000_000)
        == Self.bytes(
          "1800000000000000 a37f4b22 0900000040fc54d9411a0d627261696e2e4576656e743a32 eced8f9d"))
    #expect(
      try TensorBoardRecord.scalars([("loss", 0.5)], step: 7, time: 1_700_000_001)
        == Self.bytes(
          "1a00000000000000 129bd82d 0900004040fc54d94110072a0d0a0b0a046c6f7373150000003f 368fc084"))
  }

  @Test func sessionStartCarriesItsStep() throws {
    let record = try TensorBoardRecord.sessionStart(step: 13, time: 1_700_000_000)
    #expect(record.dropFirst(12).dropLast(4) == Self.bytes("0900000040fc54d941 100d 3a020801"))
  }

  @Test func fileHoldsVersionThenScalars() throws {
    try SyntheticRun.withFolder { folder in
      let writer = TensorBoardWriter(folder: folder, host: "some host/1")
      try writer.receive(step(5, loss: 0.5, time: 1_700_000_000.25))
      try writer.flush()
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(names == ["events.out.tfevents.1700000000.some-host-1"])
      let data = try Data(contentsOf: URL(fileURLWithPath: folder.file(names[0])))
      let version = try TensorBoardRecord.version(time: 1_700_000_000.25)
      let scalars = try TensorBoardRecord.scalars(
        [("train/loss", 0.5), ("train/learning_rate", 0.25), ("images_per_second", 64)], step: 5,
        time: 1_700_000_000.25)
      #expect(data == version + scalars)
    }
  }

  @Test func resumedRunWritesAFileThatDropsTheRepeatedSteps() throws {
    try SyntheticRun.withFolder { folder in
      let before = TensorBoardWriter(folder: folder, host: "host")
      try before.receive(step(5, loss: 0.5, time: 1_700_000_000))
      try before.flush()
      let after = TensorBoardWriter(folder: folder, host: "host")
      try after.receive(TimedEvent(time: 1_700_000_000, event: .resume(.init(step: 3))))
      try after.receive(step(5, loss: 0.25, time: 1_700_000_001))
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      #expect(names == ["events.out.tfevents.1700000000.host", "events.out.tfevents.1700000000.host.1"])
      let data = try Data(contentsOf: URL(fileURLWithPath: folder.file(names[1])))
      let start =
        try TensorBoardRecord.version(time: 1_700_000_000)
        + TensorBoardRecord.sessionStart(step: 4, time: 1_700_000_000)
      #expect(data.prefix(start.count) == start)
      #expect(data.count > start.count)
    }
  }

  @Test func runThatBeginsAnewDropsEverythingBefore() throws {
    try SyntheticRun.withFolder { folder in
      try TensorBoardWriter(folder: folder, host: "host").receive(step(5, loss: 0.5, time: 1_700_000_000))
      try TensorBoardWriter(folder: folder, host: "host").receive(step(5, loss: 0.5, time: 1_700_000_009))
      let data = try Data(
        contentsOf: URL(fileURLWithPath: folder.file("events.out.tfevents.1700000009.host")))
      let start =
        try TensorBoardRecord.version(time: 1_700_000_009)
        + TensorBoardRecord.sessionStart(step: 0, time: 1_700_000_009)
      #expect(data.prefix(start.count) == start)
    }
  }

  private static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  private static let hasReader = FileManager.default.fileExists(
    atPath: root.appendingPathComponent(".venv-tensorboard/bin/python").path)

  @Test(.enabled(if: hasReader, "needs .venv-tensorboard, which scripts/check-tensorboard makes"))
  func tensorBoardReadsEachStepOnceAfterAResume() throws {
    try SyntheticRun.withFolder { folder in
      let before = TensorBoardWriter(folder: folder, host: "host")
      for number in 1...9 { try before.receive(step(number, loss: 0.5, time: 1_700_000_000 + Double(number))) }
      let after = TensorBoardWriter(folder: folder, host: "host")
      try after.receive(TimedEvent(time: 1_700_000_020, event: .resume(.init(step: 6))))
      for number in 7...8 { try after.receive(step(number, loss: 0.25, time: 1_700_000_020 + Double(number))) }
      let process = Process()
      process.executableURL = Self.root.appendingPathComponent("scripts/check-tensorboard")
      process.arguments = [folder.path, "--json"]
      let output = Pipe()
      process.standardOutput = output
      try process.run()
      let data = output.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      let points = try JSONDecoder().decode([String: [[Double]]].self, from: data)
      #expect(
        points["train/loss"] == [
          [1, 0.5], [2, 0.5], [3, 0.5], [4, 0.5], [5, 0.5], [6, 0.5], [7, 0.25], [8, 0.25],
        ])
    }
  }
}
