import Foundation
import Testing

/// Several methods and several budgets, from the command line.
@Suite struct MethodsTests {
  private static let words = Workplace.tiny + Workplace.data + ["--epochs", "1", "--quiet"]

  @Test(
    "Several budgets give a widths.json each, from one search where the method allows", arguments: ["autoslim", "dmcp"])
  func budgets(method: String) throws {
    let place = try Workplace()
    let words =
      ["search"] + Self.words
      + ["--algorithm", method, "--search-epochs", "2", "--flops", "0.6x", "--flops", "1x", "--output", "out"]
    let first = try place.run(words + ["--json"])
    first.expect(0)
    let files = try #require(try JSONSerialization.jsonObject(with: Data(first.output.utf8)) as? [[String: Any]])
    #expect(files.count == 2 && files.allSatisfy { $0["algorithm"] as? String == method })
    let macs = files.compactMap { $0["macs"] as? Int }
    let targets = files.compactMap { $0["targetMacs"] as? Int }
    #expect(zip(macs, targets).allSatisfy { abs(Double($0 - $1)) < 0.05 * Double($1) }, "\(macs) \(targets)")
    #expect(try place.json("out/flops-0.6x/widths.json")["macs"] as? Int == macs[0])
    #expect(place.has("out/search/result.json") == (method == "autoslim"))
    #expect(place.has("out/flops-1x/search/result.json") == (method == "dmcp"))
    #expect(try place.run(words + ["--json"]).output == first.output)
    try place.run("report", "out/flops-1x").expect(0)
    try place.run(["train"] + Self.words + ["--widths", "out/flops-0.6x/widths.json", "--output", "trained"]).expect(0)
    // All of it is the run's own, and goes with --overwrite.
    try place.write("mine", to: "out/flops-1x/notes.txt")
    try place.run(words.dropLast(4) + ["--output", "out", "--overwrite"]).expect(0)
    #expect(!place.has("out/flops-0.6x") && place.has("out/flops-1x/notes.txt"))
    #expect(!place.has("out/flops-1x/widths.json") && place.has("out/widths.json"))
  }

