import Foundation
import Networks
import Support

/// A network that an ONNX file describes. Its weights stay in the file, since widths are searched for a network that is trained afresh,
/// until ``weights(metadata:)`` is asked for.
///
/// What is read: opset 7 to 22 as PyTorch's exporters write it, of the operations that a ``Networks/Network`` has. Whatever else there
/// is, is named with its node.
public struct ONNXImport {
  /// What becomes of convolutions that exporters have taken a batch normalization into.
  public enum BatchNormalization: String, Sendable, CaseIterable {
    /// It is put back where the file says that there was one.
    case auto
    /// It is put back behind every convolution with a bias.
    case restore
    /// Convolutions stay as they are.
    case leave
  }

  /// The file's path.
  public let path: String
  /// The network, at the file's resolution.
  public let network: Network
  /// The convolutions behind which a batch normalization was put back.
  public let restored: [String]
  /// What was left out or put in, for people.
  public let remarks: [String]
  /// Free text under free keys that the file carries.
  public let metadata: [String: String]
  /// The normalization of the images that the file has inside, and the network here has not.
  public let preprocessing: ONNXPreprocessing?
  /// Where the tensors of the state dict come from.
  let state: [String: ONNXWeight]

  private static let (mostChannels, largestSide) = (4096, 1 << 16)

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - resolution: The side that the images are to have; a network that cannot have it is refused.
  ///   - defaultResolution: The side of the images, for a file that leaves it open, where none is asked for.
  ///   - output: The output that is wanted, of a file with several.
  ///   - inputChannels: The channels of the images, for a file that leaves them open.
  /// - Throws: `FileFailure`: `missing` when it is not there, `badData` when it is broken, or holds what is not read.
  public init(
    path: String, resolution: Int? = nil, defaultResolution: Int? = nil, inputChannels: Int? = nil,
    output: String? = nil, batchNormalization: BatchNormalization = .auto
  ) throws {
    self.path = path
    let file = try ONNXFile(path: path, output: output)
    do {
      let dimensions = file.input.dimensions
      guard let height = dimensions[2] ?? resolution ?? defaultResolution,
        let width = dimensions[3] ?? resolution ?? defaultResolution
      else {
        throw UsageFailure("`network` \(path) leaves the size of its images open; give a `resolution`")
      }
      guard let channels = dimensions[1] ?? inputChannels else {
        throw UsageFailure("`network` \(path) leaves the channels of its images open; give `input-channels`")
      }
      guard channels <= Self.mostChannels, height <= Self.largestSide, width <= Self.largestSide else {
        throw ONNXFault(
          "its images are to have \(channels) channels and \(height)×\(width) pixels; \(Self.mostChannels) channels and sides of "
            + "\(Self.largestSide) are read")
      }
      let image = Shape(channels: channels, height: height, width: width)
      let description = ONNXDescription(file.metadata)
      let translation = try ONNXTranslation(
        file, image: image, restores: batchNormalization, description: description)
      let name = (((path as NSString).lastPathComponent) as NSString).deletingPathExtension
      var network = Network(name: name, input: image, layers: translation.layers)
      let resolved = try network.resolved()
      try Self.check(resolved, translation.weightDimensions)
      if let resolution, resolution != height || resolution != width {
        try Self.checkMoved(network, resolution, translation.weightDimensions, path)
      }
      if let own = description?.matching(resolved) {
        self.network = own
      } else {
        network.stages = ONNXStages(resolved).stages().filter { Self.canRepeat($0, in: network) }
        self.network = try network.resolved().network
      }
      restored = translation.restored
      state = translation.state
      metadata = file.metadata
      preprocessing = translation.preprocessing
      var remarks = translation.remarks
      if !restored.isEmpty {
        let convolutions = resolved.layers.count { if case .convolution = $0.layer.operation { true } else { false } }
        remarks.append(
          "batch normalization is put back behind \(restored.count) of \(convolutions) convolutions, which the exporter had taken it into"
        )
      }
      if !translation.passedLayers.isEmpty {
        let count = translation.passedLayers.count
        remarks.append(
          "\(Format.number(count, "part")) of the network \(count == 1 ? "is" : "are") passed as \(count == 1 ? "it is" : "they are"), at fixed widths and "
            + "this image size, since widths cannot be followed through what they compute: "
            + Format.list(translation.passedLayers.map { ONNXFault.shown($0) }, most: 6))
      }
      self.remarks = remarks
    } catch let fault as ONNXFault {
      throw FileFailure(.badData, path: path, reason: fault.reason)
    } catch let failure as NetworkFailure {
      throw FileFailure(.badData, path: path, reason: "its network does not fit together: \(failure.message)")
    }
  }

  /// Whether the weights of the file are those that the network would have.
  private static func check(_ network: ResolvedNetwork, _ dimensions: [String: [Int]]) throws {
    for layer in network.layers {
      guard let found = dimensions[layer.layer.name] else { continue }
      let (inputs, outputs) = (layer.inputs[0], layer.output.channels)
      let expected: [Int]
      switch layer.layer.operation {
      case .convolution(let convolution):
        let groups =
          switch convolution.grouping {
          case .dense: 1
          case .depthwise: inputs.channels
          case .grouped(let groups): groups
          }
        expected = [
          outputs, inputs.channels / max(1, groups), convolution.kernelSize.height, convolution.kernelSize.width,
        ]
      case .linear: expected = [outputs, inputs.channels * inputs.height * inputs.width]
      case .other(let other) where other.definition is PointwiseLinear: expected = [outputs, inputs.channels]
      default: continue
      }
      guard found == expected else {
        throw ONNXFault(
          "the weights of \(ONNXFault.shown(layer.layer.name)) are \(found), and its input of \(inputs) asks for \(expected)"
        )
      }
    }
  }

  /// Refuses another size of images than the file's where the network would not be the file's any more: a linear layer that sees places,
  /// behind an adaptive pool that exporters write for one size.
  private static func checkMoved(
    _ network: Network, _ resolution: Int, _ dimensions: [String: [Int]], _ path: String
  ) throws {
    do {
      try check(network.at(resolution: resolution).resolved(), dimensions)
    } catch let fault as ONNXFault {
      throw UsageFailure(
        "`network` \(path) was exported for images of \(network.input.height) px, and at \(resolution) px \(fault.reason). "
          + "Give `resolution` \(network.input.height), or export the network for \(resolution) px")
    }
  }

  // A stage that cannot be made deeper is none.
  private static func canRepeat(_ stage: Stage, in network: Network) -> Bool {
    var alone = network
    alone.stages = [stage]
    return (try? alone.resolved().changingDepth(by: 2, asked: "")) != nil
  }
}
