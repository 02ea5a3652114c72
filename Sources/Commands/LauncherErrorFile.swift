import Foundation
import Support

/// Where `torchrun` looks for what ended a worker: it quotes the earliest of all workers as the cause.
enum LauncherErrorFile {
  private struct Content: Encodable {
    struct Message: Encodable {
      struct Extra: Encodable {
        var callStack: String
        var timestamp: String

        // PyTorch's names.
        private enum CodingKeys: String, CodingKey {
          case timestamp
          case callStack = "py_callstack"
        }
      }
      var message: String
      var extraInfo: Extra
    }
    var message: Message
  }

  /// Writes a failure there, where a launcher asks for it; that this fails is no reason to say something else.
  static func write(
    _ failure: any Failure, environment: [String: String] = ProcessInfo.processInfo.environment, at time: Date = Date()
  ) {
    guard let path = environment["TORCHELASTIC_ERROR_FILE"], !path.isEmpty else { return }
    let text = Flags.spell(failure.message)
    let content = Content(
      message: .init(
        message: text, extraInfo: .init(callStack: text, timestamp: "\(Int(time.timeIntervalSince1970))")))
    guard let data = try? JSONEncoder().encode(content) else { return }
    try? data.write(to: URL(fileURLWithPath: path))
  }
}
