import ArgumentParser
import Commands
import Foundation
import ImageFiles
import Loading
import Support
import Torch

/// The Swift side of `scripts/bench images`: times decoding, cutting out, resizing and normalizing.
struct BenchmarkImagesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark-images", abstract: "Times the making of training batches, without a network.",
    discussion: "Example: width-transfer benchmark-images --dataset photos/ --resolution 224 --threads 2",
    shouldDisplay: false)

  @OptionGroup var data: DataOptions

  @Option var resolution: Int = 224
  @Option var batchSize: Int = 64
  @Option var threads: Int = 1
  @Option var epochs: Int = 1
  @Flag var json = false
  @OptionGroup var general: GeneralOptions

  struct Timing: Encodable {
    var images: Int
    var seconds: Double
    var imagesPerSecond: Double
    var format: String
  }

  func run() throws {
    try Torch.setThreads(1)
    Torch.keepFreedMemory()
    let dataset = try data.open(general)
    let loader = try BatchLoader(
      source: dataset.training, batchSize: batchSize, resolution: resolution, normalization: dataset.normalization,
      augmentation: .randomResizedCrop(minimumScale: 0.08, flip: true), shuffles: true, dropsLast: true,
      onBadImage: dataset.onBadImage, threads: threads)
    // The first epoch reads files into the page cache.
    var images = 0
    var started = Date()
    for epoch in 0...epochs {
      if epoch == 1 { (images, started) = (0, Date()) }
      let stream = loader.epoch(epoch)
      while let batch = try stream.next() { images += batch.count }
    }
    let seconds = Date().timeIntervalSince(started)
    let timing = Timing(
      images: images, seconds: seconds, imagesPerSecond: Double(images) / seconds, format: dataset.format)
    if json {
      try Output.json(timing)
    } else {
      try Output.text("\(Format.decimal(timing.imagesPerSecond, 1)) images/s (\(timing.format))")
    }
  }
}
