import Foundation
import Testing

/// `--jobs`: the parts of a plan as processes side by side.
@Suite struct JobsTests {
  private static let words =
    ["run"] + Workplace.tiny + Workplace.data + [
      "--epochs", "1", "--search-epochs", "1", "--project", "width=0.5", "--algorithm", "network-slimming", "--seeds",
      "2",
    ]
  private static let models = ["uniform", "optimized"].flatMap { name in
    (0..<2).map { "\(name)/seed-\($0)/model.safetensors" }
  }

  private func weights(_ place: Workplace, _ folder: String) throws -> [Data] {
    try Self.models.map { try place.bytes("\(folder)/\($0)") }
  }

  @Test("Jobs side by side bring what they bring one after the other, bit by bit")
  func sameBits() throws {
    let place = try Workplace()
    try place.run(Self.words + ["--threads", "1", "--output", "one", "--quiet"]).expect(0)
    let both = try place.run(Self.words + ["--threads", "2", "--jobs", "2", "--output", "two"])
    both.expect(0, "search: resnet20", "uniform, seed 1: done", "optimized, seed 0: done")
    #expect(try weights(place, "one") == weights(place, "two"))
    #expect(
      try Set(place.contents(of: "one").keys.filter(isKept)) == Set(place.contents(of: "two").keys.filter(isKept)))
    // What is there is not done again, however many jobs there are.
    let again = try place.run(Self.words + ["--threads", "2", "--jobs", "2", "--output", "two"])
    again.expect(0)
    #expect(again.output == both.output && !again.errors.contains("done in"))
  }

  // Names of event files hold the time.
  private func isKept(_ name: String) -> Bool { !name.contains("tfevents") }

  @Test("Ctrl-C stops all jobs with what they have saved, and one process can go on")
  func interruption() throws {
    let place = try Workplace()
    try place.run(Self.words + ["--threads", "1", "--output", "one", "--quiet"]).expect(0)
    let words = Self.words + ["--checkpoint-steps", "1", "--output", "two"]
    let running = try place.start(words + ["--threads", "2", "--jobs", "2"], until: "MACs")
    try running.end(SIGINT).expect(130, "every job at work has saved", "Run the same command again")
    try place.run(words + ["--threads", "1", "--quiet"]).expect(0)
    #expect(try weights(place, "one") == weights(place, "two"))
  }

  @Test("A job that fails is named, and the others go on")
  func failure() throws {
    let place = try Workplace()
    let words = Self.words + ["--threads", "2", "--jobs", "2", "--output", "out"]
    try FileManager.default.createDirectory(atPath: place.file("out/uniform"), withIntermediateDirectories: true)
    try place.write("in the way", to: "out/uniform/seed-0")
    try place.run(words).expect(73, "one job failed, the others are done and kept", "uniform/seed-0: width-transfer: ")
    #expect(place.has("out/uniform/seed-1/model.safetensors") && place.has("out/optimized/seed-1/model.safetensors"))
    try FileManager.default.removeItem(atPath: place.file("out/uniform/seed-0"))
    try place.run(words).expect(0)
    try place.run(words + ["--jobs", "0"]).expect(64, "--jobs 0", "from 1")
  }
}
