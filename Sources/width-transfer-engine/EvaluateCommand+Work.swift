import Commands
import Foundation
import ImageFiles
import Interchange
import Methods
import Networks
import Records
import Support
import Training

extension EvaluateCommand: EngineWork {
  package func perform() throws {
    try importing.require(network, weights)
    var dataset = try DataOptions.open(dataset, reading, general)
    let file = try importing.weights(
      weights, resolution: resolution, defaultResolution: dataset.resolution, inputChannels: dataset.channels, general)
    if let context = try TrainedContext(file) {
      dataset = try context.applied(to: dataset, namesMatter: !ignoreClassNames)
      if context.classNames.isEmpty {
        general.note("\(weights) says nothing of its classes; they are taken as they are numbered")
      }
    } else {
      general.note("\(weights) says nothing of its classes and normalization; those of \(dataset.name) are taken")
    }
    var built: ResolvedNetwork
    if let network {
      built = try importing.reading(
        NetworkRequest(name: network, width: width, depth: depth, resolution: resolution, divisor: divisor), general
      ).build(classes: dataset.classNames.count, inputChannels: dataset.channels, resolution: dataset.resolution)
    } else {
      guard let described = try file.network() else {
        throw UsageFailure("\(weights) does not say which network it belongs to; name it with --network")
      }
      built = try (resolution.map { described.at(resolution: $0) } ?? described).resolved()
    }
    if let widths { built = try built.with(widthsFile: widths) }
    let device = try compute.prepare(general)
    var recipe = Recipe()
    recipe.batchSize = batchSize
    // In terms of what this command has flags for.
    guard built.input.channels == dataset.channels else {
      throw UsageFailure(
        "\(built.name) takes images of \(built.input.channels) channels, and \(dataset.name) has \(dataset.channels)")
    }
    guard built.output.channels == dataset.classNames.count else {
      throw UsageFailure(
        "\(built.name) has \(built.output.channels) classes, and \(dataset.name) has \(dataset.classNames.count)")
    }
    let job = TrainingJob(
      network: built, dataset: dataset, recipe: recipe, device: device, loaderThreads: compute.loaderThreads)
    try job.validate(isTrained: false)
    let model = try Model(built, seed: 0, device: device)
    try model.load(file)
    let loader = try job.heldOutLoader()
    let started = Date()
    let evaluation = try model.evaluate(loader, precision: precision)
    guard evaluation.loss.isFinite else {
      throw FileFailure(
        .badData, path: weights,
        reason: try model.isFinite()
          ? "its network gives a loss of \(evaluation.loss) on these images"
          : "some of its weights are not numbers: the training that wrote them diverged")
    }
    let seconds = Date().timeIntervalSince(started)
    var skipped = SkippedImages()
    for warning in skipped.add(evaluation.skipped) { general.warn(warning) }
    if let summary = skipped.summary { general.warn(summary) }
    let cost = built.cost
    let result = TrainingResult(
      top1: evaluation.top1, top5: evaluation.top5, loss: evaluation.loss, images: evaluation.images, seconds: seconds,
      imagesPerSecond: Double(evaluation.images) / max(seconds, 1e-9), macs: cost.macs, parameters: cost.parameters,
      skippedImages: skipped.count > 0 ? skipped.count : nil)
    if json {
      try Output.json(result)
    } else {
      try Output.text(
        "top-1 \(Format.percent(result.top1)), top-5 \(Format.percent(result.top5)), loss \(Format.decimal(result.loss, 4)) "
          + "on \(result.images) images")
    }
  }
}
