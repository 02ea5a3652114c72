import ArgumentParser
import Networks

/// Which network, where a run or a file can say it too.
package struct ScalableNetworkOptions: ParsableArguments {
  package init() {}

  @Option(
    help: "A name of the zoo or a network as FILE.json or FILE.onnx (default: the run's own).",
    completion: Completions.networks)
  package var network: String?

  @Option(parsing: .unconditional, help: "Scale every layer's channels by this factor first.")
  package var width: Double?

  @Option(parsing: .unconditional, help: "Scale every stage's number of blocks by this factor first.")
  package var depth: Double?

  @Option(parsing: .unconditional, help: "Classes (default: 1000).")
  package var classes: Int?

  @Option(parsing: .unconditional, help: "Channels of the images (default: 3).")
  package var inputChannels: Int?

  @Option(parsing: .unconditional, help: "Side of the images in pixels (default: the network's own).")
  package var resolution: Int?

  @Option(parsing: .unconditional, help: "Channel counts are multiples of this.")
  package var divisor: Int = 8

  @OptionGroup package var importing: ImportOptions

  package func validate() throws {
    guard network == nil else { return }
    let scaling = [width != nil, depth != nil, classes != nil, inputChannels != nil, resolution != nil]
    if scaling.contains(true) {
      throw ValidationError(
        "--width, --depth, --classes, --input-channels and --resolution describe a network that --network names")
    }
  }

  /// The network that the flags name; nil when they name none.
  ///
  /// - Parameter weights: The weights that the command reads beside it, if it does.
  /// - Throws: As ``Networks/NetworkRequest``.
  package func build(weights: String? = nil) throws -> ResolvedNetwork? {
    try importing.require(network, weights)
    return try network.map {
      try importing.reading(
        NetworkRequest(
          name: $0, width: width, depth: depth, classes: classes, inputChannels: inputChannels, resolution: resolution,
          divisor: divisor), nil
      ).build()
    }
  }
}
