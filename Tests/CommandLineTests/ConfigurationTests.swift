import Foundation
import Testing

@Suite struct ConfigurationTests {
  @Test("A run is repeated by its run.yaml, to the byte")
  func roundTrip() throws {
    let place = try Workplace()
    try place.write("{name: mine, epochs: 5, momentum: 0.8, batchSize: 32}", to: "mine.yaml")
    let flags = ["--recipe", "mine.yaml", "--epochs", "2", "--batch-size", "16", "--seed", "4", "--subset", "50%"]
    let tiny = ["train", "--network", "resnet20", "--width", "0.25", "--divisor", "2"] + Workplace.data
    try place.run(tiny + flags + ["--output", "first"]).expect(0)
    // The recipe's file has gone: what it said is in run.yaml.
    try FileManager.default.removeItem(atPath: place.file("mine.yaml"))
    try place.run("train", "--config", "first/run.yaml", "--output", "second").expect(0)
    #expect(try place.bytes("first/model.safetensors") == place.bytes("second/model.safetensors"))
    #expect(try place.bytes("first/run.yaml") == place.bytes("second/run.yaml"))
    let text = try place.text("first/run.yaml")
    for line in ["version: ", "libtorch: ", "swift: ", "command: train", "  momentum: 0.8", "  epochs: 2", "seed: 4"] {
      #expect(text.contains(line), "\(text)")
    }
    try place.run("--config", "first/run.yaml", "--output", "third", "--epochs", "1").expect(0)
    #expect(try place.text("third/run.yaml").contains("  epochs: 1"))
  }

  @Test("A search is repeated by its run.yaml")
  func search() throws {
    let place = try Workplace()
    let words =
      ["search"] + Workplace.tiny + Workplace.data + ["--project", "width=0.5,data=50%", "--search-epochs", "1"]
    try place.run(words + ["--output", "first", "--flops", "0.9x"]).expect(0)
    try place.run("search", "--config", "first/run.yaml", "--output", "second").expect(0)
    let (first, second) = (try place.json("first/widths.json"), try place.json("second/widths.json"))
    for key in ["widths", "macs", "targetMacs", "multipliers", "history", "projection"] {
      #expect(first[key] as? NSObject == second[key] as? NSObject, "\(key)")
      #expect(first[key] != nil, "\(key)")
    }
    // Half of the width and half of the images: nominally eight times less.
    let overhead = try #require(first["overhead"] as? [String: Any])
    let flops = try #require(overhead["flops"] as? Double)
    let direct = try #require(overhead["directFlops"] as? Double)
    #expect(flops > 0 && direct > 3 * flops)
    #expect(abs((overhead["reduction"] as? Double ?? 0) * flops / direct - 1) < 1e-9)
  }

  @Test("What a file cannot mean is named with the file and the key")
  func wrong() throws {
    let place = try Workplace()
    func run(_ yaml: String, _ flags: String...) throws -> Outcome {
      try place.write(yaml, to: "c.yaml")
      return try place.run(Workplace.training + ["--output", "out", "--config", "c.yaml"] + flags)
    }
    try run("epoch: 3").expect(65, "c.yaml", "epoch: there is no flag --epoch", "epochs")
    try run("epochs: [1, 2]").expect(65, "c.yaml", "epochs", "one value")
    try run("epochs: {a: 1}").expect(65, "c.yaml", "epochs", "one value")
    try run("batch-size:").expect(65, "c.yaml", "batch-size", "missing")
    try run("overwrite: maybe").expect(65, "c.yaml", "overwrite", "true or false")
    try run("seed: many").expect(64, "'many'", "--seed")
    try run("recipe: {epoch: 3}").expect(65, "'epoch' is not part of a recipe")
    try run("- epochs").expect(65, "c.yaml", "maps flags")
    try run("epochs: [").expect(65, "c.yaml", "line 2")
    try run("").expect(65, "c.yaml", "no value")
    try run("epochs: 2", "--config", "c.yaml").expect(64, "--config is given twice")
    try place.run("train", "--config", "nowhere.yaml").expect(66, "nowhere.yaml")
    try place.run("train", "--config", "data").expect(66, "data", "folder")
    #expect(!place.has("out"))
  }

  @Test("Flags of other commands are passed over, and what is typed wins")
  func shared() throws {
    let place = try Workplace()
    try place.write(
      """
      algorithm: dmcp
      project: width=0.5
      network: resnet20
      width: 0.25
      divisor: 2
      batch-size: 16
      dataset: data
      threads: 1
      epochs: 9
      quiet: true
      json: true
      """, to: "all.yaml")
    let trained = try place.run("train", "--config=all.yaml", "--output=out", "--epochs=1")
    trained.expect(0)
    #expect(trained.errors.isEmpty)
    #expect(try trained.json()["images"] as? Int == 32)
    let projected = try place.run("project", "--config", "all.yaml")
    projected.expect(0)
    #expect(try projected.json()["network"] as? String == "resnet20")
  }
}
