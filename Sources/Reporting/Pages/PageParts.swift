import Support
import Transfer
import Foundation
import Networks
import Records

/// Parts that pages about different kinds of runs share.
enum PageParts {
  static func algorithm(_ name: String) -> String {
    let parts = name.split(separator: ":", maxSplits: 1)
    if parts.count == 2 {
      // With settings of its own, as `network-slimming:width=2,epochs=30%,direct`.
      let settings = parts[1].split(separator: ",").filter { !["direct", "transferred"].contains($0) }.map {
        String($0).replacing("=", with: " ")
      }
      return ([algorithm(String(parts[0]))] + settings).joined(separator: ", ")
    }
    return switch name {
    case "dmcp": "DMCP"
    case "autoslim": "AutoSlim"
    case "morphnet": "MorphNet"
    case "network-slimming": "Network Slimming"
    default: name
    }
  }

  /// A projection in the words of the command line.
  static func projection(_ projection: Projection) -> String {
    "width \(Format.trimmed(projection.width))×, depth \(Format.trimmed(projection.depth))×, "
      + (projection.resolution.map { "\($0) px, " } ?? "") + "\(Format.trimmed(projection.data * 100))% of the data"
  }

  /// What a projection shrinks, and nothing else: `width 0.5×, 14 px, 20% of the data`.
  static func shrunk(_ projection: Projection, from resolution: Int) -> String {
    var parts: [String] = []
    if projection.width != 1 { parts.append("width \(Format.trimmed(projection.width))×") }
    if projection.depth != 1 { parts.append("depth \(Format.trimmed(projection.depth))×") }
    if let side = projection.resolution, side != resolution { parts.append("\(side) px") }
    if projection.data != 1 { parts.append("\(Format.trimmed(projection.data * 100))% of the data") }
    return parts.isEmpty ? "nothing shrunk" : parts.joined(separator: ", ")
  }

  /// How a run was made: the command, the program and the machine, as far as `run.yaml` and the events tell.
  static func provenance(_ record: RunRecord, starts: [RunEvent.Start], resumes: Int) -> Page.Section {
    var blocks: [Page.Block] = []
    if let command = command(record) { blocks.append(.code(command)) }
    var facts: [Page.Fact] = []
    let seeds = Set(starts.map(\.seed)).sorted()
    if !seeds.isEmpty {
      facts.append(
        .init(name: seeds.count == 1 ? "Seed" : "Seeds", value: seeds.map(String.init).joined(separator: ", ")))
    }
    let devices = Set(starts.map(\.device)).sorted()
    if !devices.isEmpty { facts.append(.init(name: "Device", value: devices.joined(separator: ", "))) }
    for name in ["version", "libtorch", "swift", "threads"] {
      guard let value = record.setting(name) else { continue }
      facts.append(.init(name: label(name), value: value))
    }
    let times =
      [record.history, record.search].compactMap { $0 } + record.searches.map(\.history)
      + record.trainings.map(\.history)
    if let first = times.compactMap(\.firstTime).min() {
      facts.append(.init(name: "Started", value: Format.date(first)))
    }
    if let last = times.compactMap(\.lastTime).max() {
      facts.append(.init(name: "Ended", value: Format.date(last)))
    }
    if resumes > 0 { facts.append(.init(name: "Stopped and resumed", value: Format.number(resumes, "time"))) }
    facts.append(.init(name: "Run folder", value: record.name))
    blocks.append(.facts(facts))
    if let configuration = record.configuration {
      blocks.append(.source(title: "run.yaml, the whole configuration", text: configuration))
    }
    return Page.Section(id: "made", heading: "How it was made", blocks: blocks)
  }

  /// The command that makes the run again: `run.yaml` names the command and holds all flags.
  static func command(_ record: RunRecord) -> String? {
    record.setting("command").map { "width-transfer \($0) --config run.yaml --output NEW_FOLDER" }
  }

  private static func label(_ name: String) -> String {
    switch name {
    case "version": "width-transfer"
    case "libtorch": "LibTorch"
    default: name.prefix(1).uppercased() + name.dropFirst()
    }
  }

  /// How the network is scaled and the recipe's settings, as `run.yaml` holds them.
  ///
  /// - Parameter facts: What the page says already; it is not said twice.
  static func recipe(_ record: RunRecord, besides facts: [Page.Fact]) -> [Page.Fact] {
    let said = Set(facts.map(\.name))
    let prefix = "recipe."
    return record.settings.filter {
      ["width", "depth", "divisor", "subset", "fix", "allow-missing-classes"].contains($0.name)
        || $0.name.hasPrefix(prefix)
    }.map { name, value in
      Page.Fact(name: spaced(name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name), value: value)
    }.filter { !said.contains($0.name) }
  }

