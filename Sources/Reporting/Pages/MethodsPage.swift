import Diagnosis
import Networks
import Records
import Support
import Transfer

/// The page of a comparison of search methods at equal cost.
struct MethodsPage {
  private let record: RunRecord
  private let summary: ComparisonSummary
  private let arms: [MethodArm]
  private let methods: [SearchedMethod]
  private let verdict: MethodsVerdict

  init(record: RunRecord, summary: ComparisonSummary) {
    self.record = record
    self.summary = summary
    arms = summary.methodArms
    methods = summary.searchedMethods
    verdict = MethodsVerdict(arms: arms, methods: methods)
  }

  func page() -> Page {
    Page(
      title: hasSearches ? "Width-search methods on \(summary.network)" : "Networks of \(summary.network) side by side",
      subtitle: hasSearches
        ? "Widths of \(summary.network) for \(summary.dataset), found in different ways and trained alike, at \(budget) each."
        : "Widths of \(summary.network) for \(summary.dataset), trained alike from the same seeds.",
      sections: [result, diagnosis, cost, widths, similarity, asked, warnings, made].compactMap { $0 })
  }

  /// Whether widths were searched, and not only given.
  private var hasSearches: Bool { arms.isEmpty || arms.contains { $0.mode != .control } }

  private var hasMeasuredTimes: Bool { arms.contains { $0.measuredLatency != nil } }

  private var budget: String {
    summary.targetLatency.map { "\(Format.milliseconds($0)) for one image" }
      ?? summary.targetParameters.map { "\(Format.si(Double($0))) parameters" }
      ?? "\(Format.si(Double(summary.targetMacs))) MACs"
  }

  // MARK: Result

  private var result: Page.Section {
    guard !arms.isEmpty else {
      return Page.Section(
        id: "result", heading: "Result", blocks: [.headline("This comparison holds no trained network yet.")])
    }
    var blocks: [Page.Block] = [.headline(verdict.headline), .tiles(tiles)]
    if arms.contains(where: { $0.top1 != nil }) { blocks.append(.figures([Chart.methodAccuracies(summary)])) }
    blocks.append(.table(results))
    if let claims = TransferClaim.table(methods, uniform: verdict.baseline) { blocks.append(.table(claims)) }
    blocks.append(.paragraph(rule))
    if let failed = summary.failed {
      blocks.append(
        .paragraph(
          "What could not be brought to an end: " + failed.map { "\($0.name): \($0.reason)" }.joined(separator: "; ")
            + "."))
    }
    if let runtime = summary.latencyRuntime {
      blocks.append(
        .paragraph(
          "Latency is that of one image, predicted by a table of \(runtime)"
            + (hasMeasuredTimes ? "; measured there when all was trained." : ".")))
    }
    if let unequal { blocks.append(.paragraph(unequal)) }
    if let pairs { blocks.append(.details(pairs)) }
    blocks.append(.details(trainings))
    return Page.Section(id: "result", heading: "Result", blocks: blocks)
  }

  private var tiles: [Page.Tile] {
    var tiles: [Page.Tile] = []
    if let top1 = verdict.baseline?.top1 {
      tiles.append(
        .init(
          label: "Uniform top-1", value: Format.fixed(top1.mean, 2) + "%",
          detail: top1.standardDeviation.map { "± \(Format.fixed($0, 2)) over \(Format.number(top1.count, "seed"))" }
            ?? PairedDifference.oneSeed))
    }
    let searched = verdict.compared.filter { $0.arm.mode != .control }
    if let best = searched.max(by: { $0.difference.value < $1.difference.value }) {
      tiles.append(
        .init(
          label: "Best search − uniform", value: best.difference.points,
          detail: "\(best.arm.label); \(best.difference.detail)", tone: best.difference.tone))
    }
    let counted = methods.compactMap(\.counted)
    if !counted.isEmpty {
      tiles.append(
        .init(
          label: "Search compute reduced", value: Self.factors(counted.map(\.factor)),
          detail: "direct over transferred, counted in MACs"
            + (counted.allSatisfy(\.isRun)
              ? "" : counted.contains(where: \.isRun) ? "; in part reckoned" : "; direct search reckoned, not run")))
    }
    let measured = methods.compactMap(\.measured)
    if !measured.isEmpty {
      tiles.append(
        .init(
          label: "Search time reduced", value: Self.factors(measured), detail: "direct over transferred, measured"))
    }
    return tiles
  }

