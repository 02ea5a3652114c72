import Foundation
import ImageFiles
import Loading
import Interchange
import Methods
import Networks
import ONNX
import Records
import Support

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
    case safetensors
    case onnx
    case documents
  }

  let kind: Kind
  // The sound files: names and contents.
  private let files: [(name: String, bytes: [UInt8])]

  /// The kinds that the corpus holds.
  static func all(corpus: String) throws -> [Reader] {
    try Kind.allCases.compactMap { kind in
      let folder = "\(corpus)/\(kind.rawValue)"
      let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
      guard !names.isEmpty else { return nil }
      return Reader(
        kind: kind,
        files: try names.map { ($0, Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + $0)))) })
    }
  }

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
      case .archives, .packed: try readDataset(try place.write(bytes, file.name), &random)
      case .idx, .cifar:
        for sound in files { _ = try place.write(sound.name == file.name ? bytes : sound.bytes, sound.name) }
        try readDataset(place.folder, &random)
      case .safetensors: try readTensors(try place.write(bytes, file.name))
      case .onnx: try readNetwork(try place.write(bytes, file.name))
      case .documents: try readDocument(try place.write(bytes, file.name), file.name)
      }
      place.clear()
      return .read
    } catch is FileFailure {
      place.clear()
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
      case "network.json":
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
    let file = try SafetensorsFile(path: path)
    for name in file.names {
      // Touches every byte: a wrong offset would lead out of the file.
      _ = try file.withBytes(of: name) { $0.reduce(0) { $0 &+ Int($1) } }
    }
  }
}
