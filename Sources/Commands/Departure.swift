import ArgumentParser
import Foundation
import Support

/// The one way out of a program that failed.
package enum Departure {
  /// Says what went wrong, once and on standard error, and ends with the exit code that stands for it.
  package static func leave(_ root: any ParsableCommand.Type, _ error: any Error) -> Never {
    switch error {
    case let failure as any Failure:
      LauncherErrorFile.write(failure)
      StandardError.write("width-transfer: \(Flags.spell(failure.message))\n")
      Foundation.exit(failure.exitCode.rawValue)
    case is StandardOutput.Closed:
      Foundation.exit(ExitStatus.closedPipe.rawValue)
    case _ where root.exitCode(for: error) == .failure:
      StandardError.write("width-transfer: this is a bug, please report it with the command you gave: \(error)\n")
      Foundation.exit(ExitStatus.internalError.rawValue)
    default:
      root.exit(withError: error)
    }
  }
}
