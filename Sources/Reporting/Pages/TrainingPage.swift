import Networks
import Records
import Support

/// The page of a single training.
struct TrainingPage {
  let record: RunRecord

  private var history: EventHistory { record.history }
  private var start: RunEvent.Start? { history.start }

  func page() -> Page {
    let dataset = record.setting("dataset")
    let network = start?.network ?? record.name
    return Page(
      title: dataset.map { "\(network) on \($0)" } ?? network,
      subtitle: "One training from scratch"
        + (record.widths.map { $0.algorithm == "adapt" ? ", ending at" : ", at" }.map {
          "\($0) the widths of widths.json."
        }
          ?? "."),
      sections: [result, training, widths, asked, PageParts.warnings([("training", history)], gaps: record.gaps), made]
        .compactMap { $0 })
  }

  private var result: Page.Section {
    let last = history.epochs.last
    let top1 = record.result?.top1 ?? history.done?.top1 ?? last?.top1
    let top5 = record.result?.top5 ?? history.done?.top5 ?? last?.top5
    let loss = record.result?.loss ?? history.done?.loss ?? last?.loss
    var tiles: [Page.Tile] = []
    if let top1 {
      tiles.append(
        .init(
          label: "Held-out top-1", value: Format.fixed(top1, 2) + "%",
          detail: top5.map { "top-5 \(Format.fixed($0, 2))%; one seed" } ?? "one seed"))
    }
    if let loss {
      tiles.append(.init(label: "Held-out loss", value: Format.fixed(loss, 4), detail: "mean cross-entropy"))
    }
    if let start {
      // Of a training that adapts widths, those that it ends with.
      let (macs, parameters) = (record.result?.macs ?? start.macs, record.result?.parameters ?? start.parameters)
      tiles.append(
        .init(
          label: "MACs of one image", value: Format.si(Double(macs)),
          detail: "\(Format.si(Double(parameters))) parameters"
            + (macs == start.macs ? "" : "; \(Format.si(Double(start.macs))) MACs at the beginning")))
    }
    if let seconds = record.result?.seconds ?? history.done?.seconds {
      tiles.append(
        .init(
          label: "Time", value: Format.duration(seconds),
          detail: record.result.map { "\(Format.significant($0.imagesPerSecond)) images per second" } ?? ""))
    }
    var blocks: [Page.Block] = [.tiles(tiles)]
    if history.done == nil {
      let reached = last.map { "after epoch \($0.epoch + 1)" } ?? "before the end of the first epoch"
      blocks.insert(.headline("This training is not complete; what follows is its state \(reached)."), at: 0)
    }
    return Page.Section(id: "result", heading: "Result", blocks: blocks)
  }

  private var training: Page.Section? {
    guard !history.epochs.isEmpty else { return nil }
    let seed = start?.seed ?? 0
    let curve = TrainingCurve(series: "training", seed: seed, epochs: history.epochs)
    let trainLosses = history.epochs.map { epoch in
      var epoch = epoch
      epoch.loss = epoch.trainLoss
      return epoch
    }
    let losses = [
      TrainingCurve(series: "training", seed: seed, epochs: trainLosses),
      TrainingCurve(series: "held-out", seed: seed, epochs: history.epochs),
    ]
    var charts = [Chart.trainingCurves(losses, metric: .loss, title: "Loss")]
    if history.epochs.contains(where: { $0.top1 != nil }) {
      charts.insert(Chart.trainingCurves([curve], metric: .top1), at: 0)
    }
    return Page.Section(
      id: "training", heading: "Training", blocks: [.figures(charts), .details(PageParts.epochs([curve]))])
  }

  private var widths: Page.Section? {
    guard let widths = record.widths else { return nil }
    return SearchPage.widthsSection(widths)
  }

  private var asked: Page.Section {
    var facts: [Page.Fact] = []
    if let start {
      facts = [
        .init(name: "Network", value: start.network),
        .init(name: "Training images", value: Format.count(start.images)),
        .init(name: "Resolution", value: "\(start.resolution) px"),
        .init(name: "Epochs", value: Format.count(start.epochs)),
        .init(name: "Batch size", value: Format.count(start.batchSize)),
      ]
    }
    if let dataset = record.setting("dataset") { facts.insert(.init(name: "Data set", value: dataset), at: 1) }
    return Page.Section(
      id: "asked", heading: "What was asked", blocks: [.facts(facts + PageParts.recipe(record, besides: facts))])
  }

  private var made: Page.Section {
    PageParts.provenance(record, starts: [start].compactMap { $0 }, resumes: history.resumes)
  }
}
