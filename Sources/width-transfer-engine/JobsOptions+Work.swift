import Commands
import Experiments
import Foundation
import Records
import Reporting
import Support

extension JobsOptions {
  /// The threads of one job, of so many for all.
  func share(of threads: Int?) throws -> Int? {
    try require(jobs, "--jobs", in: 1...1024)
    guard jobs > 1 else { return threads }
    return max(1, (threads ?? ProcessInfo.processInfo.activeProcessorCount) / jobs)
  }

  /// Does one part of a plan, for the process that has started this one; says whether that is all there is to do.
  ///
  /// - Parameter isShared: Whether processes of others are at work in the folder, too: what one of them is at is left to it.
  func isPart(of plan: some PartedPlan, _ output: OutputOptions, isShared: Bool = false) throws -> Bool {
    guard let part else { return false }
    Interruption.listen()
    leaveWithParent()
    let surroundings = JobSurroundings(
      sinks: { label, folder in
        try AtomicFile.createFolder(folder.path)
        return [
          EventRelay(label: label) {
            // Without a reader it goes on to where it can be saved: the parent's end stops it there.
            do { try StandardOutput.write($0) } catch is StandardOutput.Closed {}
          }, TensorBoardWriter(folder: folder),
        ]
      }, policy: output.policy)
    let store = try JobStore(
      RunFolder(path: output.output), sharing: isShared ? .passing : .waiting, surroundings: surroundings)
    do { try plan.perform(part: part, in: store) } catch is JobStore.Elsewhere {}
    return true
  }

  /// Does its share of a plan, beside other processes that do theirs.
  func perform(
    _ plan: some PartedPlan, _ kind: RunManifest.Plan, _ sharing: SharingOptions, _ output: OutputOptions,
    _ general: GeneralOptions
  ) throws {
    let folder = RunFolder(path: output.output)
    let store = try JobStore(folder, plan: kind, sharing: .passing, surroundings: output.surroundings(general))
    let parts = sharing.share(of: plan.parts)
    func tell(_ names: [String]) {
      general.note("waiting for \(Format.list(names, most: 4)), which another process is at")
    }
    guard jobs > 1 else { return try plan.perform(parts, in: store, waiting: tell) }
    var rest = try plan.missing(parts, in: folder)
    var hasTold = false
    while !rest.isEmpty {
      try perform(rest, output, general)
      let left = try plan.missing(rest, in: folder)
      if left.count == rest.count {
        if !hasTold { tell(left.map(\.name)) }
        hasTold = true
        // Its processes take seconds to start.
        try Cancellation.signals.pause(seconds: 20)
      }
      rest = left
    }
  }

  /// Does the parts of a plan, as many at once as wanted; afterwards the plan finds them done.
  func perform(_ plan: some PartedPlan, _ output: OutputOptions, _ general: GeneralOptions) throws {
    guard jobs > 1 else { return }
    // A process for what is done already would only start and end.
    let left = try plan.missing(plan.parts, in: RunFolder(path: output.output))
    if !left.isEmpty { try perform(left, output, general) }
  }

  private func perform(_ parts: [PlanPart], _ output: OutputOptions, _ general: GeneralOptions) throws {
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let given = Array(ArgumentEncoding.arguments.dropFirst())
    let tasks = parts.map { ProcessPool.Task($0.name, after: $0.after, arguments: given + ["--part", $0.name]) }
    let progress = ParallelProgress(of: tasks.count, isQuiet: general.quiet) { StandardError.write(Flags.spell($0)) }
    let mishaps: [ProcessPool.Mishap]
    do {
      defer { progress.clear() }
      mishaps = try ProcessPool(executable: own, limit: jobs).run(
        tasks,
        received: { part, line in RelayedEvent(line: line).map { progress.receive($0, of: part) } },
        changed: { progress.change(atWork: $0, over: $1) })
    }
    if let first = mishaps.first {
      throw FailedParts(mishaps.map { FailedPart(name: $0.name, reason: $0.reason) }, exitCode: first.exitCode)
    }
  }

  /// Stops, with everything saved, when the process that has started this one is no more: its end of the pipe is closed then.
  private func leaveWithParent() {
    let thread = Thread {
      while let data = try? FileHandle.standardInput.read(upToCount: 1), !data.isEmpty {}
      // Not a signal, which could be its second.
      Interruption.request()
    }
    thread.name = "parent's end"
    thread.stackSize = 1 << 18
    thread.start()
  }
}
