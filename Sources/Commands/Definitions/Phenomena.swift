import Support

/// Phenomena of training that people have described, and what shows them: table 1 of Chen, Bu and Yan (2024). [The rows are those that the
/// project's specification gives; the source's own wording is not known.]
package enum Phenomena {
  /// One phenomenon.
  private struct Row: Encodable {
    var phenomenon: String
    var seen: String
    var measure: String
    /// The command that measures it here; nil where there is none.
    var command: String?
  }

  private static let rows = [
    Row(
      phenomenon: "critical period", seen: "early epochs decide what later ones cannot mend",
      measure: "trace of the Fisher information, per epoch"),
    Row(
      phenomenon: "frequency principle", seen: "low frequencies of the target are learnt first",
      measure: "relative error of each frequency of a discrete Fourier transform, over epochs"),
    Row(
      phenomenon: "grokking", seen: "held-out accuracy rises long after training accuracy",
      measure: "epochs between both passing 95 %"),
    Row(
      phenomenon: "double descent", seen: "held-out error falls, rises and falls again",
      measure: "held-out error over width and over epochs"),
    Row(
      phenomenon: "channel Matthew effect",
      seen: "channels with large weights grow, and where a layer is too narrow the others catch up",
      measure: "V, the variance of the channels' weight norms, over epochs",
      command: "train --track weight-norms, then diagnose"),
  ]

  /// Prints the table.
  static func tell(asJSON: Bool) throws {
    if asJSON { return try Output.json(rows) }
    var table = TextTable(["phenomenon", "what is seen", "measure", "here"])
    for row in rows { table.add([row.phenomenon, row.seen, row.measure, row.command ?? "–"]) }
    try Output.text(table.text)
  }
}
