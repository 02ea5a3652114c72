import ArgumentParser
import Foundation
import ImageFiles
import Reporting

extension PackedEncoding: ExpressibleByArgument {}

package struct DataPackCommand: EngineCommand {
  package init() {}

  package static let configuration = CommandConfiguration(
    commandName: "pack",
    abstract: "Writes a data set as one file: fast to open, and checked by checksums.",
    discussion: """
      Example: width-transfer data pack photos/ --output photos.wtpack --max-side 512

      --dataset photos.wtpack then names it anywhere. Without --max-side and with --encoding source, training on it gives the \
      same weights as on what it was packed from.
      """)

  @Argument(help: DataOptions.help, completion: .file())
  package var dataset: String

  @Option(help: "The file to write.", completion: .file())
  package var output: String

  @Option(parsing: .unconditional, help: "Shrink images whose longer side has more pixels.")
  package var maxSide: Int?

  @Option(
    help:
      "source keeps JPEG and PNG files as they are, jpeg encodes everything, raw decodes everything: more bytes, no decoding."
  )
  package var encoding: PackedEncoding = .source

  @Option(parsing: .unconditional, help: "Quality of images that are encoded as JPEG, 1 to 100.")
  package var quality: Int = 90

  @Option(parsing: .unconditional, help: "Threads that decode (default: all cores).")
  package var threads: Int?

  @Flag(help: "Replace the file if it exists.")
  package var overwrite = false

  @Flag(help: "Print JSON on standard output.")
  package var json = false

  @OptionGroup package var reading: ReadingFlags
  @OptionGroup package var general: GeneralOptions
}
