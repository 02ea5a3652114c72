import Foundation
import ImageFiles
import Loading
import Interchange
import Methods
import Networks
import ONNX
import Records
import Reporting
import Support
import Torch
import Training

/// What came of one input.
enum Outcome: String, CaseIterable {
  case read
  case refused
}

/// One kind of files and the code that reads them.
struct Reader: Sendable {
  enum Kind: String, CaseIterable, Sendable {
    case images
    case archives
    case packed
    case idx
    case cifar
    case weights
    case checkpoints
    case runs
    case onnx
    case documents
  }

  let kind: Kind
  // The sound files: names, with the folders that they lie in, and contents.
  private let files: [(name: String, bytes: [UInt8])]

  /// The kinds that the corpus holds.
  static func all(corpus: String) throws -> [Reader] {
    try Kind.allCases.compactMap { kind in
      let folder = "\(corpus)/\(kind.rawValue)"
      var isFolder: ObjCBool = false
      let names = ((try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []).sorted().filter { name in
        FileManager.default.fileExists(atPath: "\(folder)/\(name)", isDirectory: &isFolder) && !isFolder.boolValue
      }
      guard !names.isEmpty else { return nil }
      // An input names its file by one byte.
      guard names.count <= 256 else {
        throw FileFailure(.badData, path: folder, reason: "holds \(names.count) files; a kind may have 256")
      }
      return Reader(
        kind: kind,
        files: try names.map { ($0, Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + $0)))) })
    }
  }

  /// The sound files as inputs.
  var sound: [[UInt8]] { files.indices.map { [UInt8($0)] + files[$0].bytes } }

  /// A damaged file; its first byte says which file of the corpus it was.
  func input(_ random: inout SeededGenerator) -> [UInt8] {
    let number = random.nextInt(below: files.count)
    let other = files[random.nextInt(below: files.count)].bytes
    var bytes = Mutation.damaged(files[number].bytes, with: other, &random)
    if random.nextInt(below: 2) == 0 { Repair.checksums(&bytes) }
    return [UInt8(truncatingIfNeeded: number)] + bytes
  }

  /// Reads an input as the program would.
  ///
  /// - Throws: What is not a failure of a file.
  func read(_ input: [UInt8], in place: Place, _ random: inout SeededGenerator) throws -> Outcome {
    let file = files[Int(input[0]) % files.count]
    let bytes = Array(input[1...])
    do {
      switch kind {
      case .images: try readImage(bytes, &random)
      case .archives, .packed: try place.withFile(bytes, file.name) { try readDataset($0, &random) }
      case .idx, .cifar:
        try place.withFolder(kind.rawValue, of: files, file.name, bytes) { try readDataset($0, &random) }
      case .weights:
        try place.withFolder(kind.rawValue, of: files, file.name, bytes) { folder in
          // Shards are read by their index.
          try readTensors(file.name.hasPrefix("shard-") ? "\(folder)/sharded.index.json" : "\(folder)/\(file.name)")
        }
      case .checkpoints: try place.withFile(bytes, file.name) { try readCheckpoint($0) }
      case .runs:
        let run = file.name.prefix { $0 != "/" }
        let whole = files.filter { $0.name.hasPrefix(run + "/") }
        try place.withFolder(kind.rawValue + "-" + run, of: whole, file.name, bytes) { try readRun("\($0)/\(run)") }
      case .onnx: try place.withFile(bytes, file.name) { try readNetwork($0) }
      case .documents: try place.withFile(bytes, file.name) { try readDocument($0, file.name) }
      }
      return .read
    } catch is FileFailure {
      return .refused
    }
  }

  private func readImage(_ bytes: [UInt8], _ random: inout SeededGenerator) throws {
    var draws = random
    _ = try PixelImage.decode(bytes: bytes, path: "input", channels: draws.nextInt(below: 4) == 0 ? 1 : 3) { size in
      let (left, top) = (draws.nextInt(below: size.width), draws.nextInt(below: size.height))
      let part = PixelRectangle(
        left: left, top: top, width: 1 + draws.nextInt(below: size.width - left),
        height: 1 + draws.nextInt(below: size.height - top))
      return draws.nextInt(below: 3) == 0 ? .whole(size) : ImageRequest(part, divisor: 1 << draws.nextInt(below: 4))
    }
  }

  private func readDataset(_ path: String, _ random: inout SeededGenerator) throws {
    let options = ReadingOptions(archives: ArchiveLimits(smallExpansion: 1 << 20))
    let dataset = try Dataset.open(path, options: options)
    for source in [dataset.training, dataset.heldOut] where source.count > 0 {
      for _ in 0..<4 {
        let index = random.nextInt(below: source.count)
        _ = source.label(at: index)
        _ = try? source.imageForEvaluation(at: index, resolution: 16)
      }
    }
  }

  private func readNetwork(_ path: String) throws {
    // A file may leave open what a user has to say.
    do {
      let found = try ONNXImport(path: path, resolution: 12, inputChannels: 3)
      _ = try? found.weights()
    } catch is UsageFailure {}
  }

  /// A text that people write or programs exchange; its name says which.
  private func readDocument(_ path: String, _ name: String) throws {
    do {
      switch name {
      case "network.json", "network-passed.json":
        let network = try Network(json: Data(contentsOf: URL(fileURLWithPath: path)), file: path).resolved()
        _ = try? network.network.scalingDepth(by: 2).resolved()
        _ = try? network.network.scalingWidth(by: 0.5).resolved()
      case "widths.json": _ = try WidthsFile(path: path)
      case "latency.json": _ = try JSONFile.read(LatencyTable.self, path: path, expecting: "a table")
      case "structure.yaml":
        let structure = try YAMLFile.read(NetworkStructure.self, path: path, expecting: "a structure")
        _ = try structure.applied(to: NetworkZoo.network(named: "resnet20"))
      default: try YAMLFile.read(Recipe.self, path: path, expecting: "a recipe").validate()
      }
    } catch is NetworkFailure {
    } catch is UsageFailure {}
  }

  private func readTensors(_ path: String) throws {
    let file = try WeightsFile(path: path)
    for name in file.entries.keys.sorted() {
      // Touches every byte: a wrong offset would lead out of the file.
      _ = try file.withBytes(of: name) { $0.reduce(0) { $0 &+ Int($1) } }
    }
  }

  private func readCheckpoint(_ path: String) throws {
    struct State: Decodable { var epoch: Int }
    let store = CheckpointStore(folder: Path.folder(of: path), identity: #"{"recipe":{"epochs":3},"seed":0}"#)
    do {
      try store.refuseOtherRuns()
      guard let loaded = try store.latest(State.self, warn: { _ in }) else {
        throw FileFailure(.badData, path: path, reason: "no checkpoint")
      }
      try loaded.restore([("a", .zeros([2, 3])), ("b", .zeros([], .int64))])
    } catch is UsageFailure {}
  }

  /// A folder that a run left, as `report` and `diagnose` read it; what it shows is damaged, too.
  private func readRun(_ path: String) throws {
    let folder = RunFolder(path: path)
    do {
      if folder.weightNorms.exists {
        _ = try Report(DiagnosisSummary(TrackedTraining.ofOneNetwork(in: [folder]))).html(bundle: nil)
      }
      _ = try Report([folder]).html(bundle: nil)
    } catch is NetworkFailure {
    } catch is UsageFailure {}
  }
}
