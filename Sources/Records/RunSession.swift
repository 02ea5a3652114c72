import Foundation
import Support

/// The time in which one process works in a run folder.
///
/// It keeps other processes out, and makes sure that the folder holds the run that is asked for and no other.
public final class RunSession {
  /// The folder.
  public let folder: RunFolder
  /// Whether an earlier session began this run.
  public let isResumed: Bool
  private let configuration: Configuration
  private let lock: FolderLock
  private let isShared: Bool

  // What does not change the outcome, or is checked with the data itself.
  private static let ignored: Set = [
    "threads", "loader-threads", "recompute", "seeds", "version", "libtorch", "swift", "data", "processes",
    "sync-batch-norm", "until-decided", "most-seeds", "track",
    // What stopped a run can be let pass when it goes on.
    "on-bad-image", "max-image-pixels", "max-archive-expansion",
  ]
  // The plans whose jobs lie beside each other; a single training is its folder itself.
  private static let sharing: Set = ["run", "compare", "search"]
  // What a comparison compares. Its jobs know themselves what they are of, so that others in its folder share them.
  private static let arms: Set = ["algorithm", "project", "stacking", "widths", "no-direct"]
  private static let paths: Set = ["dataset", "network", "widths", "latency-table"]

  /// Locks a run folder, creating it when needed, and writes `run.yaml`.
  ///
  /// - Parameters:
  ///   - folder: The run folder.
  ///   - configuration: What is asked for.
  ///   - overwrites: Whether what the folder holds is removed first.
  ///   - launched: How a launcher has started this process. What an earlier attempt of the same launch has begun is not overwritten:
  ///     the launcher repeats the words that it was given.
  ///   - isShared: Whether other processes, which say so too, do jobs of the same run at the same time.
  /// - Throws: ``Support/FileFailure`` of kind `cannotCreate` when the folder cannot be written to or another process works in it;
  ///   ``Support/UsageFailure`` when it holds another run. Nothing that was there has changed then.
  public init(
    _ folder: RunFolder, configuration: Configuration, overwrites: Bool = false, launched: LaunchedProcess? = nil,
    isShared: Bool = false, telling tell: (String) -> Void = { _ in }
  ) throws {
    let overwrites = overwrites && !Self.isLater(attemptOf: launched, in: folder)
    self.folder = folder
    self.configuration = configuration
    try AtomicFile.createFolder(folder.path)
    let isRun = FileManager.default.fileExists(atPath: folder.configuration)
    if !isRun {
      if overwrites, try !Self.isVacant(folder) {
        throw UsageFailure(
          "`overwrite` \(folder.path): it holds no run.yaml, so it is not a run folder, and nothing is removed")
      }
      guard !folder.holdsResults else {
        throw UsageFailure(
          "\(folder.path) holds results, but no run.yaml that says where they come from; choose another `output`")
      }
    }
    self.isShared = isShared
    if isShared, overwrites {
      throw UsageFailure("`overwrite` would remove what others are at work on; leave `shared` out")
    }
    lock = try FolderLock(
      folder.path, file: RunFolder.lockName, work: "is at work in this run folder", isShared: isShared)
    // What looks left behind may be another's.
    if !isShared { folder.removeTemporaryFiles() }
    // Nor is it ours while those are at work whose parent was killed.
    if isRun, !isShared { try folder.waitForOrphans(telling: tell) }
    if overwrites {
      try folder.removeContents()
      if let launched {
        try AtomicFile.write(launched.launch + "\n", to: folder.launch)
      } else {
        unlink(folder.launch)
      }
    }
    let former = isRun && !overwrites ? try Configuration(path: folder.configuration) : nil
    isResumed = folder.holdsResults
    if isResumed || isShared, let former,
      let difference = Self.dataDifference(former, configuration) ?? Self.normDifference(former, configuration)
        ?? Self.difference(former, configuration)
    {
      throw UsageFailure.otherRun(in: folder.path, difference)
    }
    if !isResumed, !(isShared && isRun) {
      // What an attempt left that did not come to its first checkpoint belongs to no run.
      if isRun, !isShared { try folder.removeContents() }
      try configuration.write(to: folder.configuration)
    }
  }

