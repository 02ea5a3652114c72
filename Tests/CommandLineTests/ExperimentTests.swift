import Foundation
import Testing

/// `experiment` from the outside, at its smallest.
@Suite struct ExperimentTests {
  @Test("The list names claims and data, and a name that is none has its nearest")
  func list() throws {
    let place = try Workplace()
    let list = try place.run(["experiment", "list"])
    list.expect(0)
    for name in [
      "matthew-1", "matthew-2-gcn", "matthew-2-gru", "matthew-3-vit", "matthew-4", "matthew-6", "matthew-x1",
    ] {
      #expect(list.output.contains(name + "  "))
    }
    let listed = try place.run(["experiment", "list", "--json"])
    listed.expect(0)
    let entries = try #require(
      try JSONSerialization.jsonObject(with: Data(listed.output.utf8)) as? [[String: Any]])
    #expect(entries.count == list.output.matches(of: /(?m)^\S/).count)
    let sizes = entries.first { $0["name"] as? String == "figure-4a" }?["scales"] as? [String: [String: Int]]
    #expect(sizes?["cifar"]?["searches"] ?? 0 > 10)
    let wrong = try place.run(["experiment", "matthew-2-gcm", "--output", "x"])
    wrong.expect(64)
    #expect(wrong.errors.contains("did you mean matthew-2-gcn?"))
    for more in [[], ["--scale", "cifar"], ["--jobs", "2"]] {
      try place.run(["experiment", "figure-8", "--output", "x"] + more).expect(
        64, "each an experiment: figure-8a, figure-8b")
    }
    try place.run("experiment", "figur-4a", "--scale", "imagenet").expect(64, "did you mean figure-4a?")
    try place.run("experiment", "matthew-t1", "--seeds", "5").expect(64, "measures nothing without --output")
    for words in [
      ["matthew-1", "--data", "data"], ["matthew-4", "--widths", "4"], ["matthew-4", "--layer", "3"],
      ["matthew-x1", "--widths", "0"], ["matthew-4", "--subset", "200%"], ["matthew-4"],
      ["matthew-t2", "--network", "resnet18"], ["matthew-1", "--scale", "full"], ["matthew-1", "--device", "cuda"],
      ["matthew-t3", "--network", "vgg11"],
    ] {
      try place.run(["experiment"] + words + (words.count > 1 ? ["--output", "x"] : [])).expect(64)
    }
    try place.run(["experiment", "matthew-2-gru", "--data", "data", "--output", "x"]).expect(66)
  }

  @Test("The loop is drawn, and networks have a page each that is not made again")
  func networks() throws {
    let place = try Workplace()
    try place.run(["experiment", "matthew-1", "--output", "loop"]).expect(0)
    #expect(place.has("loop/report.html"))
    try expect(place, "loop/loop.json", isA: "loop")
    // Equal seeds draw the same, to the byte.
    try place.run(["experiment", "matthew-1", "--output", "again", "--charts", "again/charts"]).expect(0)
    try place.run(["experiment", "matthew-1", "--output", "loop", "--charts", "loop/charts"]).expect(0)
    let charts = try place.contents(of: "again/charts")
    let drawn = try place.contents(of: "loop/charts")
    #expect(charts.count == 4 && charts == drawn)
    #expect(try place.bytes("again/report.html") == place.bytes("loop/report.html"))
    let words = [
      "experiment", "matthew-a5", "--data", "data", "--epochs", "1", "--seeds", "1", "--threads", "1", "--output", "a5",
    ]
    let first = try place.run(words)
    first.expect(0)
    for name in ["x1", "x2", "x4"] {
      #expect(first.output.contains("resnet20-\(name), top-1"))
      #expect(
        place.has("a5/resnet20-\(name)/diagnosis.html") && place.has("a5/resnet20-\(name)/seed-0/model.safetensors"))
      try expect(place, "a5/resnet20-\(name)/diagnosis.json", isA: "diagnosis")
    }
    let again = try place.run(words)
    again.expect(0)
    #expect(again.output == first.output && !again.errors.contains("epoch"))
    var changed = words
    changed[5] = "2"
    let other = try place.run(changed)
    other.expect(64)
    #expect(other.errors.contains("remove that folder"))
  }

  @Test("One layer at two widths, and the models that are no networks")
  func sweeps() throws {
    let place = try Workplace()
    let common = ["--epochs", "1", "--seeds", "1", "--threads", "1"]
    for (name, words, score) in [
      ("matthew-x1", ["--layer", "2", "--widths", "4,8"], "top-1"),
      ("matthew-2-gcn", ["--widths", "4,8"], "test accuracy"),
      ("matthew-2-gru", ["--widths", "4,8"], "test perplexity"),
      ("matthew-3-vit", ["--widths", "4,8", "--subset", "20%"], "test accuracy"),
    ] {
      let run = try place.run(["experiment", name] + words + common + ["--output", name])
      run.expect(0)
      #expect(run.output.contains(score) && run.output.contains("8 "))
      let sweep = try place.json("\(name)/sweep.json")
      #expect((sweep["points"] as? [[String: Any]])?.map { $0["width"] as? Int } == [4, 8])
      #expect(place.has("\(name)/report.html"))
      try expect(place, "\(name)/sweep.json", isA: "sweep")
    }
  }

  /// Whether a file is what `docs/schema/studies.schema.json` says of it; and something else is not.
  private func expect(_ place: Workplace, _ name: String, isA definition: String) throws {
    let schema = try JSONSchema()
    var document = try place.json(name)
    let faults = schema.faults(document, "studies.schema.json", definition: definition)
    #expect(faults.isEmpty, "\(name): \(faults.prefix(3))")
    document.removeValue(forKey: document.keys.max() ?? "")
    #expect(!schema.faults(document, "studies.schema.json", definition: definition).isEmpty)
  }

  @Test("Table 1 is measured with an output folder; what is there is not measured again, and not under other epochs")
  func measuresPhenomena() throws {
    let place = try Workplace()
    let measured = ["experiment", "matthew-t1", "--seeds", "2", "--threads", "1", "--output", "t1", "--epochs"]
    let first = try place.run(measured + ["3"])
    first.expect(0)
    #expect(first.output.contains("of 2") && first.errors.contains("seed 1"))
    try expect(place, "t1/phenomena.json", isA: "phenomena")
    let again = try place.run(measured + ["3", "--json"])
    again.expect(0)
    #expect(!again.errors.contains("measuring") && again.output.contains("grokking"))
    let other = try place.run(measured + ["4"])
    other.expect(64)
    #expect(other.errors.contains("another --output"))
  }

  @Test("Table 1 is answered at once; table 2 merges what was trained, and what is there is not trained again")
  func merges() throws {
    let place = try Workplace()
    let phenomena = try place.run(["experiment", "matthew-t1"])
    phenomena.expect(0)
    #expect(phenomena.output.contains("grokking") && phenomena.output.contains("train --track weight-norms"))
    let words = [
      "experiment", "matthew-t2", "--subset", "20%", "--epochs", "2", "--seed", "1", "--seeds", "1", "--threads", "1",
      "--output",
      "t2",
    ]
    let first = try place.run(words)
    first.expect(0)
    // Two epochs say nothing of a layer.
    #expect(first.output.contains("It cannot be told here"))
    try expect(place, "t2/merges.json", isA: "merges")
    let summary = try place.json("t2/merges.json")
    let members = try #require(summary["members"] as? [[String: Any]])
    #expect(members.map { $0["seed"] as? Int } == [1])
    #expect(members.allSatisfy { ($0["points"] as? [Any])?.count == 19 })
    #expect((summary["groups"] as? [Any])?.count == 13)
    #expect(place.has("t2/vgg16/seed-1/model.safetensors") && place.has("t2/report.html"))
    let again = try place.run(words)
    again.expect(0)
    #expect(again.output == first.output && !again.errors.contains("epoch"))
  }

  @Test("Table 3 compares the original with what its diagnosis makes of it; a diagnosis that says nothing ends it")
  func streamlines() throws {
    let place = try Workplace()
    func words(_ epochs: Int, _ output: String) -> [String] {
      [
        "experiment", "matthew-t3", "--network", "vgg16", "--subset", "20%", "--epochs", "\(epochs)", "--seeds", "2",
        "--threads", "1", "--output", output,
      ]
    }
    let short = try place.run(words(1, "short"))
    short.expect(64)
    #expect(short.errors.contains("leaves nothing to change"))
    let run = try place.run(words(3, "t3"))
    run.expect(0)
    // The uniform control has the parameters that the streamlined network came to. No layer is too narrow after three epochs: labels can be
    // drawn in one way, and turned around they change nothing.
    for name in ["original", "streamlined", "uniform-"] { #expect(run.output.contains(name)) }
    for name in ["random", "inverse"] {
      #expect(
        !run.output.contains(name)
          && run.errors.contains("\(name): with this diagnosis it is a network that is there already"))
    }
    #expect(place.has("t3/vgg16/diagnosis.html") && place.has("t3/vgg16/streamlined.json"))
    let page = try String(contentsOfFile: place.path + "/t3/vgg16/report.html", encoding: .utf8)
    #expect(
      page.contains("Networks of vgg16_cifar side by side") && page.contains("The layers of the original network"))
    let again = try place.run(words(3, "t3"))
    again.expect(0)
    #expect(again.output == run.output && !again.errors.contains("epoch"))
  }

  @Test("Widths that change under way leave a file of them, and do not go with what compares weights")
  func adapts() throws {
    let place = try Workplace()
    let training = ["train"] + Workplace.tiny + Workplace.data + ["--epochs", "2", "--quiet", "--adapt-widths"]
    try place.run(training + ["--output", "run"]).expect(0)
    #expect(place.has("run/widths.json") && place.has("run/weight-norms/series.jsonl"))
    try place.run(["evaluate", "--weights", "run/model.safetensors", "--dataset", "data"]).expect(0)
    let refused = try place.run(training + ["--track", "sign-changes", "--output", "other"])
    refused.expect(64)
    #expect(refused.errors.contains("--adapt-widths"))
  }

  @Test("A grid is shown as flags of compare, and a changed copy of it is carried out, projection by projection")
  func grids() throws {
    let place = try Workplace()
    let shown = try place.run(["experiment", "show", "figure-7c", "--scale", "cifar"])
    shown.expect(0)
    #expect(shown.output.contains("network: resnet18_cifar") && shown.output.contains("  - data=20%"))
    try place.run(["experiment", "show", "figure-4x"]).expect(64)
    let table = try place.run(["experiment", "show", "table-1a"])
    table.expect(0)
    #expect(table.output.contains("network: resnet50\n"))
    try place.run(["experiment", "show", "table-1a", "--scale", "tiny"]).expect(64)
    try place.run(["experiment", "figure-7c", "--scale", "tiny", "--output", "x"]).expect(64)
    try place.run(["experiment", "figure-7c", "--help"]).expect(0)
    try place.write(
      """
      network: resnet20
      width: 0.25
      divisor: 2
      dataset: data
      epochs: 1
      batch-size: 8
      search-epochs: 1
      algorithm: [uniform, network-slimming]
      project:
        - width=0.5
        - data=50%
      """, to: "mine.yaml")
    let run = try place.run(["experiment", "mine.yaml", "--seeds", "1", "--threads", "1", "--quiet", "--output", "out"])
    run.expect(0)
    let lines = run.output.split(separator: "\n")
    #expect(lines.contains { $0.hasPrefix("network-slimming, direct: top-1") })
    #expect(lines.contains { $0.hasPrefix("width=0.5") && $0.contains("network-slimming, transferred: top-1") })
    #expect(lines.contains { $0.contains("data=50%: network-slimming, transferred: top-1") })
    #expect(place.has("out/transferred/width-0.5/network-slimming/seed-0/model.safetensors"))
    #expect(place.has("out/transferred/data-0.5/network-slimming/seed-0/model.safetensors"))
    let arms = try #require(try place.json("out/comparison.json")["arms"] as? [[String: Any]])
    #expect(arms.count == 4 && arms.count { $0["projection"] != nil } == 2)
    let refused = try place.run(
      ["run"] + Workplace.tiny + Workplace.data
        + ["--project", "width=0.5", "--project", "data=50%", "--algorithm", "network-slimming", "--output", "other"])
    refused.expect(64)
    #expect(refused.errors.contains("only `compare` takes several"))
  }
}
