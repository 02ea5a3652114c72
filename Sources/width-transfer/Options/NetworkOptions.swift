import ArgumentParser
import Foundation
import Networks
import Runs
import Support

/// Which network.
struct NetworkOptions: ParsableArguments {
  @Option(help: "A name of the zoo (resnet20, resnet18_cifar, mobilenet_v2, …) or a network as FILE.json.")
  var network: String

  @Option(parsing: .unconditional, help: "Scale every layer's channels by this factor first.")
  var width: Double?

  @Option(parsing: .unconditional, help: "Scale every stage's number of blocks by this factor first.")
  var depth: Double?

  @Option(parsing: .unconditional, help: "Classes (default: the dataset's, or 1000).")
  var classes: Int?

  @Option(parsing: .unconditional, help: "Channels of the images (default: the dataset's, or 3).")
  var inputChannels: Int?

  @Option(parsing: .unconditional, help: "Side of the images in pixels (default: the dataset's, or the network's own).")
  var resolution: Int?

  @Option(parsing: .unconditional, help: "Channel counts are multiples of this.")
  var divisor: Int = 8

  /// What the flags ask for.
  var request: NetworkRequest {
    NetworkRequest(
      name: network, width: width, depth: depth, classes: classes, inputChannels: inputChannels,
      resolution: resolution, divisor: divisor)
  }
}

/// A network as users ask for it.
struct NetworkRequest {
  var name: String
  var width: Double?
  var depth: Double?
  var classes: Int?
  var inputChannels: Int?
  var resolution: Int?
  var divisor = 8

  /// The network, with the flags' values first, then the given defaults.
  func build(classes: Int? = nil, inputChannels: Int? = nil, resolution: Int? = nil) throws -> Network {
    for (flag, value, largest) in [
      ("--classes", self.classes, 1 << 28), ("--input-channels", self.inputChannels, 1 << 28),
      ("--resolution", self.resolution, 1 << 14), ("--divisor", divisor, 1 << 28),
    ] {
      try require(value, flag, in: 1...largest)
    }
    for (flag, value) in [("--width", width), ("--depth", depth)] {
      if let value, !(value > 0 && value <= 64) {
        throw UsageFailure("\(flag) \(value): it must be above 0, at most 64")
      }
    }
    let classes = self.classes ?? classes
    let channels = self.inputChannels ?? inputChannels
    let side = self.resolution ?? resolution
    var network: Network
    if name.hasSuffix(".json") {
      network = try Network(path: name)
      if let classes { network = try network.with(classes: classes) }
      if let channels { network = network.with(inputChannels: channels) }
      if let side { network = network.at(resolution: side) }
    } else if name.hasSuffix(".onnx") {
      throw UsageFailure("--network \(name): reading ONNX is not part of this version; describe the network as .json")
    } else {
      network = try NetworkZoo.network(named: name, classes: classes, inputChannels: channels, resolution: side)
    }
    if let depth { network = try network.scalingDepth(by: depth) }
    if let width { network = try network.scalingWidth(by: width, divisor: divisor) }
    _ = try network.resolved()
    return network
  }
}

extension Network {
  /// The network at the widths of a file that was written for it.
  ///
  /// - Throws: `FileFailure` (65) when the file belongs to another network.
  func with(widthsFile path: String) throws -> Network {
    let file = try WidthsFile(path: path)
    guard file.network == name else {
      throw FileFailure(
        .badData, path: path,
        reason: "it holds widths of \(file.network), not of \(name); name its network with --network")
    }
    do {
      let network = try with(Widths(file.widths))
      _ = try network.resolved()
      return network
    } catch let failure as any Failure {
      throw FileFailure(.badData, path: path, reason: failure.message)
    }
  }
}
