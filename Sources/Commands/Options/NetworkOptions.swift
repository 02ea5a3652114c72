import ArgumentParser
import Foundation
import ImageFiles
import Networks
import Records
import Support

/// Which network.
package struct NetworkOptions: ParsableArguments {
  package init() {}

  @Option(
    help: "A name of the zoo (resnet20, resnet18_cifar, mobilenet_v2, …) or a network as FILE.json or FILE.onnx.",
    completion: Completions.networks)
  package var network: String

  @Option(parsing: .unconditional, help: "Scale every layer's channels by this factor first.")
  package var width: Double?

  @Option(parsing: .unconditional, help: "Scale every stage's number of blocks by this factor first.")
  package var depth: Double?

  @Option(parsing: .unconditional, help: "Classes (default: the dataset's, or 1000).")
  package var classes: Int?

  @Option(parsing: .unconditional, help: "Channels of the images (default: the dataset's, or 3).")
  package var inputChannels: Int?

  @Option(parsing: .unconditional, help: "Side of the images in pixels (default: the dataset's, or the network's own).")
  package var resolution: Int?

  @Option(parsing: .unconditional, help: "Channel counts are multiples of this.")
  package var divisor: Int = 8

  @OptionGroup package var importing: ImportOptions

  /// What the flags ask for.
  package var request: NetworkRequest { get throws { try request(nil) } }

  private func request(_ general: GeneralOptions?) throws -> NetworkRequest {
    try importing.require(network)
    return importing.reading(
      NetworkRequest(
        name: network, width: width, depth: depth, classes: classes, inputChannels: inputChannels,
        resolution: resolution, divisor: divisor), general)
  }

  /// The network alone, for images as it or the flags say.
  package func build(_ general: GeneralOptions) throws -> ResolvedNetwork { try request(general).build() }

  /// The network for a data set, which says classes, channels and size where no flag does.
  package func build(for dataset: Dataset, _ general: GeneralOptions) throws -> ResolvedNetwork {
    let built = try request(general).build(
      classes: dataset.classNames.count, inputChannels: dataset.channels, resolution: dataset.resolution)
    if resolution == nil, network.hasSuffix(".json"), let own = try? Network(path: network),
      own.input.height != built.input.height
    {
      general.note(
        "\(network) takes images of \(own.input.height) px, those of \(dataset.name) have \(built.input.height): it is taken for these; "
          + "`resolution` \(own.input.height) resizes the images instead")
    }
    return built
  }
}