  private var results: Page.Table {
    let columns: [(title: String, alignment: Page.Table.Alignment)] = [
      ("Method", .text), ("Search", .text), ("Top-1", .number), ("−\u{A0}uniform", .number),
      ("95\u{A0}% interval", .text), ("Pairs", .number), ("MACs", .number),
      ("Off budget", .number), ("Parameters", .number),
      ("Latency, predicted", .number), ("Latency, measured", .number),
      ("Search MACs", .number), ("Search time", .number),
      ("Reduction (MACs)", .number), ("Reduction (time)", .number),
    ]
    let ofSearches: Set<String> = ["Search", "Search MACs", "Search time", "Reduction (MACs)", "Reduction (time)"]
    var hidden: Set<String> = hasSearches ? [] : ofSearches
    if summary.latencyRuntime == nil { hidden.insert("Latency, predicted") }
    if !hasMeasuredTimes { hidden.insert("Latency, measured") }
    let shown = columns.indices.filter { !hidden.contains(columns[$0].title) }
    return Page.Table(
      caption: "Held-out top-1 in percent, mean ± sample standard deviation over seeds; other columns are means",
      columns: shown.map { columns[$0] },
      rows: arms.map { arm in
        let cells = row(arm)
        return shown.map { cells[$0] }
      })
  }

  /// What the comparison started from, where that was a diagnosis.
  private var diagnosis: Page.Section? {
    guard let found = record.diagnosis else { return nil }
    let streamlined = arms.first { $0.method == "streamlined" }
    return Page.Section(
      id: "diagnosis", heading: "Diagnosis",
      blocks: [
        .paragraph(
          "\(found.headline) From this the widths follow, by a reconstructed rule; diagnosis.html beside this page has the curves."
        ),
        .table(
          Page.Table(
            caption: "The layers of the original network, as its weight norms went",
            columns: [
              ("Layers", .text), ("Group", .text), ("Pattern", .text), ("D", .number), ("Channels", .number),
              ("Streamlined", .number),
            ],
            rows: found.groups.map { group in
              [
                group.numbers.isEmpty ? "–" : LayerNumbers.text(group.numbers), group.id, group.pattern.short,
                group.drop.map { Format.fixed($0, 2) } ?? "–", "\(group.width)",
                Self.channels(streamlined?.channels(group.id)),
              ]
            })),
      ])
  }

  private func row(_ arm: MethodArm) -> [String] {
    let difference = verdict.compared.first { $0.arm.label == arm.label }?.difference
    // An arm of the same kind a second time has no place among the pairs of direct and transferred.
    let method = methods.first { $0.transferred?.label == arm.label }
    return [
      arm.method.replacing(" ", with: "\u{A0}"), arm.mode == .control ? "none" : arm.mode.rawValue + arm.way,
      Format.spread(arm.top1, 2),
      difference?.cell ?? "–", difference?.interval == nil ? "–" : difference?.intervalText ?? "–",
      difference.map { "\($0.count)" } ?? "–", Self.si(arm.macs),
      offBudget(arm), Self.si(arm.parameters),
      arm.predictedLatency.map { Format.milliseconds($0.mean) } ?? "–",
      arm.measuredLatency.map { Format.milliseconds($0.mean) } ?? "–", Self.si(arm.searchMacs),
      arm.searchSeconds.map { Format.duration($0.mean) } ?? "–",
      Format.factor(method?.counted?.factor) + (method?.counted?.isRun == false ? "*" : ""),
      Format.factor(method?.measured),
    ]
  }

  /// Every network beside every other: what the table beside uniform does not say.
  private var pairs: Page.Table? {
    let trained = arms.filter { $0.top1 != nil }
    let rows = trained.indices.flatMap { first in
      trained.indices.dropFirst(first + 1).compactMap { second -> [String]? in
        let (one, other) = (trained[first], trained[second])
        guard let difference = PairedDifference(other.arm.top1BySeed, minus: one.arm.top1BySeed) else { return nil }
        return [
          other.label, one.label, difference.cell, difference.interval == nil ? "–" : difference.intervalText,
          "\(difference.count)",
        ]
      }
    }
    guard trained.count > 2, !rows.isEmpty else { return nil }
    return Page.Table(
      caption: "Every network beside every other, seed by seed",
      columns: [
        ("Network", .text), ("minus", .text), ("Top-1 (points)", .number), ("95\u{A0}% interval", .text),
        ("Pairs", .number),
      ], rows: rows)
  }

  private var seeds: [Int] { Set(summary.arms.flatMap { $0.members.map(\.seed) }).sorted() }

