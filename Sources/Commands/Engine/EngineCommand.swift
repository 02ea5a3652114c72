import ArgumentParser
import Support

/// A command that works with tensors: what it takes is described here, its work is done by the engine.
///
/// Help, completion and every mistake on the command line are answered without LibTorch; then the process becomes
/// `width-transfer-engine`, which reads the same arguments and knows how to ``EngineWork``.
package protocol EngineCommand: ParsableCommand {}

extension EngineCommand {
  /// Hands the whole command line to the engine; returns only by throwing.
  package func run() throws { try Engine.takeOver() }
}

/// What the engine does for a command.
package protocol EngineWork: EngineCommand {
  /// Whether processes that a launcher has started together do its work together.
  static var worksTogether: Bool { get }

  /// Carries the command out.
  func perform() throws
}

extension EngineWork {
  /// One process, by default.
  package static var worksTogether: Bool { false }

  /// Refuses to do one work several times over.
  ///
  /// - Throws: `UsageFailure` in all but the first of several processes where the command does not work together with others.
  package func requireOneProcess() throws {
    // The first does it: a batch script that is one process of a launcher's many has the variables, too.
    guard !Self.worksTogether, let launched = try LaunchedProcess.current, launched.rank > 0 else { return }
    throw UsageFailure(
      "this command works in one process, and a launcher has started \(launched.worldSize): rank 0 does it, rank \(launched.rank) has "
        + "nothing to do; start it without the launcher")
  }
}
