import Foundation
import Testing

/// Width groups that keep their widths, from the command line.
@Suite struct FixingTests {
  private static let words = Workplace.data + ["--epochs", "1", "--batch-size", "16", "--divisor", "2", "--quiet"]

  @Test(
    "Every method searches a network with layers that it cannot act on; it keeps them, and says so",
    arguments: ["dmcp", "morphnet", "network-slimming", "autoslim"])
  func unsearchable(method: String) throws {
    let place = try Workplace()
    try place.write(Self.network, to: "net.json")
    let done = try place.run(
      ["search", "--network", "net.json"] + Self.words
        + ["--algorithm", method, "--search-epochs", "1", "--flops", "0.7x", "--project", "width=0.5", "--output", "s"])
    done.expect(0)
    let file = try place.json("s/widths.json")
    let widths = try #require(file["widths"] as? [String: Int])
    #expect(Set(widths.keys) == ["conv", "grouped", "last", "hidden"])
    let fixed = file["fixed"] as? [String: String] ?? [:]
    #expect(fixed.keys.sorted() == (["autoslim", "dmcp"].contains(method) ? [] : ["hidden"]))
    for group in fixed.keys { #expect(widths[group] == Self.own[group]) }
    for group in ["conv", "grouped"] { #expect((widths[group] ?? 1).isMultiple(of: 4)) }
    #expect(try place.text("s/search/events.jsonl").contains("\(method) keeps the widths of") == !fixed.isEmpty)
    let (macs, target) = (file["macs"] as? Int ?? 0, file["targetMacs"] as? Int ?? 1)
    #expect(abs(Double(macs - target)) < 0.1 * Double(target))
    try place.run("inspect", "net.json", "--widths", "s/widths.json").expect(0)
  }

  @Test("`fix` holds in search, run and comparison; a pattern that names nothing is refused at once")
  func asked() throws {
    let place = try Workplace()
    let words =
      Workplace.tiny.filter { $0 != "--batch-size" && $0 != "16" && $0 != "--divisor" && $0 != "2" } + Self.words + [
        "--search-epochs", "1", "--flops", "0.6x",
      ]
    let random = ["--algorithm", "random", "--fix", "layer3.*", "--fix", "conv1"]
    try place.run(["run"] + words + random + ["--output", "r"]).expect(0)
    let file = try place.json("r/widths.json")
    let fixed = try #require(file["fixed"] as? [String: String])
    #expect(fixed["conv1"] == "as asked" && fixed.count == 5)
    #expect(try place.text("r/report.html").contains("layer3.*, conv1"))
    let own = try #require(
      place.run("inspect", "resnet20", "--width", "0.25", "--divisor", "2", "--json").json()["widthGroups"]
        as? [[String: Any]])
    for group in own where fixed[group["id"] as? String ?? ""] != nil {
      #expect((file["widths"] as? [String: Int])?[group["id"] as? String ?? ""] == group["width"] as? Int)
    }
    // The baseline keeps them too: it costs the same, so that the others pay.
    let summary = try place.json("r/summary.json")
    let macs = (summary["variants"] as? [[String: Any]] ?? []).compactMap { $0["macs"] as? Int }
    #expect(macs.count == 2 && abs(Double(macs[0] - macs[1])) < 0.1 * Double(macs[1]), "\(macs)")
    try place.run(["search"] + words + ["--fix", "layer9.*", "--output", "x"]).expect(64, "--fix layer9.*", "nearest")
    try place.run(["search"] + words + ["--fix", "*", "--output", "x"]).expect(64, "none of the", "as asked")
    try place.run(["search"] + words.dropLast() + ["0.2x", "--fix", "layer[12].*", "--output", "x"]).expect(
      64, "fixed at their own")
    #expect(!place.has("x"))
  }

  private static let own = ["hidden": 24]

  private static let network = """
    {"name": "mixed", "input": {"channels": 1, "height": 8, "width": 8}, "layers": [
      \(conv("conv", "input", 16, "")), \(norm("bn1", "conv")), \(relu("relu1", "bn1")),
      \(conv("grouped", "relu1", 16, #", "grouping": 4"#)), \(norm("bn2", "grouped")), \(relu("relu2", "bn2")),
      \(conv("last", "relu2", 20, "")), \(norm("bn3", "last")), \(relu("relu4", "bn3")),
      {"name": "pool", "operation": {"kind": "globalAveragePool"}, "inputs": ["relu4"]},
      {"name": "flat", "operation": {"kind": "flatten"}, "inputs": ["pool"]},
      {"name": "hidden", "operation": {"kind": "linear", "outputFeatures": 24, "hasBias": true}, "inputs": ["flat"]},
      \(relu("relu3", "hidden")),
      {"name": "out", "operation": {"kind": "linear", "outputFeatures": 4, "hasBias": true}, "inputs": ["relu3"]}
    ]}
    """
  private static func norm(_ name: String, _ input: String) -> String {
    #"{"name": "\#(name)", "operation": {"kind": "batchNorm"}, "inputs": ["\#(input)"]}"#
  }
  private static func relu(_ name: String, _ input: String) -> String {
    #"{"name": "\#(name)", "operation": {"kind": "relu"}, "inputs": ["\#(input)"]}"#
  }
  private static func conv(_ name: String, _ input: String, _ channels: Int, _ more: String) -> String {
    #"{"name": "\#(name)", "operation": {"kind": "convolution", "kernelSize": 3, "padding": 1, "outputChannels": \#(channels)\#(more)}, "inputs": ["\#(input)"]}"#
  }
}
