import Foundation
import Support
import Testing

@testable import Records

@Suite struct RunSessionTests {
  private let root = NSTemporaryDirectory() + "runs-\(UUID().uuidString)"
  private var folder: RunFolder { RunFolder(path: root + "/run") }
  private func configuration(_ values: [String: String]) -> Configuration { .init(values.mapValues { .text($0) }) }

  private func clean() { try? FileManager.default.removeItem(atPath: root) }

  private func begin(_ values: [String: String]) throws {
    _ = try RunSession(folder, configuration: configuration(values))
    try AtomicFile.write("{}", to: folder.result)
  }

  @Test func aConfigurationComesBackAsItWas() throws {
    defer { clean() }
    try AtomicFile.createFolder(root)
    struct Recipe: Encodable {
      var rate = 0.1
      var steps = [0.5, 0.75]
      var name = "a: b"
      var flag = true
    }
    let written = Configuration([
      "epochs": .text("3"), "rate": .text("0.1"), "name": .text("yes: no"), "empty": .text(""),
      "project": .list(["width=0.5", "data=20%"]), "recipe": try .init(encoding: Recipe()), "left": nil,
    ])
    let path = root + "/c.yaml"
    try written.write(to: path)
    #expect(try Configuration(path: path) == written)
    #expect(try written.text().contains("rate: 0.1\n"))
    #expect(try written.values["recipe"]?.line() == "{flag: true, name: 'a: b', rate: 0.1, steps: [0.5, 0.75]}")
  }

  @Test("A launcher that begins again with the same words overwrites once")
  func laterAttempts() throws {
    defer { clean() }
    var launched = LaunchedProcess(rank: 0, worldSize: 2, address: "a")
    func begin(_ launched: LaunchedProcess?) throws -> Bool {
      let session = try RunSession(
        folder, configuration: configuration(["command": "train"]), overwrites: true, launched: launched)
      try AtomicFile.write("{}", to: folder.result)
      return session.isResumed
    }
    #expect(try !begin(launched))
    launched.attempt = 1
    #expect(try begin(launched))
    launched.attempt = 0
    #expect(try !begin(launched), "begun anew by somebody")
    // Another launch, whose first attempt did not come so far.
    (launched.attempt, launched.launch) = (1, "another")
    #expect(try !begin(launched))
    #expect(try begin(launched))
    #expect(try !begin(nil))
    #expect(try !begin(launched), "the folder is nobody's since")
  }

