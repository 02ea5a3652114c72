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

  // MARK: - Several processes on one folder

  private static let compare =
    ["compare"] + Workplace.tiny + Workplace.data + [
      "--epochs", "2", "--search-epochs", "1", "--project", "width=0.5", "--algorithm", "uniform",
      "--algorithm", "network-slimming", "--seeds", "2", "--threads", "1",
    ]
  private static let arms = ["control/uniform", "direct/network-slimming", "transferred/width-0.5/network-slimming"]

  private func comparison(_ place: Workplace, _ folder: String) throws -> [Data] {
    try Self.arms.flatMap { arm in
      try (0..<2).map { try place.bytes("\(folder)/\(arm)/seed-\($0)/model.safetensors") }
    }
  }

  @Test("Three processes on one folder, one of them killed, do every job once, with the bits of one process")
  func sharing() throws {
    let place = try Workplace()
    try place.run(Self.compare + ["--output", "one", "--quiet"]).expect(0)
    let words = Self.compare + ["--shared", "--checkpoint-steps", "1", "--output", "many"]
    // It stands still with a claim on what it is at, until it is killed: the others cannot but come after it.
    let killed = try place.start(words, until: "MACs")
    kill(killed.process.processIdentifier, SIGSTOP)
    let others = try (0..<2).map { _ in try place.start(words, until: "MACs") }
    try killed.end(SIGKILL).expect(137)
    let ends = try others.map { try $0.end() }
    for end in ends { end.expect(0) }
    #expect(try comparison(place, "one") == comparison(place, "many"))
    let done = ends.flatMap { $0.errors.components(separatedBy: "\n") }.compactMap { line in
      line.range(of: ": done in").map { String(line[..<$0.lowerBound]) }
    }
    #expect(done.count >= 8 && Set(done).count == done.count, "six trainings and as many searches, none of them twice")
    #expect(try !place.contents(of: "many").keys.contains { $0.contains(".claim") })
    // Those who do not share are told of the others' work, and a finished one is summed up by anyone.
    let alone = try place.run(Self.compare + ["--output", "many"])
    alone.expect(0)
    #expect(!alone.errors.contains("done in"))
  }

  @Test("Shards do their share, and what is missing is named until all is there")
  func shards() throws {
    let place = try Workplace()
    let words = Self.compare + ["--output", "out", "--quiet"]
    try place.run(words + ["--gather"]).expect(64, "out: there is no comparison in this folder")
    #expect(!place.has("out/run.yaml"))
    let first = try place.run(words + ["--shard", "1/2"])
    first.expect(0)
    #expect(first.output.contains("3 of 6 are missing: direct/network-slimming/seed-0"))
    #expect(place.has("out/report.html") && !place.has("out/direct/network-slimming/seed-0/model.safetensors"))
    let found = try #require(place.contents(of: "out").keys.sorted().first { $0.hasSuffix("widths.json") })
    let before = try place.fileNumber("out/\(found)")
    let gathered = try place.run(words + ["--gather"])
    gathered.expect(0)
    #expect(gathered.output == first.output)
    #expect(try place.fileNumber("out/\(found)") == before, "who gathers writes what he gathers and nothing else")
    try place.run(words + ["--shard", "2/2", "--threads", "2", "--jobs", "2"]).expect(0)
    let whole = try place.run(words + ["--gather"])
    whole.expect(0)
    #expect(!whole.output.contains("missing"))
    try place.run(words + ["--shard", "3/2"]).expect(64, "--shard 3/2")
    try place.run(words + ["--shared", "--overwrite"]).expect(64, "others are at work")
  }

  @Test(
    "A search that diverges does not hold up what does not need it", arguments: [[], ["--jobs", "2"], ["--shared"]])
  func divergence(more: [String]) throws {
    let place = try Workplace()
    // Direct and transferred search diverge, and the uniform network is trained with every seed all the same.
    let words = Self.compare + ["--search-learning-rate", "1e30", "--output", "out"] + more
    let end = try place.run(words)
    end.expect(65, "failed, the others are done and kept", "direct/network-slimming/seed-1", "became nan")
    #expect(place.has("out/control/uniform/seed-1/model.safetensors") && place.has("out/report.html"))
    let summary = try place.json("out/comparison.json")
    #expect((summary["failed"] as? [Any])?.count == 4 && (summary["missing"] as? [String])?.count == 4)
    #expect(try place.text("out/report.html").contains("What could not be brought to an end"))
  }

  @Test("Seeds are added until intervals are narrow, or there are enough, and those that are there are kept")
  func untilDecided() throws {
    let place = try Workplace()
    let words =
      ["compare"] + Workplace.tiny + Workplace.data + [
        "--epochs", "1", "--algorithm", "uniform", "--algorithm", "random", "--seeds", "1", "--output", "out",
        "--threads", "1",
      ]
    try place.run(words + ["--quiet"]).expect(0)
    let first = try place.bytes("out/control/random/seed-0/model.safetensors")
    // Nothing is that narrow.
    let most = try place.run(words + ["--until-decided", "0.0001", "--most-seeds", "5"])
    most.expect(0, "with 2 seeds the widest interval is")
    let summary = try place.json("out/comparison.json")
    #expect((summary["stopping"] as? [String: Any])?["mostSeeds"] as? Int == 5)
    #expect(place.has("out/control/random/seed-4/model.safetensors") && !place.has("out/control/random/seed-5"))
    #expect(try place.bytes("out/control/random/seed-0/model.safetensors") == first)
    #expect(try place.text("out/report.html").contains("Seeds are added one at a time up to the limit of 5"))
    // What the report repeats has the rule.
    #expect(try place.text("out/run.yaml").contains("until-decided: 0.0001\n"))
    // Everything is that narrow, and five are the fewest that tell of a spread.
    let others = words.map { $0 == "out" ? "other" : $0 }
    try place.run(others + ["--until-decided", "1000", "--jobs", "2", "--quiet"]).expect(0)
    #expect(place.has("other/control/random/seed-4/model.safetensors") && !place.has("other/control/random/seed-5"))
    #expect(try place.text("other/report.html").contains("which took 5 seeds"))
    let alone = ["compare"] + Workplace.tiny + Workplace.data + ["--algorithm", "random", "--output", "alone"]
    try place.run(alone + ["--until-decided", "1"]).expect(64, "nothing to decide", "--algorithm uniform")
    #expect(!place.has("alone"))
    try place.run(words + ["--until-decided", "1", "--most-seeds", "4"]).expect(64, "at least --seeds and 5")
    try place.run(words + ["--until-decided", "0"]).expect(64, "--until-decided")
    try place.run(words + ["--until-decided", "1", "--shared"]).expect(64, "cannot be shared")
  }
}
