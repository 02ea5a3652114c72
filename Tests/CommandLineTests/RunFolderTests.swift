import Foundation
import Testing

@Suite struct RunFolderTests {
  private let training = Workplace.training

  @Test("A folder keeps its run: another is refused and nothing changes, the same returns at once")
  func kept() throws {
    let place = try Workplace()
    let first = try place.run(training + ["--output", "out", "--json"])
    first.expect(0)
    let before = try place.contents(of: "out")
    #expect(before.keys.contains { $0.contains("tfevents") })
    try place.run(training + ["--output", "out", "--epochs", "3"]).expect(
      64, "out holds another run", "epochs is 1", "3")
    try place.run(training + ["--output", "out", "--seed", "3"]).expect(64, "seed is 0", "3", "--overwrite")
    let searching = ["search"] + Workplace.tiny + Workplace.data + ["--output", "out"]
    try place.run(searching).expect(64, "out holds another run", "command is train", "search")
    try place.run(training + ["--output", "out", "--widths", "nowhere.json"]).expect(66)
    try place.run(training + ["--output", "out", "--dataset", "nowhere"]).expect(66)
    let again = try place.run(training + ["--output", "out", "--json"])
    again.expect(0, "holds this run already")
    #expect(again.output == first.output)
    #expect(try place.contents(of: "out") == before)
  }

  @Test("Recomputing activations changes neither the weights nor whose folder it is")
  func recomputed() throws {
    let place = try Workplace()
    try place.run(training + ["--output", "kept"]).expect(0)
    try place.run(training + ["--output", "again", "--recompute"]).expect(0)
    #expect(try place.text("again/run.yaml").contains("recompute: true"))
    #expect(try place.bytes("again/model.safetensors") == place.bytes("kept/model.safetensors"))
    try place.run(training + ["--output", "kept", "--recompute"]).expect(0, "holds this run already")
    try place.run(training + ["--output", "again"]).expect(0, "holds this run already")
    for method in ["dmcp", "network-slimming"] {
      let search =
        ["search"] + Workplace.tiny + Workplace.data + ["--epochs", "1", "--algorithm", method, "--flops", "0.6x"]
      try place.run(search + ["--output", "\(method)-kept"]).expect(0)
      try place.run(search + ["--output", "\(method)-again", "--recompute"]).expect(0)
      let found = try ["kept", "again"].map {
        try place.json("\(method)-\($0)/widths.json")["widths"] as? [String: Int]
      }
      #expect(found[0] != nil && found[0] == found[1])
    }
  }

  @Test("--overwrite starts anew and leaves other files alone")
  func overwrite() throws {
    let place = try Workplace()
    try place.run(training + ["--output", "out", "--quiet"]).expect(0)
    try place.write("mine", to: "out/notes.txt")
    try place.run(training + ["--output", "out", "--overwrite", "--epochs", "2", "--seed", "1"]).expect(0)
    #expect(try place.text("out/notes.txt") == "mine")
    #expect(try place.events(in: "out").filter { $0 == "done" }.count == 1)
    #expect(try place.events(in: "out").filter { $0 == "epoch" }.count == 2)
  }

  @Test("Results of unknown origin are neither used nor replaced")
  func foreign() throws {
    let place = try Workplace()
    try FileManager.default.createDirectory(atPath: place.file("out"), withIntermediateDirectories: true)
    try place.write("mine", to: "out/widths.json")
    try place.run(training + ["--output", "out"]).expect(64, "no run.yaml", "another --output")
    try place.run(training + ["--output", "out", "--overwrite"]).expect(64, "nothing is removed")
    #expect(try place.contents(of: "out").filter { $0.key != ".lock" } == ["widths.json": Data("mine".utf8)])
  }

  @Test("An attempt that came to nothing does not stand in the way")
  func attempt() throws {
    let place = try Workplace()
    try place.run(training + ["--output", "out", "--learning-rate", "1e30"]).expect(65, "--learning-rate")
    try place.run(training + ["--output", "out"]).expect(0)
    #expect(try place.events(in: "out").filter { $0 == "start" }.count == 1)
  }

  @Test("What a kill between the last writes leaves is completed")
  func lastWrites() throws {
    let place = try Workplace()
    try place.run(training + ["--output", "out"]).expect(0)
    let (model, log) = (try place.bytes("out/model.safetensors"), try place.text("out/events.jsonl"))
    let lines = log.split(separator: "\n")
    let unfinished = lines.dropLast().joined(separator: "\n") + "\n"
    try place.write(unfinished, to: "out/events.jsonl")
    try place.run(training + ["--output", "out"]).expect(0)
    #expect(try place.events(in: "out") == ["start", "epoch", "checkpoint", "done"])
    try place.write(unfinished + "{\"event\":\"do", to: "out/events.jsonl")
    try place.write("half", to: "out/model.safetensors.tmp-1-a")
    try FileManager.default.removeItem(atPath: place.file("out/result.json"))
    try place.run(training + ["--output", "out"]).expect(0)
    #expect(try place.events(in: "out") == ["start", "epoch", "checkpoint", "start", "resume", "done"])
    #expect(try place.bytes("out/model.safetensors") == model)
    #expect(!place.has("out/model.safetensors.tmp-1-a"))
  }

  @Test("An interrupted training says what it saved, and goes on to the bits of one that was not")
  func interrupted() throws {
    let place = try Workplace()
    let words = ["train"] + Workplace.tiny + Workplace.data + ["--epochs", "40", "--quiet"]
    try place.run(words + ["--output", "whole"]).expect(0)
    let running = try place.start(words.dropLast() + ["--output", "out"], until: "epoch 1/")
    // Twice at once, as `timeout` and service managers send it.
    try running.end(SIGTERM, SIGTERM).expect(143, "the checkpoint of step", "the same command again")
    #expect(!place.has("out/model.safetensors"))
    try place.run("report", "out").expect(0)
    try place.run(words.dropLast() + ["--output", "out"]).expect(0, "goes on from step")
    #expect(try place.bytes("out/model.safetensors") == place.bytes("whole/model.safetensors"))
  }

  @Test("A second process in the same folder is sent away")
  func locked() throws {
    let place = try Workplace()
    let words = ["train"] + Workplace.tiny + Workplace.data + ["--epochs", "100000", "--output", "out"]
    let running = try place.start(words, until: "epoch 1/")
    defer { running.process.terminate() }
    try place.run(words).expect(73, "another process is at work")
    try place.run(words + ["--overwrite"]).expect(73, "another process is at work")
    try running.end(SIGINT).expect(130, "the checkpoint of step", "the same command again")
    #expect(place.has("out/run.yaml"))
  }

  @Test("A limit on file sizes, like a full disk, ends with 74, says what is saved, and is recovered from")
  func full() throws {
    let place = try Workplace()
    let words = training.joined(separator: " ")
    // Blocks of 512 bytes: enough for the log, not for a checkpoint.
    let outcome = try place.shell("ulimit -f 40; exec \"$WT\" \(words) --output out")
    outcome.expect(74, "out/checkpoints/step-4.safetensors", "No checkpoint had been saved yet", "same command")
    #expect(!place.has("out/model.safetensors"))
    try place.run(training + ["--output", "out"]).expect(0)
    #expect(try place.events(in: "out").last == "done")
  }
}
