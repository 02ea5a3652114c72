import ArgumentParser
import Foundation
import ImageFiles
import Support

extension BadImagePolicy: ExpressibleByArgument {}

/// How data is read.
package struct ReadingFlags: ParsableArguments {
  package init() {}

  @Option(help: "What an image that cannot be read means: fail ends the work, skip leaves it out and counts it.")
  package var onBadImage: BadImagePolicy = .fail

  @Flag(
    help: "Take a held-out split that lacks classes of training: accuracy is then that of the images that are there.")
  package var allowMissingClasses = false

  @Option(
    parsing: .unconditional,
    help: "Refuse images that declare more pixels (default: \(ImageLimits().pixels)).")
  package var maxImagePixels: Int?

  @Option(
    parsing: .unconditional,
    help: "Refuse compressed archives that expand to more than so many times their size (default: 20).")
  package var maxArchiveExpansion: Double?

  /// The options of the data set's reader.
  package var options: ReadingOptions {
    get throws {
      try require(maxImagePixels, "--max-image-pixels", in: 1...1 << 40)
      if let maxArchiveExpansion, !(maxArchiveExpansion >= 1 && maxArchiveExpansion.isFinite) {
        throw UsageFailure("--max-archive-expansion \(maxArchiveExpansion): it must be a number from 1 on")
      }
      var options = ReadingOptions(
        onBadImage: onBadImage, allowsMissingClasses: allowMissingClasses, cache: Self.cache)
      if let maxImagePixels { options.images.pixels = maxImagePixels }
      if let maxArchiveExpansion { options.archives.expansion = maxArchiveExpansion }
      return options
    }
  }

  /// For run.yaml; limits decide only what is refused, but a run that went on without them would stop.
  package var resolved: [String: String?] {
    [
      "on-bad-image": onBadImage == .fail ? nil : onBadImage.rawValue,
      "allow-missing-classes": allowMissingClasses ? "true" : nil,
      "max-image-pixels": maxImagePixels.map { "\($0)" },
      "max-archive-expansion": maxArchiveExpansion.map { "\($0)" },
    ]
  }

  /// Where listings of large folders are kept, as the XDG base directory specification has it.
  private static var cache: String? {
    let environment = ProcessInfo.processInfo.environment
    if let folder = environment["XDG_CACHE_HOME"], folder.hasPrefix("/") { return folder + "/width-transfer" }
    return environment["HOME"].map { $0 + "/.cache/width-transfer" }
  }
}
