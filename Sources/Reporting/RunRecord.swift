import Foundation
import Records
import Support
import Yams

/// Everything that a run folder holds for a report.
public struct RunRecord: Sendable {
  /// What made the folder.
  public enum Kind: Sendable {
    /// The main job: search, then trainings.
    case run(RunSummary)
    /// One training.
    case training
    /// One search.
    case search
    /// Several search methods side by side.
    case comparison(ComparisonSummary)
  }

  /// One training, with the network that it trained.
  public struct Training: Sendable {
    /// `uniform` or `optimized`; the arm's algorithm and mode in a comparison.
    public var variant: String
    /// Its seed.
    public var seed: Int
    /// What it went through.
    public var history: EventHistory
  }

  /// The folder.
  public let folder: RunFolder
  /// A name to tell it from others; the folder's by default.
  public var name: String
  /// What made the folder.
  public let kind: Kind
  /// The settings of `run.yaml` in their order, nested names joined by dots.
  public let settings: [(name: String, value: String)]
  /// `run.yaml` as it stands.
  public let configuration: String?
  /// The folder's own events.
  public let history: EventHistory
  /// The events of the search, for a run or a search.
  public let search: EventHistory?
  /// The trainings.
  public let trainings: [Training]
  /// The searches of a comparison, each with a name.
  public let searches: [(name: String, history: EventHistory)]
  /// The widths that came out or went in.
  public let widths: WidthsFile?
  /// How the projection was chosen, where the tool chose it.
  public let projectionChoice: ProjectionChoice?
  /// The result of a single training.
  public let result: TrainingResult?
  /// What the weight norms said of the layers, where a comparison starts from that.
  public let diagnosis: DiagnosisSummary?
  /// What could not be read, in words.
  public let gaps: [String]

  /// The summary of a run.
  public var summary: RunSummary? { if case .run(let summary) = kind { summary } else { nil } }

  /// The setting of that name, if `run.yaml` has it.
  public func setting(_ name: String) -> String? { settings.first { $0.name == name }?.value }

