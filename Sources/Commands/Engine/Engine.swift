import Foundation
import Support

#if canImport(Glibc)
  import Glibc
#endif

/// The program that does the work with tensors, and how this process becomes it.
enum Engine {
  static let name = "width-transfer-engine"
  /// The process's arguments once what `--config` names has been read: a pipe is read once.
  @TaskLocal static var arguments: [String]?

  /// Replaces this process by the engine, with the same arguments, streams and signals.
  ///
  /// What LibTorch and the OpenMP runtime read when they are loaded is put into the environment first: nothing can change it
  /// afterwards.
  ///
  /// - Throws: ``MissingFailure`` (exit code 69) when the engine or LibTorch is missing.
  static func takeOver(
    arguments: [String] = Self.arguments ?? ArgumentEncoding.arguments,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> Never {
    let executable = try path()
    var environment = environment
    let place = try LibTorchPlace.find(environment: environment, engine: executable)
    place.prepend(to: &environment)
    let words = arguments.map { strdup($0) } + [nil]
    let values = environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
    execve(executable, words, values)
    throw MissingFailure("\(executable) cannot be started: \(String(cString: strerror(errno)))")
  }

  /// The engine lies beside the executable, or in `../libexec` of an installation.
  private static func path() throws -> String {
    let own = URL(fileURLWithPath: (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "")
    let folder = own.deletingLastPathComponent()
    let candidates = [
      folder.appendingPathComponent(name).path,
      folder.deletingLastPathComponent().appendingPathComponent("libexec/\(name)").path,
    ]
    guard let found = candidates.first(where: FileManager.default.isExecutableFile) else {
      throw MissingFailure(
        "\(name), the part of this program that trains, is not beside \(own.path); scripts/build makes both")
    }
    return found
  }
}
