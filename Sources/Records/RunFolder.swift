import Foundation
import Networks

/// The names of the files in a run folder.
public struct RunFolder: Sendable, Hashable {
  /// The folder.
  public let path: String

  /// Names a run folder without touching the disk.
  public init(path: String) { self.path = path }

  /// The resolved configuration.
  public var configuration: String { file("run.yaml") }
  /// What happened, one JSON object a line.
  public var events: String { file("events.jsonl") }
  /// Trained weights.
  public var model: String { file("model.safetensors") }
  /// The widths that came out of a search.
  public var widths: String { file("widths.json") }
  /// The result of a training: what `train --json` prints.
  public var result: String { file("result.json") }
  /// What a `run` brought in all: what `run --json` prints.
  public var summary: String { file("summary.json") }
  /// What a comparison of search methods brought: what `compare --json` prints.
  public var comparison: String { file("comparison.json") }
  /// What the weight norms of its trainings say of its layers.
  public var diagnosis: String { file("diagnosis.json") }
  /// How `--project auto` came to its projection.
  public var projection: String { file("projection.json") }
  /// What the folder holds and where.
  public var manifest: String { file("run.json") }
  /// The report.
  public var report: String { file("report.html") }
  // The launch that has emptied the folder last, whose later attempts go on with it.
  var launch: String { file(Self.launchName) }
  static let launchName = ".launch"
  // Its lock keeps a second process out.
  package static let lockName = ".lock"
  // Held while one of several processes does the job that is kept in the folder.
  package static let claimName = ".claim"
  // Held while one of several processes changes the manifest.
  package static let manifestClaimName = ".run.claim"
  /// The folder of what was followed of the channels' weight norms.
  public var weightNorms: WeightNormFolder { WeightNormFolder(path: file("weight-norms")) }
  /// The folder of checkpoints.
  public var checkpoints: String { file("checkpoints") }

  /// The path of a file in the folder.
  public func file(_ name: String) -> String { (path as NSString).appendingPathComponent(name) }

  /// What folders of budgets begin with, when a run has several: `flops-0.5x`.
  static let budgetPrefixes = CostModel.settings.map { "\($0)-" }

  /// The folder of the search inside a `run`.
  public var search: RunFolder { RunFolder(path: file("search")) }

  /// The folder of one training inside a `run`: `uniform/seed-0`, `optimized/seed-1`.
  public func training(_ variant: String, seed: Int) -> RunFolder {
    RunFolder(path: file("\(variant)/seed-\(seed)"))
  }
}