  @Test("A method is there several times with settings of its own, and a file of another network is never the baseline")
  func variants() throws {
    let place = try Workplace()
    let words =
      Self.words + ["--project", "width=0.5", "--output", "out", "--seeds", "1"]
      + [
        "network-slimming:epochs=100%,direct", "network-slimming:width=1.2,sparsity=0.001",
        "network-slimming:transferred",
      ].flatMap { ["--algorithm", $0] }
    try place.run(["search"] + Self.words + ["--algorithm", "random", "--output", "narrow"]).expect(0)
    try FileManager.default.copyItem(atPath: place.file("narrow/widths.json"), toPath: place.file("uniform.json"))
    let compared = try place.run(["compare"] + words + ["--widths", "uniform.json", "--json"])
    compared.expect(0)
    let summary = try #require(try JSONSerialization.jsonObject(with: Data(compared.output.utf8)) as? [String: Any])
    let arms = try #require(summary["arms"] as? [[String: Any]])
    #expect(
      arms.map { "\($0["algorithm"] ?? "") \($0["mode"] ?? "")" } == [
        "uniform-widths control", "network-slimming:epochs=100%,direct direct",
        "network-slimming:width=1.2,sparsity=0.001 direct", "network-slimming:width=1.2,sparsity=0.001 transferred",
        "network-slimming:transferred transferred",
      ])
    #expect(place.has("out/direct/network-slimming-epochs-100-percent-direct/seed-0/widths.json"))
    let page = try place.text("out/report.html")
    #expect(page.contains("Network Slimming, width 1.2, sparsity 0.001 transferred"))
    try place.run(["compare"] + Self.words + ["--output", "x", "--algorithm", "uniform:epochs=2"]).expect(
      64, "has no settings")
    try place.run(["compare"] + Self.words + ["--output", "x", "--algorithm", "dmcp:transferred"]).expect(
      64, "leaves nothing to search on")
    #expect(!place.has("x"))
  }

  @Test("A search, a run and a comparison in one folder share what they have in common, and each stays readable")
  func shared() throws {
    let place = try Workplace()
    let words =
      Self.words + ["--search-epochs", "1", "--project", "width=0.5", "--output", "out"]
    try place.run(["search"] + words + ["--algorithm", "network-slimming"]).expect(0)
    let searched = try place.bytes("out/search/result.json")
    // The page of a search has the search's own events, not the widths file's way alone, whose stage is called `search`.
    try place.run("report", "out").expect(0)
    let page = try place.text("out/report.html")
    #expect(page.contains("Numbers of the search") && !page.contains(">search</td>") && page.contains("Seed"))
    let told = try place.text("out/search/events.jsonl").split(separator: "\n").filter { $0.contains("\"search\"") }
    #expect(!told.isEmpty && !told.contains { $0.contains("\"imagesPerSecond\":0,") || $0.contains("\"loss\":0,") })
    try place.run(["run"] + words + ["--algorithm", "network-slimming"]).expect(0)
    // A search of it alone, looked at again, leaves the run what it is; one that carries widths over in another way would not.
    try place.run(["search"] + words + ["--algorithm", "network-slimming"]).expect(0)
    #expect(try place.text("out/run.yaml").contains("command: run\n"))
    try place.run(["search"] + words + ["--algorithm", "network-slimming", "--stacking", "last-block"]).expect(
      64, "holds another run", "stacking")
    #expect(try place.events(in: "out/search").count { $0 == "start" } == 1)
    #expect(try place.bytes("out/search/result.json") == searched)
    let comparing =
      ["compare"] + words + [
        "--algorithm", "uniform", "--algorithm", "network-slimming", "--seeds", "1", "--no-direct",
      ]
    let comparison = try place.run(comparing + ["--json"])
    comparison.expect(0)
    let arms = try #require(comparison.json()["arms"] as? [[String: Any]])
    let members = arms.compactMap { ($0["members"] as? [[String: Any]])?.first }
    #expect(members.map { $0["folder"] as? String } == ["uniform/seed-0", "optimized/seed-0"])
    #expect(members.map { $0["searchFolder"] as? String } == ["control/uniform/seed-0/search", "search"])
    #expect(!place.has("out/transferred/width-0.5/network-slimming/seed-0/model.safetensors"))
    #expect(try place.json("out/run.json")["plans"] as? [String] == ["run", "search", "compare"])
    // Other settings belong into another folder.
    try place.run(["run"] + words + ["--algorithm", "network-slimming", "--epochs", "2"]).expect(
      64, "holds another run", "epochs is 1")
    try place.run("report", "out").expect(0)
    #expect(try place.run(comparing + ["--json"]).output == comparison.output)
    try place.run(["search"] + words + ["--algorithm", "network-slimming", "--overwrite"]).expect(0)
    #expect(!place.has("out/uniform") && !place.has("out/comparison.json"))
  }

  @Test("Two comparisons in one folder share what they have in common, and each is summed up again at once")
  func points() throws {
    let place = try Workplace()
    let words =
      ["compare"] + Workplace.tiny + Workplace.data + [
        "--epochs", "1", "--search-epochs", "1", "--algorithm", "uniform", "--algorithm", "network-slimming", "--seeds",
        "1", "--output", "out", "--json",
      ]
    let first = try place.run(words + ["--project", "width=0.5"])
    first.expect(0, "control, seed 0: done in", "direct, seed 0: done in", "transferred, seed 0: done in")
    try write(["conv1": 6], to: "mine.json", place)
    let mine = ["--project", "data=50%", "--widths", "mine.json"]
    let second = try place.run(words + mine)
    second.expect(0, "transferred, seed 0: done in")
    #expect(!second.errors.contains("direct, seed 0: done in"))
    let control = "control/uniform/seed-0"
    let searched = ["direct/network-slimming/seed-0", "transferred/data-0.5/network-slimming/seed-0"]
    #expect(try folders(second) == [control, "control/mine/seed-0"] + searched)
    #expect(try place.text("out/run.yaml").contains("data=50%"))
    // Other widths of the same name are another network, and what is there stays.
    let model = try place.bytes("out/control/mine/seed-0/model.safetensors")
    try write(["layer1.0.conv1": 6], to: "mine.json", place)
    let third = try folders(place.run(words + mine))
    #expect(third[1].hasPrefix("control/mine/seed-0-") && third[2...] == searched[...])
    #expect(try place.bytes("out/control/mine/seed-0/model.safetensors") == model)
    let again = try place.run(words + ["--project", "width=0.5"])
    again.expect(0)
    #expect(again.output == first.output && !again.errors.contains("done in"))
    // Other trainings are another comparison.
    try place.run(words + ["--recipe", "quick"]).expect(64, "holds another run")
    // All of it goes with --overwrite.
    try place.run(words + ["--no-direct", "--project", "width=0.5", "--overwrite"]).expect(0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: place.file("out/transferred")) == ["width-0.5"])
    #expect(!place.has("out/direct") && !place.has("out/control/mine"))
  }

  private func write(_ widths: [String: Int], to name: String, _ place: Workplace) throws {
    let inspected = try place.run(["inspect"] + Workplace.tiny.prefix(6) + ["--json"]).json()
    let groups = try #require(inspected["widthGroups"] as? [[String: Any]])
    var all: [String: Int] = [:]
    for group in groups { all[try #require(group["id"] as? String)] = group["width"] as? Int }
    let file: [String: Any] = ["network": "resnet20", "widths": all.merging(widths) { $1 }]
    try place.write(JSONSerialization.data(withJSONObject: file), to: name)
  }

  // Where the trainings of the first seed lie, arm by arm.
  private func folders(_ comparison: Outcome) throws -> [String] {
    let arms = try #require(comparison.json()["arms"] as? [[String: Any]])
    return try arms.map { arm in
      try #require((arm["members"] as? [[String: Any]])?.first?["folder"] as? String)
    }
  }

  @Test("Fewer searches than seeds are taken in turn, and the report says so")
  func searches() throws {
    let place = try Workplace()
    let words =
      ["compare"] + Self.words + [
        "--search-epochs", "1", "--algorithm", "uniform", "--algorithm", "network-slimming", "--output", "out",
      ]
    let first = try place.run(words + ["--seeds", "1", "--searches", "2", "--json"])
    first.expect(0)
    let comparison = try place.run(words + ["--seeds", "3", "--searches", "2", "--json"])
    comparison.expect(0)
    let arms = try #require(comparison.json()["arms"] as? [[String: Any]])
    let members = try #require(arms.last?["members"] as? [[String: Any]])
    let own = "direct/network-slimming/seed-"
    // A search of its own lies in the training's folder, and has no name.
    #expect(members.map { $0["searchFolder"] as? String } == [nil, nil, "\(own)0/search"])
    #expect(members.map { $0["folder"] as? String } == (0..<3).map { "\(own)\($0)" })
    let widths = members.map { $0["widths"] as? [String: Int] }
    #expect(widths[2] == widths[0])
    #expect(!place.has("\(own)2/search"))
    #expect(try place.text("out/report.html").contains("3 seeds took them in turn"))
    try place.run(words + ["--seeds", "3", "--searches", "1"]).expect(64, "searches")
    try place.run(words + ["--searches", "0"]).expect(64, "--searches 0")
  }

  @Test("A comparison trains every method, direct and transferred, goes on, and has one report")
  func comparison() throws {
    let place = try Workplace()
    let words =
      ["compare"] + Self.words
      + [
        "--algorithm", "uniform", "--algorithm", "morphnet", "--algorithm", "network-slimming", "--project",
        "width=0.5",
        "--search-option", "morphnet.kappa=30", "--seeds", "2", "--output", "out",
      ]
    let first = try place.run(words + ["--json"])
    first.expect(0)
    let arms = try #require(first.json()["arms"] as? [[String: Any]])
    #expect(
      arms.map { "\($0["algorithm"] as? String ?? "") \($0["mode"] as? String ?? "")" } == [
        "uniform control", "morphnet direct", "morphnet transferred", "network-slimming direct",
        "network-slimming transferred",
      ])
    #expect(arms.allSatisfy { ($0["members"] as? [Any])?.count == 2 })
    #expect(try place.text("out/report.html").contains("morphnet"))
    #expect(place.has("out/transferred/width-0.5/morphnet/seed-1/model.safetensors"))
    // What was there is not done again; what is missing is.
    let model = try place.bytes("out/direct/morphnet/seed-0/model.safetensors")
    for name in ["comparison.json", "direct/morphnet/seed-0/model.safetensors"] {
      try FileManager.default.removeItem(atPath: place.file("out/\(name)"))
    }
    let again = try place.run(words + ["--json"])
    again.expect(0)
    #expect(try place.bytes("out/direct/morphnet/seed-0/model.safetensors") == model)
    try place.run(words + ["--overwrite", "--no-direct"]).expect(0)
    #expect(!place.has("out/direct") && place.has("out/transferred"))
  }

  @Test("What a comparison cannot do is refused before anything is made")
  func refusals() throws {
    let place = try Workplace()
    let words = ["compare"] + Self.words + ["--output", "out"]
    try place.run(words + ["--algorithm", "dmcp", "--algorithm", "dmcp"]).expect(64, "dmcp is given twice")
    try place.run(words + ["--no-direct"]).expect(64, "--no-direct", "--project")
    try place.run(words + ["--flops", "1x", "--flops", "2x"]).expect(64, "give --flops once")
    try place.run(words + ["--search-option", "kappa=3"]).expect(64, "say for which method")
    #expect(!place.has("out"))
  }
}
