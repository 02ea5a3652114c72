import Records
import Support

/// The page of phenomena of training, each measured on a small problem.
struct PhenomenaPage {
  let summary: PhenomenaSummary

  func page() -> Page {
    let count = summary.seeds.count
    let rows = summary.rows
    let seen = rows.count { $0.seen == count }
    let missing = rows.filter { $0.seen < count }.map { "\($0.phenomenon.rawValue) (\($0.seen) of \(count))" }
    return Page(
      title: "Phenomena of training, and what shows them",
      subtitle:
        "Table 1 of Chen, Bu and Yan (2024), each row measured on a small problem with \(Format.number(count, "seed")).",
      sections: [
        Page.Section(
          id: "table", heading: "Table",
          blocks: [
            .headline(
              missing.isEmpty
                ? "All \(rows.count) phenomena are seen with every seed."
                : "\(seen) of \(rows.count) phenomena are seen with every seed; not \(missing.joined(separator: ", "))."
            ),
            .table(
              Page.Table(
                caption: "What is seen, by which measure",
                columns: [
                  ("Phenomenon", .text), ("What is seen", .text), ("Measure", .text),
                  ("Here (medians over the seeds)", .text),
                  ("Seeds that show it", .number),
                ],
                rows: rows.map {
                  [
                    $0.phenomenon.rawValue, $0.phenomenon.seen, $0.phenomenon.measure, $0.text,
                    "\($0.seen) of \(count)",
                  ]
                })),
            .paragraph(
              "The rows are those that the project's specification gives; the source's own wording is not known, and it names no problems "
                + "[reconstructed]."),
          ]),
        Page.Section(
          id: "curves", heading: "Curves",
          blocks: [
            .figures([
              Chart.criticalPeriod(summary), Chart.frequencies(summary), Chart.grokking(summary),
              Chart.descentOverWidths(summary), Chart.descentOverEpochs(summary), Chart.channelVariance(summary),
            ])
          ]),
        Page.Section(
          id: "made", heading: "How it was made",
          blocks: [
            .notes([
              "Critical period: two hidden layers of 64, 200 points of 4 classes by a random linear map, batches of 20, rate 0.05, momentum 0.9; labels of "
                + "the Fisher information drawn from the network's own distribution; seen when the trace peaks in the first half, a tenth above "
                + "its first, and falls to half",
              "Frequency principle: three sines of 1, 3 and 6 periods at 128 points, two hidden layers of 128 with tanh, Adam at 0.0005; a frequency is learnt at "
                + "an error of a fifth, and it is seen when lower ones are learnt first",
              "Grokking: sums modulo 29, seven tenths to train on, one hidden layer of 128, AdamW at 0.01 with weight decay 1; seen when the others are "
                + "right five times as late",
              "Double descent: 100 points of 10 features and 4 classes, a fifth of the labels wrong, one hidden layer, Adam at 0.01; seen when the error on "
                + "2,000 other points rises and falls by three points over the widths",
              "Channels: one hidden layer of 4 and of 256, 512 points of 32 features and 10 classes, rate 0.05, momentum 0.9, weight decay 0.0001; seen "
                + "when D is larger in the narrow one",
              "Seeds: \(summary.seeds.map { "\($0.seed)" }.joined(separator: ", "))",
            ])
          ]),
      ])
  }
}
