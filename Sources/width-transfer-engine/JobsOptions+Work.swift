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
  func isPart(of plan: some PartedPlan, _ output: OutputOptions) throws -> Bool {
    guard let part else { return false }
    Interruption.listen()
    leaveWithParent()
    let surroundings = JobSurroundings(
      sinks: { label, folder in
        try AtomicFile.createFolder(folder.path)
        return [
          EventRelay(label: label) { try StandardOutput.write($0) }, TensorBoardWriter(folder: folder),
        ]
      }, policy: output.policy)
    try plan.perform(part: part, in: JobStore(sharing: RunFolder(path: output.output), surroundings: surroundings))
    return true
  }

  /// Does the parts of a plan, as many at once as wanted; afterwards the plan finds them done.
  func perform(_ plan: some PartedPlan, _ output: OutputOptions, _ general: GeneralOptions) throws {
    guard jobs > 1 else { return }
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let given = Array(CommandLine.arguments.dropFirst())
    let tasks = plan.parts.map { ProcessPool.Task($0.name, after: $0.after, arguments: given + ["--part", $0.name]) }
    let progress = ParallelProgress(of: tasks.count, isQuiet: general.quiet) { StandardError.write(Flags.spell($0)) }
    let mishaps: [ProcessPool.Mishap]
    do {
      defer { progress.clear() }
      mishaps = try ProcessPool(executable: own, limit: jobs).run(
        tasks,
        received: { part, line in RelayedEvent(line: line).map { progress.receive($0, of: part) } },
        changed: { progress.change(atWork: $0, over: $1) })
    }
    RunFolder(path: output.output).removeJobLocks()
    if let first = mishaps.first { throw PartFailure(mishaps: mishaps, exitCode: first.exitCode) }
  }

  /// Stops, with everything saved, when the process that has started this one is no more: its end of the pipe is closed then.
  private func leaveWithParent() {
    let thread = Thread {
      while let data = try? FileHandle.standardInput.read(upToCount: 1), !data.isEmpty {}
      kill(getpid(), SIGTERM)
    }
    thread.name = "parent's end"
    thread.stackSize = 1 << 18
    thread.start()
  }
}

/// Some parts of a plan failed; the others are done.
struct PartFailure: Failure {
  let mishaps: [ProcessPool.Mishap]
  let exitCode: ExitStatus

  var message: String {
    "\(mishaps.count == 1 ? "one job" : "\(mishaps.count) jobs") failed, the others are done and kept:\n"
      + mishaps.map { "  \($0.name): \($0.reason)" }.joined(separator: "\n")
  }
}