  private var rule: String {
    var sentences = [PairedDifference.rule]
    if let missing = summary.missing {
      let there = summary.arms.reduce(0) { $0 + $1.members.count }
      sentences.insert(
        "Not all is done: \(Format.number(missing.count, "outcome")) of \(missing.count + there) are missing, and what is shown may change: "
          + "\(Format.list(missing, most: 8)).",
        at: 0)
    }
    if let searches = summary.searches, searches < seeds.count {
      sentences.append(
        "Each method made \(searches == 1 ? "one search" : "\(searches) searches") and \(seeds.count) seeds took them in turn: "
          + "the intervals hold how trainings differ, and how searches differ only as far as so few show it.")
    }
    if let stopping = summary.stopping { sentences.append(stopped(stopping)) }
    let known = verdict.compared.count { $0.difference.verdict != .unknown }
    if known > 4 {
      sentences.append(
        "With \(known) sets of widths beside one baseline, one may stand out by chance all the same.")
    }
    let undecided = verdict.compared.filter { $0.difference.verdict == .withinNoise }
    if let most = undecided.compactMap({ $0.difference.pairs(forInterval: 0.5) }).max(),
      most > (undecided.map(\.difference.count).max() ?? 0)
    {
      sentences.append(
        "What lies within the noise is not known to be equal: at the deviations seen here, an interval of ± 0.5 points takes up to "
          + "\(Format.number(most, "seed")).")
    }
    if methods.contains(where: { $0.counted != nil }) {
      sentences.append(
        "Reduction: what the direct search took over what the transferred search of the same method took.")
    }
    if methods.contains(where: { $0.counted?.isRun == false }) {
      sentences.append("*: the direct search was not run; its MACs were reckoned.")
    }
    return sentences.joined(separator: " ")
  }

  private func stopped(_ stopping: ComparisonSummary.Stopping) -> String {
    let asked = "within ± \(Format.decimal(stopping.halfInterval, 2)) points"
    let half = summary.widestHalfInterval
    let widest = half.map { "; the widest is ± \(Format.decimal($0, 2))" } ?? ""
    let outcome =
      if let half, half <= stopping.halfInterval {
        "until every interval was \(asked), which took \(Format.number(seeds.count, "seed"))"
      } else if seeds.count >= stopping.mostSeeds {
        "up to the limit of \(stopping.mostSeeds), and not every interval is \(asked)\(widest)"
      } else {
        "until every interval is \(asked), which is not yet so\(widest)"
      }
    return
      "Seeds are added one at a time \(outcome): a rule that looks at the spread and not at the sign of a difference. "
      + "Ending where the spread happens to be small makes intervals of few seeds somewhat too narrow."
  }

  private var unequal: String? {
    guard let baseline = verdict.baseline?.macs, baseline.mean > 0 else { return nil }
    let off = arms.compactMap { arm -> String? in
      guard let macs = arm.macs, abs(macs.mean / baseline.mean - 1) > 0.01 else { return nil }
      return "\(arm.label) \(Format.signed(100 * (macs.mean / baseline.mean - 1), 1))%"
    }
    guard !off.isEmpty else { return nil }
    return
      "Mind that not all networks cost the same. MACs beside the uniform network's: \(off.joined(separator: ", "))."
  }

  private var trainings: Page.Table {
    Page.Table(
      caption: "Every training",
      columns: [
        ("Widths", .text), ("Seed", .number), ("Top-1 (%)", .number), ("Top-5 (%)", .number), ("Loss", .number),
        ("MACs", .number), ("Parameters", .number), ("Training time", .number), ("Folder", .text),
      ],
      rows: arms.flatMap { arm in
        arm.arm.members.map { member in
          [
            arm.label, "\(member.seed)", Format.fixed(member.result.top1, 2), Format.fixed(member.result.top5, 2),
            Format.fixed(member.result.loss, 4), Format.count(member.macs), Format.count(member.parameters),
            Format.duration(member.result.seconds), member.folder,
          ]
        }
      })
  }

  private func offBudget(_ arm: MethodArm) -> String {
    let (amount, target): (Spread?, Double)
    if let parameters = summary.targetParameters {
      (amount, target) = (arm.parameters, Double(parameters))
    } else if let seconds = summary.targetLatency {
      (amount, target) = (arm.predictedLatency, seconds)
    } else {
      (amount, target) = (arm.macs, Double(summary.targetMacs))
    }
    guard let amount, target > 0 else { return "–" }
    return Format.signed(100 * (amount.mean / target - 1), 1) + "%"
  }

  private static func si(_ spread: Spread?) -> String { spread.map { Format.si($0.mean) } ?? "–" }

