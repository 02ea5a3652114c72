import Foundation
import Testing

/// `--project auto --budget TIME`.
@Suite struct ProjectionChoiceTests {
  private static let words =
    Workplace.tiny + Workplace.data
    + ["--epochs", "1", "--search-epochs", "1", "--project", "auto", "--budget", "1h", "--output", "out"]

  @Test("A run chooses once, says what it predicts beside what it took, and goes on as it began")
  func choice() throws {
    let place = try Workplace()
    let first = try place.run(["search"] + Self.words)
    first.expect(0)
    #expect(first.errors.contains("timing a few search steps") && first.errors.contains("is predicted to take"))
    let choice = try place.json("out/projection.json")
    #expect(choice["budget"] as? Double == 3600)
    let overhead = try #require(try place.json("out/widths.json")["overhead"] as? [String: Any])
    #expect(overhead["predictedSeconds"] as? Double == choice["predictedSeconds"] as? Double)
    #expect(try place.text("out/run.yaml").contains("budget: 1h"))
    let kept = try place.bytes("out/projection.json")
    // The same folder carries on with it, the processes of its jobs too.
    let again = try place.run(["run"] + Self.words + ["--jobs", "2"])
    again.expect(0)
    #expect(!again.errors.contains("timing a few search steps"))
    #expect(try place.bytes("out/projection.json") == kept)
    #expect(try place.text("out/report.html").contains("Projections that were looked at"))
    try place.run(["search"] + Self.words + ["--quiet", "--overwrite"]).expect(0)
    #expect(try place.bytes("out/projection.json") != kept)
  }

  @Test("What does not go together is refused")
  func refusals() throws {
    let place = try Workplace()
    let words = ["search"] + Workplace.tiny + Workplace.data + ["--epochs", "1", "--output", "out"]
    try place.run(words + ["--project", "auto"]).expect(64, "--budget", "30m")
    try place.run(words + ["--project", "auto", "--budget", "30"]).expect(64, "--budget 30", "unit")
    try place.run(words + ["--budget", "30m"]).expect(64, "--project auto")
    try place.run(words + ["--project", "auto", "--project", "width=0.5", "--budget", "1h"]).expect(64, "stands alone")
    try place.run(["compare"] + words.dropFirst() + ["--project", "auto", "--budget", "1h"]).expect(64, "`run`")
  }
}
