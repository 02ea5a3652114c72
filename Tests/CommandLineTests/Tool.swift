import Foundation
import Testing

/// What a call of the executable brought.
struct Outcome {
  var code: Int32
  var output: String
  var errors: String

  /// The one JSON document on standard output.
  func json(sourceLocation: SourceLocation = #_sourceLocation) throws -> [String: Any] {
    let object = try? JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any]
    return try #require(object, "not one JSON object: \(output.prefix(200)); \(errors)", sourceLocation: sourceLocation)
  }

  /// Expects an exit code and words on standard error, and after a failure nothing on standard output.
  func expect(_ code: Int32, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation) {
    expect(code, words, sourceLocation: sourceLocation)
  }

  func expect(_ code: Int32, _ words: [String], sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(self.code == code, "\(errors)", sourceLocation: sourceLocation)
    for word in words {
      #expect(errors.contains(word), "standard error lacks '\(word)': \(errors)", sourceLocation: sourceLocation)
    }
    if code != 0 { #expect(output.isEmpty, "\(output)", sourceLocation: sourceLocation) }
    for word in ["Fatal error", "NSCocoaErrorDomain", "this is a bug"] {
      #expect(!errors.contains(word), "\(errors)", sourceLocation: sourceLocation)
    }
  }
}

extension Workplace {
  struct Missing: Error { var message: String }

  /// The executable beside the test bundle.
  static var executable: String {
    get throws {
      let own = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
      var folder = own.deletingLastPathComponent()
      // On some systems the bundle is a folder.
      for _ in 0..<4 {
        let candidate = folder.appendingPathComponent("width-transfer").path
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: candidate, isDirectory: &isFolder), !isFolder.boolValue {
          return candidate
        }
        folder.deleteLastPathComponent()
      }
      throw Missing(message: "there is no width-transfer near \(own.path); swift build makes it")
    }
  }

  /// Runs the executable in this folder and waits for its end.
  func run(_ arguments: String...) throws -> Outcome { try run(arguments) }

  func run(_ arguments: [String]) throws -> Outcome { try launch(Self.executable, arguments) }

  /// Runs a line of shell, in which `"$WT"` is the executable.
  func shell(_ line: String) throws -> Outcome { try launch("/bin/sh", ["-c", line]) }

  /// Starts the executable and returns once it has written a line with some words to standard error.
  func start(_ arguments: [String], until words: String) throws -> Running {
    let process = try process(Self.executable, arguments)
    let pipe = Pipe()
    process.standardOutput = FileHandle.nullDevice
    process.standardError = pipe
    try process.run()
    var text = ""
    while !text.contains(words) {
      let some = pipe.fileHandleForReading.availableData
      guard !some.isEmpty else { throw Missing(message: "it ended without saying '\(words)': \(text)") }
      text += String(decoding: some, as: UTF8.self)
    }
    return Running(process: process, errors: pipe.fileHandleForReading)
  }

  /// A process at work.
  struct Running {
    let process: Process
    fileprivate let errors: FileHandle

    /// Sends signals and waits for the end.
    func end(_ signals: Int32...) throws -> Outcome {
      for signal in signals { kill(process.processIdentifier, signal) }
      let rest = try errors.readToEnd() ?? Data()
      process.waitUntilExit()
      return Outcome(code: process.exitCode, output: "", errors: String(decoding: rest, as: UTF8.self))
    }
  }

  private func process(_ executable: String, _ arguments: [String]) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: path)
    var environment = ProcessInfo.processInfo.environment
    environment["WT"] = try Self.executable
    process.environment = environment
    process.standardInput = FileHandle.nullDevice
    return process
  }

  private func launch(_ executable: String, _ arguments: [String]) throws -> Outcome {
    let process = try process(executable, arguments)
    // Files, as a pipe that nobody reads would stop the process when it is full.
    let streams = try ["output", "errors"].map { name in
      let path = file(".\(name)-\(UUID().uuidString)")
      try Data().write(to: URL(fileURLWithPath: path))
      return (path: path, handle: try FileHandle(forWritingTo: URL(fileURLWithPath: path)))
    }
    process.standardOutput = streams[0].handle
    process.standardError = streams[1].handle
    try process.run()
    process.waitUntilExit()
    let texts = try streams.map { stream in
      try stream.handle.close()
      let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: stream.path)), as: UTF8.self)
      try FileManager.default.removeItem(atPath: stream.path)
      return text
    }
    return Outcome(code: process.exitCode, output: texts[0], errors: texts[1])
  }
}

extension Process {
  /// The exit code as a shell reports it.
  var exitCode: Int32 { terminationReason == .exit ? terminationStatus : 128 + terminationStatus }
}
