import ArgumentParser

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
  /// Carries the command out.
  func perform() throws
}