  private static func isLater(attemptOf launched: LaunchedProcess?, in folder: RunFolder) -> Bool {
    guard let launched, launched.attempt > 0 else { return false }
    return (try? String(contentsOfFile: folder.launch, encoding: .utf8)) == launched.launch + "\n"
  }

  private static func dataDifference(_ former: Configuration, _ asked: Configuration) -> String? {
    guard let own = former.values["data"], let other = asked.values["data"], own != other else { return nil }
    return "it was made with other data: class names, labels, images or their normalization have changed since"
  }

  // One process normalizes over the whole batch as several do that synchronize, so that it is asked of several alone.
  private static func normDifference(_ former: Configuration, _ asked: Configuration) -> String? {
    let (key, own, other) = ("sync-batch-norm", former.values, asked.values)
    guard own["processes"] != nil, other["processes"] != nil, (own[key] == nil) != (other[key] == nil) else {
      return nil
    }
    return
      "its processes normalized \(own[key] == nil ? "each its own part of the" : "over the whole") batch, and `\(key)` is "
      + (own[key] == nil ? "given" : "not given")
  }

  // Plans of different kinds share a folder when they agree in what both say; what one of them alone says is in its jobs.
  private static func difference(_ former: Configuration, _ asked: Configuration) -> String? {
    let commands = [former, asked].map(command)
    let ignored = commands.contains("compare") ? ignored.union(arms) : ignored
    // Another device of the same kind computes the same.
    var (former, asked) = (Self.withDeviceKind(former), Self.withDeviceKind(asked))
    guard sharing.isSuperset(of: commands), commands[0] != commands[1] else {
      return former.difference(from: asked, ignoring: ignored, paths: paths)
    }
    if !commands.contains("compare") {
      // What is carried over depends on it, and the folder has one widths.json.
      let usual = Configuration.Value.text("average-block")
      former.values["stacking"] = former.values["stacking"] ?? usual
      asked.values["stacking"] = asked.values["stacking"] ?? usual
    }
    let common = Set(former.values.keys).intersection(asked.values.keys)
    let others = Set(former.values.keys).union(asked.values.keys).subtracting(common)
    return former.difference(
      from: asked, ignoring: ignored.union(others).union(["command", "algorithm"]), paths: paths)
  }

  private static func withDeviceKind(_ configuration: Configuration) -> Configuration {
    guard case .text(let device) = configuration.values["device"] else { return configuration }
    var configuration = configuration
    configuration.values["device"] = .text(String(device.prefix { $0 != ":" }))
    return configuration
  }

  private static func command(_ configuration: Configuration) -> String {
    if case .text(let text) = configuration.values["command"] { text } else { "" }
  }

  /// Brings `run.yaml` up to date once the work is done: more seeds, another number of threads, another comparison.
  public func finish() throws {
    guard isResumed else { return }
    let former = try Configuration(path: folder.configuration)
    // The search of a run, looked at again, makes no other run of it.
    guard Self.command(configuration) != "search" || !["run", "compare"].contains(Self.command(former)) else { return }
    // Those who share differ in what is theirs alone, such as threads, and agree in what they compare.
    let isUpToDate =
      isShared
      ? Self.arms.union(["command"]).allSatisfy { former.values[$0] == configuration.values[$0] }
      : former == configuration
    guard !isUpToDate else { return }
    try configuration.write(to: folder.configuration)
  }

  private static func isVacant(_ folder: RunFolder) throws -> Bool {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return Set([RunFolder.lockName, RunFolder.manifestClaimName, RunFolder.launchName]).isSuperset(of: names)
  }
}