  private static func factors(_ values: [Double]) -> String {
    MethodsVerdict.range(values) { $0 >= 10 ? Format.factor($0.rounded()) : Format.factor($0) }
      .replacing(/\.0×/, with: "×")
      .replacing("× to ", with: "–")
  }

  // MARK: Cost of the searches

  private var cost: Page.Section? {
    let searched = arms.filter { $0.mode != .control && $0.searchMacs != nil }
    guard !searched.isEmpty else { return nil }
    var blocks: [Page.Block] = []
    if searched.contains(where: { ($0.searchMacs?.mean ?? 0) > 0 && $0.top1 != nil }) {
      blocks.append(.figures([Chart.accuracyAgainstSearchCost(summary)]))
    }
    // A method that searched directly alone is beside nothing.
    let carried = methods.filter { $0.transferred != nil }
    if !carried.isEmpty {
      blocks.append(
        .table(
          Page.Table(
            caption: "Transferred beside direct search, method by method",
            columns: [
              ("Method", .text), ("Top-1, transferred − direct", .number), ("95\u{A0}% interval", .text),
              ("Beyond the noise", .text),
              ("By the formula", .number), ("Counted (MACs)", .number), ("Measured (time)", .number),
            ],
            rows: carried.map(costRow))))
    }
    guard !blocks.isEmpty else { return nil }
    return Page.Section(id: "cost", heading: "What the searches cost", blocks: blocks)
  }

  private func costRow(_ method: SearchedMethod) -> [String] {
    return [
      method.name, method.difference.map { Format.signed($0.value, 2) } ?? "–",
      method.difference?.interval == nil ? "–" : method.difference?.intervalText ?? "–",
      method.difference?.beyondNoise ?? "–",
      Format.factor(method.transferred?.nominalReduction?.mean),
      Format.factor(method.counted?.factor) + (method.counted?.isRun == false ? "*" : ""),
      Format.factor(method.measured),
    ]
  }

  // MARK: Widths

  private var widths: Page.Section? {
    guard !summary.groups.isEmpty, arms.contains(where: { $0.multipliers.contains { $0 != nil } }) else { return nil }
    let table = Page.Table(
      caption: "Channels of all \(summary.groups.count) groups, mean ± standard deviation over seeds",
      columns: [("Width group", .text), ("Stage", .text), ("Original", .number)] + arms.map { ($0.label, .number) },
      rows: summary.groups.map { group in
        [group.id, group.stage ?? "–", Format.count(group.original)]
          + arms.map { Self.channels($0.channels(group.id)) }
      })
    return Page.Section(
      id: "widths", heading: "Widths", blocks: [.figures([Chart.methodWidths(summary)]), .details(table)])
  }

  // Whole numbers where there is nothing to average.
  private static func channels(_ spread: Spread?) -> String {
    guard let spread else { return "–" }
    if spread.standardDeviation ?? 0 == 0 { return Format.fixed(spread.mean, 0) }
    return Format.spread(spread, 1)
  }

  // MARK: Similarity

  private var similarity: Page.Section? {
    let searched = arms.filter { $0.mode != .control }
    guard summary.groups.count > 1 else { return nil }
    guard searched.count > 1 else {
      return agreement(searched).map {
        Page.Section(
          id: "similarity", heading: "Similarity of the widths", blocks: [.table($0), .paragraph(Self.agreementRule)])
      }
    }
    let pairs = searched.indices.flatMap { first in
      searched.indices.filter { $0 > first }.map { (searched[first], searched[$0]) }
    }
    var blocks: [Page.Block] = [.figures([Chart.widthSimilarity(summary)])]
    let transfers = methods.compactMap { method -> [String]? in
      guard let direct = method.direct, let transferred = method.transferred else { return nil }
      return [method.name] + Self.numbers(direct, transferred)
    }
    if !transfers.isEmpty {
      blocks.append(
        .table(
          Page.Table(
            caption: "Transferred beside direct widths of the same method",
            columns: [("Method", .text), ("Pearson", .number), ("Cosine", .number)], rows: transfers)))
    }
    if let agreement = agreement(searched) { blocks += [.table(agreement), .paragraph(Self.agreementRule)] }
    blocks.append(
      .details(
        Page.Table(
          caption: "All \(Format.number(pairs.count, "pair"))",
          columns: [("Widths", .text), ("Beside", .text), ("Pearson", .number), ("Cosine", .number)],
          rows: pairs.map { [$0.label, $1.label] + Self.numbers($0, $1) })))
    blocks.append(
      .paragraph(
        "Both compare the mean multipliers over the \(summary.groups.count) width groups. Pearson asks whether two "
          + "methods widen and narrow in the same places, whatever their mean; the cosine counts the mean too, so it "
          + "is near 1 for any widths that lie near the uniform ones."))
    return Page.Section(id: "similarity", heading: "Similarity of the widths", blocks: blocks)
  }