  @Test("Normalization over the processes is part of a run of several")
  func synchronizedNormalization() throws {
    defer { clean() }
    func values(_ processes: String?, _ synchronized: Bool) -> [String: String] {
      var values = ["command": "train"]
      values["processes"] = processes
      if synchronized { values["sync-batch-norm"] = "true" }
      return values
    }
    try begin(values("2", true))
    _ = try RunSession(folder, configuration: configuration(values(nil, false)))
    _ = try RunSession(folder, configuration: configuration(values("4", true)))
    let failure = #expect(throws: UsageFailure.self) {
      try RunSession(folder, configuration: configuration(values("2", false)))
    }
    #expect(failure?.message.contains("`sync-batch-norm` is not given") == true)
  }

  @Test func aDeviceOfTheSameKindGoesOn() throws {
    defer { clean() }
    try begin(["command": "train", "device": "cuda:0"])
    #expect(try RunSession(folder, configuration: configuration(["command": "train", "device": "cuda:1"])).isResumed)
    #expect(throws: UsageFailure.self) {
      _ = try RunSession(folder, configuration: configuration(["command": "train", "device": "cpu"]))
    }
  }

  @Test func anEqualRunGoesOnAndAnotherIsRefused() throws {
    defer { clean() }
    try begin(["command": "train", "epochs": "3", "threads": "1", "dataset": "/old/place/data"])
    let before = try Data(contentsOf: URL(fileURLWithPath: folder.configuration))
    let moved = configuration(["command": "train", "epochs": "3", "threads": "8", "dataset": "/new/data"])
    #expect(try RunSession(folder, configuration: moved).isResumed)
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.configuration)) == before)
    for (other, words) in [
      (["command": "train", "epochs": "5", "dataset": "data"], "its epochs is 3, asked for is 5"),
      (["command": "search", "epochs": "3", "dataset": "data"], "its command is train, asked for is search"),
      (["command": "train", "dataset": "data"], "its epochs is 3, asked for is not given"),
    ] {
      let failure = #expect(throws: UsageFailure.self) {
        _ = try RunSession(folder, configuration: configuration(other))
      }
      #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "")")
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.configuration)) == before)
    // What stopped it can be let pass, and another device of the kind computes the same.
    let onward = configuration([
      "command": "train", "epochs": "3", "dataset": "/new/data", "on-bad-image": "skip", "max-image-pixels": "9000000",
    ])
    #expect(try RunSession(folder, configuration: onward).isResumed)
    let session = try RunSession(folder, configuration: moved)
    try session.finish()
    #expect(try Configuration(path: folder.configuration) == moved)
  }

  @Test func comparisonsOfOtherThingsShareAFolderAndRunsDoNot() throws {
    defer { clean() }
    func asked(_ command: String, _ project: String, _ stacking: String? = nil, epochs: String = "3") -> Configuration {
      configuration(
        ["command": command, "epochs": epochs, "project": project].merging(
          stacking.map { ["stacking": $0] } ?? [:]
        ) { $1 })
    }
    func open(_ configuration: Configuration, isShared: Bool = false) throws {
      try RunSession(folder, configuration: configuration, isShared: isShared).finish()
    }
    func read() throws -> Configuration { try Configuration(path: folder.configuration) }
    try open(asked("run", "width=0.5"))
    try AtomicFile.write("{}", to: folder.summary)
    #expect(throws: UsageFailure.self) { try open(asked("run", "data=20%")) }
    #expect(throws: UsageFailure.self) { try open(asked("run", "width=0.5", "last-block")) }
    let comparisons = [asked("compare", "width=0.5"), asked("compare", "data=20%", "last-block")]
    for comparison in comparisons + comparisons {
      try open(comparison)
      #expect(try read() == comparison)
    }
    // Several processes at once: the last one's is what is summed up.
    try open(comparisons[0], isShared: true)
    #expect(try read() == comparisons[0])
    #expect(throws: UsageFailure.self) { try open(asked("compare", "width=0.5", epochs: "4")) }
    // The jobs of the run are its own still.
    try open(comparisons[1])
    try open(asked("run", "width=0.5"))
  }

  @Test func aFolderIsForOneProcessAtATime() throws {
    defer { clean() }
    let first = try RunSession(folder, configuration: configuration(["command": "train"]))
    let failure = #expect(throws: FileFailure.self) {
      _ = try RunSession(folder, configuration: configuration(["command": "train"]))
    }
    #expect(failure?.kind == .cannotCreate)
    #expect(failure?.message.contains("another process") == true)
    withExtendedLifetime(first) {}
  }

  @Test func onlyWhatARunHasWrittenIsRemoved() throws {
    defer { clean() }
    try begin(["command": "run"])
    let own = [
      "search/result.json", "search/checkpoints/step-3.safetensors", "uniform/seed-0/events.jsonl",
      "transferred/width-0.5/dmcp/seed-0/widths.json",
    ]
    let foreign = ["notes.txt", "search/notes.txt", "uniform/notes.txt", "results/model.safetensors", "a.tmp-b"]
    for name in own + foreign {
      let path = folder.file(name)
      try AtomicFile.createFolder((path as NSString).deletingLastPathComponent)
      try AtomicFile.write("x", to: path)
    }
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("optimized"), withDestinationPath: folder.file("uniform"))
    #expect(folder.holdsResults)
    try folder.removeContents()
    #expect(!folder.holdsResults)
    let manager = FileManager.default
    for name in own { #expect(!manager.fileExists(atPath: folder.file(name)), "\(name)") }
    for name in foreign { #expect(manager.fileExists(atPath: folder.file(name)), "\(name)") }
    for name in ["uniform/seed-0", "transferred"] { #expect(!manager.fileExists(atPath: folder.file(name)), "\(name)") }
  }

  @Test func whatIsSavedIsTheLatestCheckpoint() throws {
    defer { clean() }
    try begin(["command": "train"])
    #expect(folder.saved == "No checkpoint had been saved yet")
    try AtomicFile.createFolder(folder.checkpoints)
    try AtomicFile.write("x", to: folder.checkpoints + "/step-12.safetensors")
    #expect(folder.saved.contains("step-12.safetensors"))
    try FileManager.default.removeItem(atPath: folder.path)
    #expect(folder.saved.contains("gone"))
  }

  @Test func temporaryFilesOfAKilledProcessAreRemoved() throws {
    defer { clean() }
    try begin(["command": "train"])
    let left = folder.file("model.safetensors.tmp-1-abc")
    try Data("half".utf8).write(to: URL(fileURLWithPath: left))
    _ = try RunSession(folder, configuration: configuration(["command": "train"]))
    #expect(!FileManager.default.fileExists(atPath: left))
  }

  @Test func aLogIsCompletedOnce() throws {
    defer { clean() }
    try AtomicFile.createFolder(folder.path)
    let done = RunEvent.done(.init(top1: nil, top5: nil, loss: nil, seconds: 1, flops: 2))
    for _ in 0..<2 { try EventLog.complete(path: folder.events, with: [.resume(.init(step: 1)), done]) }
    #expect(try EventLog.read(path: folder.events).map(\.event) == [.resume(.init(step: 1)), done])
  }
}
