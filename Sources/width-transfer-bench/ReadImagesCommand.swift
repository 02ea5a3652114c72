import ArgumentParser
import Commands
import Foundation
import ImageFiles
import Interchange
import Loading
import Torch

/// The Swift side of `scripts/check-images`: writes images as this program sees them.
struct ReadImagesCommand: ParsableCommand {
  enum Split: String, ExpressibleByArgument {
    case training
    case heldOut = "held-out"
  }

  static let configuration = CommandConfiguration(
    commandName: "read-images",
    abstract: "Writes the images of a data set, decoded, as tensors [H, W, C] of a safetensors file.",
    discussion: "Example: width-transfer read-images --dataset photos/ --split held-out --output photos.safetensors",
    shouldDisplay: false)

  @OptionGroup var data: DataOptions
  @Option var split: Split = .training
  @Option(help: "As evaluation sees them at this resolution; without it, whole.") var resolution: Int?
  @Option(help: "The first so many.") var limit: Int?
  @Option var output: String
  @OptionGroup var general: GeneralOptions

  func run() throws {
    let dataset = try data.open(general)
    let source = split == .training ? dataset.training : dataset.heldOut
    let count = min(source.count, limit ?? source.count)
    var tensors = try (0..<count).map { index in
      let image =
        try resolution.map { try source.imageForEvaluation(at: index, resolution: $0) } ?? source.image(at: index)
      return SafetensorsWriter.Tensor(
        name: String(format: "%05d", index), type: .uint8, shape: [image.height, image.width, image.channels],
        data: Data(image.pixels))
    }
    let labels = (0..<count).map { Int64(source.label(at: $0)).littleEndian }
    tensors.append(.init(name: "labels", type: .int64, shape: [count], data: labels.withUnsafeBytes { Data($0) }))
    let places = (0..<count).map { source.place(at: $0) }
    try SafetensorsWriter.write(
      tensors, metadata: ["places": places.joined(separator: "\n")], to: output)
  }
}