  // What the means of the other tables do not show: whether a second search finds the same.
  private func agreement(_ searched: [MethodArm]) -> Page.Table? {
    let rows = searched.compactMap { arm -> [String]? in
      guard let own = SearchAgreement(of: arm, groups: summary.groups) else { return nil }
      let direct = methods.first { $0.transferred?.label == arm.label }?.direct
      let beside = direct.map { SearchAgreement(of: arm, with: $0, groups: summary.groups) }
      return [arm.label, "\(own.searches)"] + Self.range(own) + Self.range(beside)
    }
    guard !rows.isEmpty else { return nil }
    return Page.Table(
      caption: "How far searches agree: Pearson’s correlation of two searches’ multipliers, over all pairs of them",
      columns: [
        ("Search", .text), ("Searches", .number), ("Among themselves, mean", .number), ("Least to most", .text),
        ("With direct ones, mean", .number), ("Least to most", .text),
      ], rows: rows)
  }

  private static let agreementRule =
    "Searches that find what the data ask for agree with each other; where they do not, their widths are in good part chance, and so is what "
    + "a training of them shows. Transferred searches can agree with direct ones only as far as either agree among themselves. Agreeing does not "
    + "make widths good: searches can agree on widths that train no better than uniform ones, and only the trainings tell."

  private static func range(_ agreement: SearchAgreement?) -> [String] {
    guard let agreement, let mean = agreement.mean, let least = agreement.correlations.first,
      let most = agreement.correlations.last
    else { return ["–", "–"] }
    return [Format.fixed(mean, 2), "\(Format.fixed(least, 2)) to \(Format.fixed(most, 2))"]
  }

  private static func numbers(_ first: MethodArm, _ second: MethodArm) -> [String] {
    let similarity = WidthSimilarity(first, second)
    return [Format.fixed(similarity.pearson ?? .nan, 3), Format.fixed(similarity.cosine ?? .nan, 3)]
  }

  // MARK: Asked, warnings, made

  private var asked: Page.Section {
    var facts: [Page.Fact] = [
      .init(name: "Network", value: summary.network), .init(name: "Data set", value: summary.dataset),
      .init(name: "Training images", value: Format.count(summary.images)),
      .init(name: "Classes", value: Format.count(summary.classes)),
      .init(name: "Resolution", value: "\(summary.resolution) px"),
      .init(name: "Budget", value: budget),
    ]
    if !methods.isEmpty { facts.append(.init(name: "Methods", value: methods.map(\.name).joined(separator: ", "))) }
    if let projection = summary.projection {
      facts += [
        .init(name: "Projected width", value: "\(Format.trimmed(projection.width))×"),
        .init(name: "Projected depth", value: "\(Format.trimmed(projection.depth))×"),
        .init(name: "Projected resolution", value: "\(projection.resolution ?? summary.resolution) px"),
        .init(name: "Projected data", value: "\(Format.trimmed(projection.data * 100))%"),
      ]
    }
    facts.append(.init(name: "Epochs", value: Format.count(summary.epochs)))
    facts.append(
      .init(name: seeds.count == 1 ? "Seed" : "Seeds", value: seeds.map(String.init).joined(separator: ", ")))
    return Page.Section(
      id: "asked", heading: "What was asked", blocks: [.facts(facts + PageParts.recipe(record, besides: facts))])
  }

  private var warnings: Page.Section? {
    let empty = summary.arms.filter(\.members.isEmpty).map { arm in
      "\(PageParts.algorithm(arm.algorithm)) (\(arm.mode.rawValue)) has no trained network, so it is left out."
    }
    let diverged = arms.flatMap { arm in
      arm.arm.members.filter { !$0.result.top1.isFinite }.map { member in
        "The training at \(arm.label) widths with seed \(member.seed) has no accuracy, so it is left out of the mean."
      }
    }
    return PageParts.warnings(histories, gaps: record.gaps + empty + diverged)
  }

  private var histories: [(name: String, history: EventHistory)] {
    [("comparison", record.history)] + record.searches
      + record.trainings.map { ("\($0.variant), training, seed \($0.seed)", $0.history) }
  }

  private var made: Page.Section {
    PageParts.provenance(
      record, starts: histories.compactMap(\.history.start), resumes: histories.map(\.history.resumes).reduce(0, +))
  }
}