  /// Reads a run folder.
  ///
  /// A folder may hold a run and a comparison that share their trainings: it is then what was carried out last.
  ///
  /// - Parameter prefersRun: Whether such a folder is the run, whatever came last.
  /// - Throws: ``Support/FileFailure``: `missing` when the folder holds no run, `badData` when one of its files is broken.
  public init(_ folder: RunFolder, prefersRun: Bool = false) throws {
    let files = FileManager.default
    guard files.fileExists(atPath: folder.path) else {
      throw FileFailure(.missing, path: folder.path, reason: "there is no such folder")
    }
    var gaps: [String] = []
    self.folder = folder
    name = URL(fileURLWithPath: folder.path).standardizedFileURL.lastPathComponent
    configuration = files.contents(atPath: folder.configuration).map { String(decoding: $0, as: UTF8.self) }
    settings = Self.flatten(configuration)
    projectionChoice = try ProjectionChoice.read(folder)
    widths = files.fileExists(atPath: folder.widths) ? try WidthsFile(path: folder.widths) : nil
    let hasEvents = files.fileExists(atPath: folder.events)
    let own = try hasEvents ? EventHistory(log: folder.events) : EventHistory()
    history = own
    // The search inside a run keeps a result of another kind.
    result =
      own.start?.kind != "search" && files.fileExists(atPath: folder.result)
      ? try JSONFile.read(
        TrainingResult.self, path: folder.result, expecting: "this is what `train --json` prints") : nil
    var searches: [(name: String, history: EventHistory)] = []
    var diagnosis: DiagnosisSummary?
    let hasRun = files.fileExists(atPath: folder.summary)
    let isRun =
      try hasRun && (prefersRun || RunManifest.read(folder)?.plans.last { $0 == .run || $0 == .compare } == .run)
    if files.fileExists(atPath: folder.comparison), !isRun {
      let summary = try JSONFile.read(
        ComparisonSummary.self, path: folder.comparison, expecting: "this is what `compare --json` prints")
      kind = .comparison(summary)
      search = nil
      if files.fileExists(atPath: folder.diagnosis) {
        do { diagnosis = try DiagnosisSummary(path: folder.diagnosis) } catch { gaps.append("\(error)") }
      }
      // The page draws nothing of these events, so it is no gap when they are gone.
      var trainings: [Training] = []
      for arm in summary.arms {
        for member in arm.members {
          guard let place = folder.part(member.folder) else { continue }
          let search = member.searchFolder.flatMap { folder.part($0) } ?? place.search
          if let history = try? EventHistory(log: place.events) {
            trainings.append(
              Training(variant: "\(arm.algorithm) \(arm.mode.rawValue)", seed: member.seed, history: history))
          }
          if let history = try? EventHistory(log: search.events) {
            searches.append(("\(arm.algorithm) \(arm.mode.rawValue), search, seed \(member.seed)", history))
          }
        }
      }
      self.trainings = trainings
    } else if hasRun {
      let summary = try JSONFile.read(
        RunSummary.self, path: folder.summary, expecting: "this is what `run --json` prints")
      kind = .run(summary)
      // A search that served several budgets has its folder beside theirs; a summary from outside leads nowhere else.
      let place = summary.searchFolder.flatMap { folder.part($0) } ?? folder.search
      search = Self.events(of: place, "the search", &gaps)
      var trainings: [Training] = []
      for variant in summary.variants {
        for (seed, path) in zip(variant.seeds, variant.folders) {
          guard let place = folder.part(path), let history = Self.events(of: place, path, &gaps) else { continue }
          trainings.append(Training(variant: variant.name, seed: seed, history: history))
        }
      }
      self.trainings = trainings
    } else if own.start?.kind == "search" || (own.start == nil && !own.searches.isEmpty) {
      kind = .search
      search = own
      trainings = []
    } else if own.start != nil {
      kind = .training
      search = nil
      trainings = [Training(variant: "training", seed: own.start?.seed ?? 0, history: own)]
    } else if widths?.algorithm != nil {
      kind = .search
      search =
        files.fileExists(atPath: folder.search.events) ? Self.events(of: folder.search, "the search", &gaps) : nil
      trainings = []
    } else {
      // Folders of version 0.1 have no manifest.
      let command = settings.first { $0.name == "command" }?.value
      let plan = try RunManifest.read(folder)?.plans.last ?? command.flatMap(RunManifest.Plan.init)
      let isUnfinishedComparison = plan == .compare
      let isUnfinished = isUnfinishedComparison || files.fileExists(atPath: folder.search.events)
      throw FileFailure(
        isUnfinished ? .missing : .badData, path: folder.path,
        reason: isUnfinished
          ? "this run is not complete (it has no \(plan == .search ? "widths" : isUnfinishedComparison ? "comparison" : "summary").json); "
            + "give the same command again to go on"
          : "this is no run folder: it has no summary.json, comparison.json or events.jsonl")
    }
    self.searches = searches
    self.diagnosis = diagnosis
    self.gaps = gaps
  }

  private static func events(of folder: RunFolder, _ name: String, _ gaps: inout [String]) -> EventHistory? {
    do { return try EventHistory(log: folder.events) } catch {
      gaps.append("The events of \(name) are missing, so their curves are left out.")
      return nil
    }
  }

  private static func flatten(_ yaml: String?) -> [(name: String, value: String)] {
    // Before anything is made of it: aliases in keys are followed while it is read.
    guard let yaml, yaml.utf8.count <= YAMLFile.largest, YAMLFile.lineOfAnchor(in: yaml) == nil,
      let root = try? Yams.compose(yaml: yaml)
    else { return [] }
    var settings: [(name: String, value: String)] = []
    func visit(_ node: Node, _ path: String) {
      // No configuration of ours is this long.
      guard settings.count < 1000 else { return }
      switch node {
      case .scalar(let scalar):
        if !scalar.string.isEmpty { settings.append((path, scalar.string)) }
      case .mapping(let mapping):
        for (key, value) in mapping { visit(value, path.isEmpty ? key.string ?? "" : "\(path).\(key.string ?? "")") }
      case .sequence(let sequence):
        let scalars = sequence.compactMap(\.string)
        if scalars.count == sequence.count {
          settings.append((path, scalars.joined(separator: ", ")))
        } else {
          for (index, value) in sequence.enumerated() { visit(value, "\(path)[\(index)]") }
        }
      case .alias: break
      }
    }
    visit(root, "")
    return settings
  }
}
