import Foundation
import Testing

@Suite struct StreamTests {
  @Test("--json prints one document, --quiet nothing beside it, and -v more beside it")
  func streams() throws {
    let place = try Workplace()
    let words = Workplace.training + ["--json", "--output"]
    let plain = try place.run(words + ["plain"])
    let quiet = try place.run(words + ["quiet", "--quiet"])
    let verbose = try place.run(words + ["verbose", "-v"])
    for outcome in [plain, quiet, verbose] {
      outcome.expect(0)
      let keys = Set(try outcome.json().keys)
      #expect(
        keys == ["top1", "top5", "loss", "images", "seconds", "imagesPerSecond", "macs", "parameters"], "\(keys)")
    }
    #expect(plain.errors.contains("epoch 1/"))
    #expect(quiet.errors.isEmpty)
    for word in ["IDX files", "64 training and 32 held-out", "LibTorch 2", "1 thread(s)", "device cpu", "momentum"] {
      #expect(verbose.errors.contains(word), "\(word): \(verbose.errors)")
      #expect(!plain.errors.contains(word), "\(word)")
    }
  }

  @Test("The whole job in one call: one document on standard output, a report, and more seeds later")
  func wholeJob() throws {
    let place = try Workplace()
    let words =
      ["run"] + Workplace.tiny + Workplace.data
      + ["--epochs", "1", "--search-epochs", "1", "--project", "width=0.5", "--output", "out", "--json"]
    let first = try place.run(words)
    first.expect(0)
    let variants = try #require(try first.json()["variants"] as? [[String: Any]])
    #expect(variants.map { $0["name"] as? String } == ["uniform", "optimized"])
    #expect(try place.text("out/report.html").contains("<html"))
    let more = try place.run(words + ["--seeds", "2"])
    more.expect(0)
    let grown = try #require(try more.json()["variants"] as? [[String: Any]])
    #expect(grown.allSatisfy { ($0["seeds"] as? [Int]) == [0, 1] })
    #expect(try place.text("out/run.yaml").contains("seeds: 2"))
    // Where so short a search leaves the widths as they are, one training serves both.
    for folder in grown.flatMap({ $0["folders"] as? [String] ?? [] }) {
      #expect(place.has("out/\(folder)/model.safetensors"), "\(folder)")
    }
    let report = try place.run("report", "out", "out/search", "out/uniform/seed-0", "--output", "all.html")
    report.expect(0)
    #expect(report.output == "all.html\n")
  }

  @Test("A result that cannot be written is not a success, and a reader that has enough is no failure")
  func broken() throws {
    let place = try Workplace()
    if FileManager.default.fileExists(atPath: "/dev/full") {
      try place.shell("exec \"$WT\" inspect resnet20 --json >/dev/full").expect(74, "standard output")
      try place.shell("exec \"$WT\" \(Workplace.training.joined(separator: " ")) --output out 2>/dev/full").expect(0)
    }
    let head = try place.shell("\"$WT\" inspect resnet101 --json | head -n 1")
    head.expect(0)
    #expect(head.output == "{\n")
    #expect(head.errors.isEmpty)
  }
}
