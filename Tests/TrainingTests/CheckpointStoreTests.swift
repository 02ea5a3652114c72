import Foundation
import Support
import Testing
import Torch

@testable import Training

@Suite struct CheckpointStoreTests {
  private struct State: Codable, Equatable { var value: Double }

  private func save(_ store: CheckpointStore, _ step: Int, _ value: Double = 0) throws {
    try store.save(step: step, state: State(value: value), tensors: [("x", try Tensor([Float(step)]))])
  }

  private func names(_ folder: TemporaryFolder) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  @Test("The latest is found by number, and only the one before it is kept")
  func latest() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(folder: folder.path, identity: "a")
    #expect(try store.latest(State.self) { _ in } == nil)
    for step in [8, 9, 10, 11] { try save(store, step, Double(step) / 3) }
    #expect(try names(folder) == ["step-10.safetensors", "step-11.safetensors"])
    let loaded = try #require(try store.latest(State.self) { _ in })
    #expect(loaded.step == 11 && loaded.state == State(value: 11.0 / 3))
    let tensor = try Tensor([0] as [Float])
    try loaded.restore([("x", tensor)])
    #expect(try tensor.item() == 11)
  }

  @Test("Files that are no checkpoints are left alone")
  func foreignFiles() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(folder: folder.path, identity: "a")
    for name in ["mine.safetensors", "notes.txt"] { try Data([1]).write(to: URL(fileURLWithPath: folder.file(name))) }
    for step in 1...3 { try save(store, step) }
    try store.removeAll()
    #expect(try names(folder) == ["mine.safetensors", "notes.txt"])
  }

  @Test("A damaged newest file is warned of, passed over, and removed by the next save")
  func damaged() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(folder: folder.path, identity: "a")
    for step in [5, 10] { try save(store, step) }
    try Data("{}".utf8).write(to: URL(fileURLWithPath: folder.file("step-10.safetensors")))
    var warnings: [String] = []
    #expect(try store.latest(State.self) { warnings.append($0) }?.step == 5)
    #expect(warnings.count == 1 && warnings[0].contains("step-10.safetensors"))
    try save(store, 6)
    #expect(try names(folder) == ["step-5.safetensors", "step-6.safetensors"])
  }

  @Test("Numbers that JSON lacks survive in the state")
  func nonFinite() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(folder: folder.path, identity: "a")
    try save(store, 1, .infinity)
    #expect(try store.latest(State.self) { _ in }?.state.value == .infinity)
  }

  @Test("Another run's checkpoint is refused, and the first difference is named by its path")
  func otherRun() throws {
    let folder = try TemporaryFolder()
    let here = #"{"recipe":{"epochs":3,"name":"small"},"seed":1}"#
    try save(CheckpointStore(folder: folder.path, identity: here), 1)
    for (other, difference) in [
      (#"{"recipe":{"epochs":5,"name":"small"},"seed":1}"#, "its recipe.epochs is 3, asked for is 5"),
      (#"{"recipe":{"epochs":3,"name":"small"},"seed":2}"#, "its seed is 1, asked for is 2"),
      (#"{"recipe":{"epochs":3,"name":"small"},"seed":1,"device":"cpu"}"#, "its device is nothing, asked for is cpu"),
    ] {
      let store = CheckpointStore(folder: folder.path, identity: other)
      let failure = #expect(throws: UsageFailure.self) { try store.latest(State.self) { _ in } }
      #expect(failure?.message.contains(difference) == true, "\(failure?.message ?? "")")
      #expect(failure?.message.contains(folder.path) == true)
      #expect(throws: UsageFailure.self) { try store.refuseOtherRuns() }
    }
    try CheckpointStore(folder: folder.path, identity: here).refuseOtherRuns()
    try CheckpointStore(folder: folder.file("none"), identity: here).refuseOtherRuns()
    let inner = CheckpointStore.firstDifference(
      #"{"training":"{\"seed\":1}"}"#, #"{"training":"{\"seed\":4}"}"#)
    #expect(inner == "its training.seed is 1, asked for is 4")
  }

  @Test("A tensor that does not fit is an error before anything is copied")
  func misfit() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(folder: folder.path, identity: "a")
    try store.save(
      step: 1, state: State(value: 0), tensors: [("a", try Tensor.ones([2])), ("b", try Tensor.ones([3]))])
    let loaded = try #require(try store.latest(State.self) { _ in })
    let (a, b) = (try Tensor.zeros([2]), try Tensor.zeros([4]))
    let failure = #expect(throws: FileFailure.self) { try loaded.restore([("a", a), ("b", b)]) }
    #expect(failure?.message.contains("b") == true)
    #expect(try a.floats == [0, 0])
  }

  @Test("A policy goes by steps, or by the clock of the run that it serves")
  func policy() {
    let bySteps = CheckpointPolicy(steps: 3)
    #expect(!bySteps.isDue(step: 5, lastSaved: 3, now: 1e9) && bySteps.isDue(step: 6, lastSaved: 3, now: 0))
    let byClock = CheckpointPolicy(seconds: 60)
    #expect(!byClock.isDue(step: 5, lastSaved: 0, now: 59) && byClock.isDue(step: 5, lastSaved: 0, now: 60))
    byClock.saved(at: 1000)
    #expect(!byClock.isDue(step: 5, lastSaved: 0, now: 1059))
    byClock.saved(at: 0)
    #expect(byClock.isDue(step: 5, lastSaved: 0, now: 61))
  }

  @Test("A run folder that was removed is not made again: what it said of the run is gone")
  func removedFolder() throws {
    let folder = try TemporaryFolder()
    let run = folder.file("run")
    try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
    let store = CheckpointStore(folder: run + "/checkpoints", identity: "a")
    try save(store, 1)
    try FileManager.default.removeItem(atPath: run)
    let failure = #expect(throws: FileFailure.self) { try save(store, 2) }
    #expect(failure?.exitCode == .ioError && failure?.message.contains("was removed") == true)
    #expect(!FileManager.default.fileExists(atPath: run))
  }
}
