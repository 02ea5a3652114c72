import ArgumentParser
import Datasets
import Foundation
import Interchange
import Networks
import Runs
import Support
import Training

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Evaluates weights on a dataset's held-out images.",
    discussion: """
      Example: width-transfer evaluate --weights runs/resnet20/model.safetensors --dataset fashion-mnist
      """)

  @Option(help: "The weights; a file that this program wrote also names its network and widths.")
  var weights: String

  @Option(help: "A name of the zoo or a network as FILE.json (default: the one that the weights name).")
  var network: String?

  @Option(help: "Channel counts by width group.")
  var widths: String?

  @Option(parsing: .unconditional, help: "Scale every layer's channels by this factor first.")
  var width: Double?

  @Option(parsing: .unconditional, help: "Scale every stage's number of blocks by this factor first.")
  var depth: Double?

  @Option(
    parsing: .unconditional,
    help: "Side of the images in pixels (default: that of the weights' network, or the dataset's).")
  var resolution: Int?

  @Option(parsing: .unconditional, help: "Channel counts are multiples of this.")
  var divisor: Int = 8

  @Option(parsing: .unconditional, help: "Images in one batch.")
  var batchSize: Int = 256

  @Option(help: "The type that convolutions and matrix products compute in.")
  var precision: Recipe.Precision = .float32

  @Option(help: DataOptions.help)
  var dataset: String

  @OptionGroup var reading: ReadingFlags
  @OptionGroup var compute: ComputeOptions

  @Flag(help: "Print JSON on standard output.")
  var json = false

  @OptionGroup var general: GeneralOptions

  func validate() throws {
    if batchSize < 1 { throw ValidationError("--batch-size must be at least 1") }
    if network == nil, width != nil || depth != nil {
      throw ValidationError(
        "--width and --depth scale a network that --network names; the weights name theirs as it is")
    }
  }

  func run() throws {
    let file = try SafetensorsFile(path: weights)
    let dataset = try DataOptions.open(dataset, reading, general)
    var built: Network
    if let network {
      built = try NetworkRequest(
        name: network, width: width, depth: depth, resolution: resolution, divisor: divisor
      ).build(classes: dataset.classNames.count, inputChannels: dataset.channels, resolution: dataset.resolution)
    } else {
      guard let described = try file.network() else {
        throw UsageFailure("\(weights) does not say which network it belongs to; name it with --network")
      }
      built = resolution.map { described.at(resolution: $0) } ?? described
    }
    if let widths { built = try built.with(widthsFile: widths) }
    let device = try compute.prepare(general)
    var recipe = Recipe()
    recipe.batchSize = batchSize
    let job = TrainingJob(
      network: built, dataset: dataset, recipe: recipe, device: device, loaderThreads: compute.loaderThreads)
    try job.validate()
    let model = try Model(built, seed: 0, device: device)
    try model.load(file)
    let loader = try job.heldOutLoader()
    let started = Date()
    let evaluation = try model.evaluate(loader, precision: precision)
    let seconds = Date().timeIntervalSince(started)
    var skipped = SkippedImages()
    for warning in skipped.add(evaluation.skipped) { general.warn(warning) }
    if let summary = skipped.summary { general.warn(summary) }
    let cost = try built.cost()
    let result = TrainingResult(
      top1: evaluation.top1, top5: evaluation.top5, loss: evaluation.loss, images: evaluation.images, seconds: seconds,
      imagesPerSecond: Double(evaluation.images) / max(seconds, 1e-9), macs: cost.macs, parameters: cost.parameters,
      skippedImages: skipped.count > 0 ? skipped.count : nil)
    if json {
      try Output.json(result)
    } else {
      try Output.text(
        "top-1 \(Text.percent(result.top1)), top-5 \(Text.percent(result.top5)), loss \(Text.decimal(result.loss, 4)) "
          + "on \(result.images) images")
    }
  }
}
