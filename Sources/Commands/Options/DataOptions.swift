import ArgumentParser
import ImageFiles
import Support

/// Which data.
package struct DataOptions: ParsableArguments {
  package init() {}

  package static let help: ArgumentHelp =
    ArgumentHelp(
      "A folder (class folders, CIFAR binary, IDX, tar shards), a tar archive, a packed file, or a known name: "
        + "\(Dataset.knownNames.joined(separator: ", ")).")

  @Option(help: DataOptions.help, completion: .file())
  package var dataset: String

  @Option(help: "Use this part of the training data only, for example 10%.")
  package var subset: String?

  @OptionGroup package var reading: ReadingFlags

  package func open(_ general: GeneralOptions) throws -> Dataset { try Self.open(dataset, reading, general) }

  /// Opens a data set and, with `-v`, tells what it was taken for.
  ///
  /// - Parameter tellsRemarks: Whether what was left out is told here; else the caller does.
  package static func open(
    _ name: String, _ reading: ReadingFlags, _ general: GeneralOptions, tellsRemarks: Bool = true
  ) throws -> Dataset {
    let dataset = try Dataset.open(name, options: reading.options)
    general.debug(
      "data set \(dataset.name): \(dataset.format), \(dataset.training.count) training and \(dataset.heldOut.count) "
        + "held-out images of \(dataset.channels) channel(s) at \(dataset.resolution) px, "
        + "\(dataset.classNames.count) classes")
    for remark in dataset.remarks where tellsRemarks { general.note("data set \(dataset.name): \(remark)") }
    return dataset
  }

  /// The part of the training data, 0 to 1.
  package var fraction: Double {
    get throws {
      guard let subset else { return 1 }
      guard let fraction = Fraction.parse(subset) else {
        throw UsageFailure("--subset \(subset): expected a part such as 20% or 0.2, above 0 and at most all")
      }
      return fraction
    }
  }
}
