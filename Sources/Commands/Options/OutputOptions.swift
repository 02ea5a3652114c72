import ArgumentParser
import Records
import Reporting
import Support

/// What is kept, and where.
package struct OutputOptions: ParsableArguments {
  package init() {}

  @Option(help: "The run folder. Given again, the run goes on where it was.", completion: .file())
  package var output: String

  @Flag(help: "Remove what the run folder holds and start anew.")
  package var overwrite = false

  @Flag(help: "Print the result, and nothing else, as JSON on standard output.")
  package var json = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Save a checkpoint every N steps instead of every minute.", visibility: .hidden))
  package var checkpointSteps: Int?

  /// Works in the run folder: alone or with others that share it, on the run that is asked for, and with signals heard.
  package func session<Result>(
    _ configuration: Configuration, _ general: GeneralOptions, isShared: Bool = false,
    _ body: (RunFolder) throws -> Result
  ) throws -> Result {
    try require(checkpointSteps, "--checkpoint-steps", in: 1...Int.max)
    try general.debug("configuration:\n" + configuration.text())
    // Before it may have to wait.
    Interruption.listen()
    let session = try RunSession(
      RunFolder(path: output), configuration: configuration, overwrites: overwrite,
      launched: LaunchedProcess.current, isShared: isShared, telling: { general.note($0) })
    if session.isResumed, !isShared { general.note("\(output) holds this run already: what it has is not done again") }
    do {
      let result = try body(session.folder)
      try session.finish()
      return result
    } catch let failure as FileFailure where failure.kind == .io {
      throw FileFailure(.io, path: failure.path, reason: "\(failure.reason). \(session.folder.saved)")
    }
  }

  /// Readers of a run's events: the progress bar and TensorBoard.
  package func sinks(_ label: String, in folder: RunFolder, _ general: GeneralOptions) throws -> [any EventSink] {
    try AtomicFile.createFolder(folder.path)
    return [
      ProgressReporter(label: label, isQuiet: general.quiet) { StandardError.write(Flags.spell($0)) },
      TensorBoardWriter(folder: folder),
    ]
  }
}
