import Foundation
import Testing

/// Budgets and projections that cannot be meant, refused before anything is searched.
@Suite struct BudgetTests {
  /// Two convolutions of 32 channels for 28-pixel images, without stages.
  static let network = """
    {"name": "plain", "input": {"channels": 1, "height": 28, "width": 28}, "layers": [
     {"name": "c1", "inputs": ["input"], "operation":
       {"kind": "convolution", "outputChannels": 32, "kernelSize": 3, "padding": 1, "stride": 2}},
     {"name": "b1", "inputs": ["c1"], "operation": {"kind": "batchNorm"}},
     {"name": "r1", "inputs": ["b1"], "operation": {"kind": "relu"}},
     {"name": "c2", "inputs": ["r1"], "operation":
       {"kind": "convolution", "outputChannels": 32, "kernelSize": 3, "padding": 1, "stride": 2}},
     {"name": "b2", "inputs": ["c2"], "operation": {"kind": "batchNorm"}},
     {"name": "p", "inputs": ["b2"], "operation": {"kind": "globalAveragePool"}},
     {"name": "f", "inputs": ["p"], "operation": {"kind": "flatten"}},
     {"name": "fc", "inputs": ["f"], "operation": {"kind": "linear", "outputFeatures": 4}}]}
    """

  private func search(_ place: Workplace, _ more: String...) throws -> Outcome {
    try place.run(
      ["search"] + Workplace.tiny + Workplace.data
        + ["--search-epochs", "1", "--algorithm", "random", "--output", "out"] + more)
  }

  @Test("A forgotten x, a budget out of reach or out of proportion")
  func budgets() throws {
    let place = try Workplace()
    try search(place, "--flops", "1.0").expect(64, "--flops 1.0", "was 1.0x meant")
    try search(place, "--parameters", "0.5").expect(64, "--parameters 0.5", "was 0.5x meant")
    try search(place, "--flops", "0.0001x").expect(
      64, "--flops 0.0001x cannot be reached", "with every group at its least width")
    try search(place, "--parameters", "0.001x").expect(64, "--parameters 0.001x cannot be reached", "parameters")
    try search(place, "--flops", "900G").expect(
      64, "--flops 900G takes", "times the network's own widths", "--resolution")
    #expect(!place.has("out"))
    try search(place, "--flops", "0.7x", "--flops", "100000").expect(0)
    // Of a budget in parameters there is no share in MACs; two budgets of the same words have their kinds beside them.
    let kinds = try place.run(
      ["run"] + Workplace.tiny + Workplace.data + [
        "--algorithm", "random", "--search-epochs", "1", "--epochs", "1", "--flops", "0.7x", "--parameters", "0.7x",
        "--output", "kinds",
      ])
    kinds.expect(0)
    #expect(
      kinds.output.contains("flops-0.7x, uniform: top-1") && kinds.output.contains("parameters-0.7x, optimized: top-1"))
    let page = try place.text("kinds/parameters-0.7x/report.html")
    #expect(page.contains(">Parameters</p>") && !page.contains("MACs of one image"))
    #expect(page.contains("Nothing was searched.") && !page.contains("on a projected network"))
  }

  @Test("A depth that changes nothing is no projection; nor is one that makes a network larger")
  func projections() throws {
    let place = try Workplace()
    try place.write(Self.network, to: "plain.json")
    try place.run("overhead", "--network", "plain.json", "--project", "depth=0.5").expect(
      64, "depth=0.5 changes nothing", "no stages")
    try place.run("inspect", "plain.json", "--depth", "2").expect(64, "--depth 2.0 changes nothing")
    try place.run("overhead", "--network", "resnet20", "--project", "depth=0.5").expect(0)
    // Three channels, projected, are rounded up to eight.
    try place.write(Self.network.replacing(": 32", with: ": 3"), to: "narrow.json")
    try place.run(
      ["search", "--network", "narrow.json", "--project", "width=0.9", "--batch-size", "16", "--output", "out"]
        + Workplace.data
    ).expect(64, "--project width=0.9", "more than", "--divisor 8")
    #expect(!place.has("out"))
  }

  @Test("A network's own image size beside another of the data is said")
  func size() throws {
    let place = try Workplace()
    try place.write(Self.network, to: "plain.json")
    let outcome = try place.run(
      ["train", "--network", "plain.json", "--epochs", "1", "--batch-size", "16", "--output", "out"] + Workplace.data)
    outcome.expect(0, "plain.json takes images of 28 px, those of data have 8", "--resolution 28")
  }

  @Test("A network whose file has changed belongs into another folder, and what is there stays")
  func changedNetwork() throws {
    let place = try Workplace()
    func search() throws -> Outcome {
      try place.run(
        ["search", "--network", "plain.json", "--batch-size", "16", "--algorithm", "random", "--output", "out"]
          + Workplace.data)
    }
    try place.write(Self.network, to: "plain.json")
    try search().expect(0)
    let before = try place.text("out/widths.json")
    try place.write(Self.network.replacing("\"outputChannels\": 32", with: "\"outputChannels\": 40"), to: "plain.json")
    try search().expect(64, "holds another run")
    #expect(
      try place.text("out/widths.json") == before && !place.contents(of: "out").keys.contains { $0.contains("-") })
  }

  @Test("Where the search returns the uniform widths, one network is trained, and the report says so")
  func oneNetwork() throws {
    let place = try Workplace()
    try place.run(
      [
        "run", "--algorithm", "uniform", "--search-epochs", "1", "--epochs", "1", "--seeds", "2", "--project",
        "width=0.5",
        "--output", "out", "--json",
      ] + Workplace.tiny + Workplace.data
    ).expect(0)
    let summary = try place.json("out/summary.json")
    let variants = try #require(summary["variants"] as? [[String: Any]])
    #expect(variants.count == 2 && variants[0]["folders"] as? [String] == variants[1]["folders"] as? [String])
    #expect(try place.text("out/report.html").contains("there is one network and nothing to compare"))
  }

  @Test("The report of a run of several budgets shows them side by side; extrapolation takes one")
  func several() throws {
    let place = try Workplace()
    try place.run(
      [
        "run", "--algorithm", "uniform", "--search-epochs", "1", "--epochs", "1", "--seeds", "1", "--project",
        "width=0.5",
        "--flops", "0.8x", "--flops", "1x", "--output", "out", "--quiet",
      ] + Workplace.tiny + Workplace.data
    ).expect(0)
    try place.run("report", "out", "--output", "both.html").expect(0)
    let page = try place.text("both.html")
    #expect(page.contains("2 runs side by side") && page.contains("flops-0.8x") && page.contains("flops-1x"))
    try place.write(#"{"network": "resnet20", "widths": {}}"#, to: "w.json")
    try place.run("extrapolate", "--network", "resnet20", "--widths", "w.json", "--flops", "1x", "--flops", "0.5x")
      .expect(
        64, "one budget")
  }
}
