import Foundation
import ProcessGroups
import Testing
import Torch

/// What a launcher such as `torchrun` sees of the program.
@Suite(.enabled(if: ProcessGroup.isAvailable, "Gloo's headers were not there"))
struct LauncherTests {
  private final class Ends: @unchecked Sendable {
    private let lock = NSLock()
    private var outcomes: [Int: Result<Outcome, any Error>] = [:]
    func set(_ rank: Int, _ outcome: Result<Outcome, any Error>) { lock.withLock { outcomes[rank] = outcome } }
    subscript(rank: Int) -> Outcome {
      get throws { try #require(lock.withLock { outcomes[rank] }).get() }
    }
  }

  /// A command, started so many times at once as a launcher does.
  private func launch(_ place: Workplace, _ count: Int, _ command: [String]) throws -> [Outcome] {
    let words = command.map { "'\($0)'" }.joined(separator: " ")
    let port = try freePort()
    let ends = Ends()
    let members = DispatchGroup()
    for rank in 0..<count {
      members.enter()
      Thread.detachNewThread {
        ends.set(
          rank,
          Result {
            try place.shell(
              """
              export RANK=\(rank) LOCAL_RANK=\(rank) WORLD_SIZE=\(count) LOCAL_WORLD_SIZE=\(count) OMP_NUM_THREADS=1
              export MASTER_ADDR=127.0.0.1 MASTER_PORT=\(port) TORCHELASTIC_ERROR_FILE=rank-\(rank).error
              exec "$WT" \(words)
              """)
          })
        members.leave()
      }
    }
    members.wait()
    return try (0..<count).map { try ends[$0] }
  }

  @Test("Several processes train one network; one of them speaks and keeps the files")
  func train() throws {
    let place = try Workplace()
    let ends = try launch(
      place, 2, Workplace.training + ["--sync-batch-norm", "--track", "weight-norms", "--output", "together", "--json"])
    for end in ends { #expect(end.code == 0, "\(end.errors)") }
    #expect(ends[1].output.isEmpty && ends[1].errors.isEmpty)
    let result = try #require(
      try JSONSerialization.jsonObject(with: Data(ends[0].output.utf8)) as? [String: Any])
    let alone = try place.run(Workplace.training + ["--output", "alone", "--json"]).json()
    #expect(result["images"] as? Int == alone["images"] as? Int)
    #expect(result["macs"] as? Int == alone["macs"] as? Int)
    let (loss, other) = (try #require(result["loss"] as? Double), try #require(alone["loss"] as? Double))
    #expect(abs(loss - other) < 0.05 * other)
    let exchange = try #require(result["exchange"] as? [String: Any])
    #expect(exchange["processes"] as? Int == 2 && alone["exchange"] == nil)
    #expect(exchange["bytes"] as? Int == (result["parameters"] as? Int).map { 4 * $0 })
    #expect(try #require(exchange["seconds"] as? Double) >= #require(exchange["hiddenSeconds"] as? Double))
    #expect(try place.text("together/run.yaml").contains("processes: 2"))
    #expect(place.has("together/model.safetensors") && place.has("together/weight-norms"))
    // How many there were is no part of what was trained.
    let again = try place.run(Workplace.training + ["--output", "together", "--json"])
    #expect(again.code == 0 && again.output == ends[0].output, "\(again.errors)")
    let told = try place.run(Workplace.training + ["--output", "together"])
    #expect(told.code == 0 && told.output.contains("2 processes exchanged"), "\(told.output)")
  }

  @Test("A whole run, with its search, its trainings and its report, is one that several processes can do")
  func run() throws {
    let place = try Workplace()
    let command =
      ["run"] + Workplace.tiny + Workplace.data + ["--epochs", "1", "--project", "width=0.5", "--output", "together"]
    let ends = try launch(place, 2, command)
    for end in ends { #expect(end.code == 0, "\(end.errors)") }
    #expect(place.has("together/report.html") && place.has("together/widths.json"))
    #expect(ends[0].output.contains("optimized: top-1"))
    #expect(ends[1].output.isEmpty && ends[1].errors.isEmpty)
  }

  @Test("When one process fails, the others end too, and the launcher is told why")
  func failure() throws {
    let place = try Workplace()
    // The folder is another's: only the process that keeps the files can know.
    _ = try place.run(Workplace.training + ["--output", "together"])
    let ends = try launch(place, 2, Workplace.training + ["--seed", "5", "--output", "together"])
    #expect(ends[0].code == 64 && ends[0].errors.contains("holds another run"))
    #expect(ends[1].code == 74 && ends[1].errors.contains("rank 1 of 2 processes lost the others"))
    let told = try place.json("rank-0.error")
    let message = try #require(told["message"] as? [String: Any])
    #expect((message["message"] as? String)?.contains("holds another run") == true)
    let extra = try #require(message["extraInfo"] as? [String: String])
    #expect(extra["timestamp"].flatMap(Double.init) ?? 0 > 1e9 && extra["py_callstack"] != nil)
  }

  @Test("Work that is shared out in another way is refused under a launcher, before anything is written")
  func others() throws {
    let place = try Workplace()
    let environment = "export RANK=0 WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=29501"
    let tiny = (Workplace.tiny + Workplace.data).joined(separator: " ")
    try place.shell("\(environment); \"$WT\" run \(tiny) --epochs 1 --jobs 2 --output runs")
      .expect(64, "a launcher has started 2 processes", "--jobs")
    try place.shell("\(environment); \"$WT\" experiment figure-5 --shard 1/2 --output figures")
      .expect(64, "a launcher has started 2 processes", "--shard")
    #expect(!place.has("runs") && !place.has("figures"))
    try place.shell("export RANK=2 WORLD_SIZE=2 MASTER_ADDR=a; \"$WT\" train \(tiny) --epochs 1 --output runs")
      .expect(64, "RANK is 2")
  }
}
