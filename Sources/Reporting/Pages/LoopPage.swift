import Diagnosis
import Records
import Support

/// The page of the loop between two channels and of the stages.
struct LoopPage {
  let summary: LoopSummary

  func page() -> Page {
    let (first, last) = (summary.loop.samples[0], summary.loop.samples[summary.loop.samples.count - 1])
    func products(_ sample: TwoChannelLoop.Sample) -> (Double, Double) {
      (sample.incoming[0] * sample.outgoing[0], sample.incoming[1] * sample.outgoing[1])
    }
    let (before, after) = (products(first), products(last))
    func number(_ value: Double) -> String { Format.fixed(value, 2) }
    return Page(
      title: "The Matthew effect among channels",
      subtitle: "Two channels of nearly one direction, and what becomes of the variance of a layer.",
      sections: [
        Page.Section(
          id: "loop", heading: "The loop",
          blocks: [
            .headline(
              "The channel that is ahead stays ahead: the products of their weights differ by \(number(before.0 - before.1)) at the start and by "
                + "\(number(after.0 - after.1)) at the end."),
            .paragraph(
              "y = Σ cᵢ·max(0, aᵢ·x), trained by gradient descent on a teacher of one channel [reconstructed]. The gradient of aᵢ is in proportion "
                + "to cᵢ, and that of cᵢ to the norm of aᵢ: the channel with the larger outgoing weight had the larger gradient in "
                + "\(Format.percent(100 * summary.loop.agreement, 0)) of the steps in which there was something to learn."
            ),
            .figures([
              Chart.loop(summary.loop, id: "norms", "Norms of a channel's weights", \.incoming, \.outgoing),
              Chart.loop(
                summary.loop, id: "gradients", "Norms of their gradients", \.incomingGradient, \.outgoingGradient),
            ]),
          ]),
        Page.Section(
          id: "stages", heading: "The stages",
          blocks: [
            .paragraph(
              "Stage 1: channels are alike. Stage 2: a few take the lead, and the variance rises fast. Stage 3: it stays where the layer is wide enough "
                + "(IS), and falls where it could use more channels (DS). Drawn curves, with the stages as the classifier finds them."
            ),
            .figures([
              Chart.stages(summary.wideEnough, id: "stages-is"), Chart.stages(summary.tooNarrow, id: "stages-ds"),
            ]),
          ]),
      ])
  }
}
