import Foundation
import Testing

/// Time as a budget: the table, and what is found and shown by it.
@Suite struct LatencyTests {
  private static let network = BudgetTests.network

  private func measured() throws -> Workplace {
    let place = try Workplace()
    try place.write(Self.network, to: "plain.json")
    let outcome = try place.run(
      "latency", "measure", "--network", "plain.json", "--resolution", "8", "--checks", "2", "--output", "t.json",
      "--quiet")
    outcome.expect(0)
    #expect(outcome.output.contains("4 forms in t.json") && outcome.output.contains("checked by 2 networks"))
    try known(place)
    return place
  }

  // Times that were measured are another machine's tomorrow: the table's own are replaced by known ones.
  private func known(_ place: Workplace) throws {
    var table = try place.json("t.json")
    let forms = try #require(table["forms"] as? [[String: Any]])
    table["forms"] = try forms.map { form in
      var form = form
      let outputs = try #require(form["outputs"] as? [Int])
      form["seconds"] = (form["inputs"] as? [Int] ?? [1]).map { input in
        outputs.map { 1e-6 * Double(10 + input * $0) }
      }
      return form
    }
    table["calibration"] = ["factor": 1, "step": 0, "weight": 0, "networks": 0]
    try place.write(try JSONSerialization.data(withJSONObject: table), to: "t.json")
  }

  private func run(_ place: Workplace, _ algorithm: String, _ more: String...) throws -> Outcome {
    try place.run(
      [
        "run", "--network", "plain.json", "--algorithm", algorithm, "--divisor", "1", "--batch-size", "16", "--epochs",
        "1",
        "--search-epochs", "1", "--output", algorithm, "--quiet",
      ] + Workplace.data + more)
  }

  @Test("A run has a budget in time, keeps it, and shows what was predicted and measured")
  func budget() throws {
    let place = try measured()
    try run(place, "random", "--latency", "0.9x", "--latency-table", "t.json", "--project", "width=0.5").expect(0)
    let widths = try place.json("random/widths.json")
    let summary = try place.json("random/summary.json")
    let target = try #require(widths["targetLatency"] as? Double)
    #expect(target == summary["targetLatency"] as? Double)
    #expect(abs(try #require(widths["latency"] as? Double) - target) < 0.1 * target)
    #expect(widths["targetMacs"] == nil)
    #expect((summary["latencyRuntime"] as? String)?.hasPrefix("libtorch") == true)
    let variants = try #require(summary["variants"] as? [[String: Any]])
    for variant in variants {
      let latency = try #require(variant["latency"] as? [String: Double])
      #expect((latency["predicted"] ?? 0) > 0 && (latency["measured"] ?? 0) > 0)
    }
    let page = try place.text("random/report.html")
    #expect(page.contains("Latency, predicted") && page.contains("Latency, measured"))
    #expect(page.contains("The budget is one of time"))
    // The same again, from its own configuration: nothing is searched or trained twice.
    try place.run("run", "--config", "random/run.yaml", "--output", "random", "--quiet").expect(0)
  }

  @Test("A comparison shows the times of its networks, measured where it is alone in its folder")
  func comparison() throws {
    let place = try measured()
    let words =
      [
        "compare", "--network", "plain.json", "--algorithm", "uniform", "--algorithm", "random", "--divisor", "1",
        "--batch-size", "16", "--epochs", "1", "--seeds", "2", "--latency", "0.9x", "--latency-table", "t.json",
        "--threads", "1", "--output", "out", "--quiet",
      ] + Workplace.data
    let told = try place.run(words)
    told.expect(0)
    func members() throws -> [[String: Any]] {
      let arms = try #require(try place.json("out/comparison.json")["arms"] as? [[String: Any]])
      return arms.flatMap { $0["members"] as? [[String: Any]] ?? [] }
    }
    func times(_ member: [String: Any]) -> [String: Double] { member["latency"] as? [String: Double] ?? [:] }
    #expect(try members().count == 4 && told.output.contains("ms predicted)"))
    for member in try members() {
      #expect(times(member)["predicted"] ?? 0 > 0 && times(member)["measured"] ?? 0 > 0)
    }
    // The uniform network is the same with each seed, and timed once.
    #expect(try times(members()[0]) == times(members()[1]))
    let page = try place.text("out/report.html")
    #expect(page.contains("Latency, measured") && page.contains("predicted by a table of libtorch"))
    // Gathering measures nothing, and keeps what was measured.
    let before = try members().map(times)
    try place.run(words + ["--gather"]).expect(0)
    #expect(try members().map(times) == before)
  }

  @Test("Every search takes it", arguments: ["dmcp", "autoslim", "morphnet", "network-slimming"])
  func searches(algorithm: String) throws {
    let place = try measured()
    try place.run(
      [
        "search", "--network", "plain.json", "--algorithm", algorithm, "--batch-size", "16", "--search-epochs", "1",
        "--latency", "0.95x", "--latency-table", "t.json", "--divisor", "1", "--output", "out", "--quiet",
      ] + Workplace.data
    ).expect(0)
    let widths = try place.json("out/widths.json")
    let (found, target) = (
      try #require(widths["latency"] as? Double), try #require(widths["targetLatency"] as? Double)
    )
    // Two groups of whole channels.
    #expect(abs(found - target) < 0.1 * target)
  }

  @Test("What is missing or another's is said")
  func refusals() throws {
    let place = try measured()
    try run(place, "random", "--latency", "0.9x").expect(
      64, "--latency 0.9x needs a --latency-table", "latency measure")
    try run(place, "random", "--latency", "0.9x", "--latency-table", "no.json").expect(66, "no.json")
    try run(place, "random", "--latency", "0.9x", "--latency-table", "plain.json").expect(
      65, "plain.json", "a latency table is")
    try run(place, "random", "--latency", "5", "--latency-table", "t.json").expect(64, "--latency 5", "5ms")
    try run(place, "random", "--latency", "1ns", "--latency-table", "t.json").expect(
      64, "--latency 1ns cannot be reached")
    try place.run("inspect", "resnet20", "--latency-table", "t.json").expect(64, "of another network, plain", "conv1")
    let shown = try place.run("inspect", "plain.json", "--resolution", "8", "--latency-table", "t.json")
    shown.expect(0)
    #expect(shown.output.contains("latency      ") && shown.output.contains("(of one image, by the table)"))
    try place.run("latency", "measure", "--network", "plain.json", "--output", "t.json").expect(
      73, "t.json", "--overwrite")
    try place.run(
      "latency", "measure", "--network", "plain.json", "--runtime", "onnxruntime", "--python", "no-such-python",
      "--output", "u.json"
    ).expect(69, "no-such-python", "pip install onnxruntime")
    #expect(!place.has("u.json") && !place.has("random"))
  }
}
