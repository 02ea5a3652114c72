import Commands
import Experiments
import Foundation
import Loading
import Records
import Support
import Torch
import Training

extension LauncherOptions {
  /// Those that the launcher has started together, once all have come; this process alone where there is no launcher.
  ///
  /// - Throws: `UsageFailure` when the work is shared out in another way, `GroupFailure` when the others do not come.
  func cohort(_ jobs: JobsOptions? = nil, isShared: Bool = false) throws -> Cohort {
    guard let place = try LaunchedProcess.current else { return .single }
    if let jobs, jobs.jobs > 1 || isShared {
      throw UsageFailure(
        "a launcher has started \(place.worldSize) processes to do each job together; leave \(isShared ? "`shard` and `shared`" : "`jobs`") out, "
          + "or start the command without the launcher")
    }
    return Cohort(
      try ProcessGroup(place, timeout: collectiveTimeout), synchronizesNorms: syncBatchNorm, overlaps: !noOverlap)
  }

  /// What `run.yaml` says of it; it is no part of what a run is.
  func resolved(_ cohort: Cohort) -> [String: String?] {
    cohort.isSingle
      ? [:] : ["processes": "\(cohort.size)", "sync-batch-norm": syncBatchNorm ? "true" : nil]
  }

  /// What to know of a comparison that goes on with another number of processes: each normalizes its own part of a batch, and trainings that are
  /// set side by side should do so alike. Nil where they do.
  func remark(in folder: RunFolder, _ cohort: Cohort) -> String? {
    guard cohort.isWriter, let former = try? Configuration(path: folder.configuration).values, former["command"] != nil
    else {
      return nil
    }
    var before = 1
    if case .text(let count) = former["processes"], former["sync-batch-norm"] == nil { before = Int(count) ?? 1 }
    let now = cohort.isSingle || syncBatchNorm ? 1 : cohort.size
    guard before != now else { return nil }
    return
      "what was trained in this folder before normalized \(Self.part(before)), and what is trained now normalizes \(Self.part(now)): their "
      + "differences are not those of their widths alone. As many processes as before, or `sync-batch-norm` from the start, avoid it"
  }

  private static func part(_ processes: Int) -> String {
    processes == 1 ? "over whole batches" : "over parts of each batch, one of \(processes)"
  }
}

extension OutputOptions {
  /// Works in the run folder together with the others of a cohort, of whom one keeps the files.
  ///
  /// The others do the same in a folder of their own, which is removed in the end.
  ///
  /// - Returns: What the work brought; nil in a process that is not the writer.
  func session<Result>(
    _ configuration: Configuration, _ general: GeneralOptions, with cohort: Cohort, isShared: Bool = false,
    _ body: (RunFolder, JobSurroundings) throws -> Result
  ) throws -> Result? {
    // The writer says that the folder is its own, so that no other begins what it may not.
    func begin() throws { _ = try cohort.fromWriter { true } }
    // Before anything in the folder is touched.
    try cohort.requireSame(configuration)
    if cohort.isWriter {
      return try session(configuration, general, isShared: isShared) { folder in
        try begin()
        var surroundings = surroundings(general)
        surroundings.cohort = cohort
        return try body(folder, surroundings)
      }
    }
    Interruption.listen()
    try begin()
    let scratch = FileManager.default.temporaryDirectory
      .appendingPathComponent("width-transfer-rank-\(cohort.share.rank)-\(UUID().uuidString)").path
    try AtomicFile.createFolder(scratch)
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    _ = try body(RunFolder(path: scratch), JobSurroundings(policy: policy, cohort: cohort))
    return nil
  }
}

extension Cohort {
  /// Refuses processes that were started with other settings, or that see other data: they would train a mixture of two networks, or wait
  /// for each other at different moments.
  ///
  /// - Throws: `UsageFailure` in all of them, which names one that differs.
  fileprivate func requireSame(_ configuration: Configuration) throws {
    // Where its machine keeps the data, and what it computes with, is each one's own.
    let own = configuration.settings(
      ignoring: ["dataset", "device", "threads", "loader-threads", "libtorch", "swift"],
      paths: ["network", "widths", "structure", "latency-table"])
    let all = try gathered(own)
    for (rank, other) in all.enumerated() {
      let keys = Set(all[0].keys).union(other.keys).filter { all[0][$0] != other[$0] }
      guard let key = keys.contains("data") ? "data" : keys.sorted().first else { continue }
      throw UsageFailure(
        key == "data"
          ? "process \(rank) sees other data than process 0: other class names, labels or images; give all the same data"
          : "process \(rank) was started with another `\(key)` than process 0: \(other[key] ?? "none") and \(all[0][key] ?? "none"); "
            + "start all with the same words")
    }
  }
}
