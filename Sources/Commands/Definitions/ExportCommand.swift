import ArgumentParser
import Foundation
import Support

package struct ExportCommand: EngineCommand {
  package init() {}

  package static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Writes a trained network for other programs: ONNX, safetensors, PyTorch.",
    discussion: """
      Example: width-transfer export --weights runs/first/optimized/seed-0/model.safetensors --output photos.onnx

      onnx is for inference: opset 17, any batch size, normalized images in, one score a class out. safetensors holds the state dict with \
      the network in its header. pytorch is a Python file with an nn.Module, its widths as plain numbers, and the safetensors that loads \
      into it beside it.

      Widths that were found can be trained elsewhere: --network resnet20 --widths widths.json --output resnet20.py
      """)

  /// What is written.
  package enum Form: String, ExpressibleByArgument, CaseIterable {
    case onnx, safetensors, pytorch

    /// What a file's name says.
    init?(path: String) {
      switch (path as NSString).pathExtension.lowercased() {
      case "onnx": self = .onnx
      case "safetensors": self = .safetensors
      case "py": self = .pytorch
      default: return nil
      }
    }
  }

  /// What becomes of batch normalizations.
  package enum BatchNormalization: String, ExpressibleByArgument, CaseIterable { case keep, fold }

  @Option(
    help:
      "The weights: .safetensors, an index of shards, .pth or .onnx. An .onnx, and a file that this program wrote, also names its network and widths. Without them, the network of --network with the weights that a training begins with.",
    completion: .file())
  package var weights: String?

  @Option(parsing: .unconditional, help: "The seed of weights that are not trained.")
  package var seed: Int = 0

  @OptionGroup package var network: ScalableNetworkOptions

  @Option(help: "Channel counts by width group.", completion: .file())
  package var widths: String?

  @Option(help: "The form (default: what the output's name says: .onnx, .safetensors or .py).")
  package var format: Form?

  @Option(help: "onnx: whether batch normalizations stay, or are taken into the convolutions before them.")
  package var batchNorm: BatchNormalization = .keep

  @Option(help: "The file to write.", completion: .file())
  package var output: String

  @Flag(help: "Replace files that are there.")
  package var overwrite = false

  @Flag(help: "Print what was written as JSON on standard output.")
  package var json = false

  @OptionGroup package var general: GeneralOptions

  /// The form that is asked for, or that the output's name says.
  package func resolvedFormat() throws -> Form {
    guard let known = format ?? Form(path: output) else {
      throw UsageFailure(
        "--output \(output): its name does not say which form is meant; give --format onnx, safetensors or pytorch")
    }
    return known
  }

  package func validate() throws {
    if weights == nil, network.network == nil {
      throw ValidationError(
        "give --weights, or name with --network what is to be written with weights that are not trained")
    }
    guard let known = try? resolvedFormat() else { return }
    if batchNorm == .fold, known != .onnx {
      throw ValidationError(
        "--batch-norm fold is for --format onnx: \(known.rawValue) keeps the names of the state dict")
    }
    if known == .pytorch, !output.hasSuffix(".py") {
      throw ValidationError("--format pytorch writes a Python file: give --output a name that ends in .py")
    }
  }
}