  // `batchSize` → `Batch size`
  private static func spaced(_ name: String) -> String {
    var words = ""
    for character in name {
      if character.isUppercase { words += " " + character.lowercased() } else { words.append(character) }
    }
    let text = String(words.map { "_-.".contains($0) ? " " : $0 })
    return text.prefix(1).uppercased() + text.dropFirst()
  }

  /// Warnings, each said once, or nil when there are none.
  static func warnings(_ histories: [(name: String, history: EventHistory)], gaps: [String]) -> Page.Section? {
    var order: [String] = []
    var places: [String: [String]] = [:]
    for (name, history) in histories {
      for warning in history.warnings {
        if places[warning.message] == nil { order.append(warning.message) }
        places[warning.message, default: []].append(warning.count > 1 ? "\(name), \(warning.count) times" : name)
      }
    }
    // Settings are marked for the command line, which calls them by their flags.
    let notes = order.map { "\($0.replacing("`", with: "")) (\((places[$0] ?? []).joined(separator: "; ")))" } + gaps
    guard !notes.isEmpty else { return nil }
    return Page.Section(id: "warnings", heading: "Warnings", blocks: [.notes(notes)])
  }

  /// The table of widths.
  static func widths(_ groups: [RunSummary.Group]) -> Page.Table {
    Page.Table(
      caption: "Widths of all \(groups.count) groups",
      columns: [
        ("Width group", .text), ("Stage", .text), ("Original channels", .number), ("Optimized channels", .number),
        ("Multiplier", .number),
      ],
      rows: groups.map { group in
        [
          group.id, group.stage ?? "–", Format.count(group.original), Format.count(group.optimized),
          Format.fixed(Double(group.optimized) / Double(max(1, group.original)), 3),
        ]
      })
  }

  /// The table behind the training curves: a row an epoch, a mean over seeds a series.
  static func epochs(_ curves: [TrainingCurve]) -> Page.Table {
    var names: [String] = []
    for curve in curves where !names.contains(curve.series) { names.append(curve.series) }
    let tables = names.map { name in
      curves.filter { $0.series == name }.map { curve in
        Dictionary(curve.epochs.map { ($0.epoch, $0) }, uniquingKeysWith: { first, _ in first })
      }
    }
    // Those that there are: a damaged file may name any number.
    let epochs = Set(curves.flatMap { $0.epochs.map(\.epoch) }).filter { (0..<Int.max).contains($0) }.sorted()
    let rows = epochs.map { epoch in
      ["\(epoch + 1)"]
        + tables.flatMap { tables -> [String] in
          let records = tables.compactMap { $0[epoch] }
          return [
            Format.spread(Spread(records.compactMap(\.top1)), 2), Format.spread(Spread(records.compactMap(\.loss)), 3),
            Format.spread(Spread(records.map(\.trainLoss)), 3),
          ]
        }
    }
    return Page.Table(
      caption: "Numbers of the curves, mean ± standard deviation",
      columns: [("Epoch", .text)]
        + names.flatMap { name -> [(String, Page.Table.Alignment)] in
          let prefix = names.count > 1 ? "\(name): " : ""
          return [
            ("\(prefix)top-1 (%)", .number), ("\(prefix)loss", .number), ("\(prefix)training loss", .number),
          ]
        },
      rows: rows)
  }

  /// The table behind the search's charts, thinned to a screenful.
  static func searchSteps(_ points: [RunEvent.Search]) -> Page.Table {
    let stride = max(1, (points.count + 39) / 40)
    let kept = points.enumerated().filter { $0.offset % stride == 0 || $0.offset == points.count - 1 }.map(\.element)
    return Page.Table(
      caption: "Numbers of the search" + (stride > 1 ? " (one record in \(stride))" : ""),
      columns: [
        ("Step", .text), ("Stage", .text), ("Loss", .number), ("MACs", .number), ("Of the budget", .number),
        ("Images per second", .number),
      ],
      rows: kept.map { point in
        [
          Format.count(point.step), point.stage, Format.fixed(point.loss, 3), Format.si(point.macs),
          point.targetMACs > 0 ? Format.fixed(100 * point.macs / point.targetMACs, 1) + "%" : "–",
          Format.significant(point.imagesPerSecond),
        ]
      })
  }
}
