import Diagnosis
import Foundation
import Support

extension WeightNormFolder {
  /// The name of the file of ``gradientCosines()``.
  static let gradientsName = "gradient-cosines.json"

  private var gradients: String { (path as NSString).appendingPathComponent(Self.gradientsName) }

  /// Reads how alike the channels' gradients were, a record an epoch that was looked at.
  ///
  /// - Throws: `FileFailure` when there are none.
  public func gradientCosines() throws -> [GradientCosines] {
    try JSONFile.read(
      [GradientCosines].self, path: gradients, expecting: "`train --track gradient-cosines` writes it")
  }

  /// Writes the records, all of them.
  ///
  /// - Throws: `FileFailure` of kind `io` when they cannot be written.
  public func write(_ cosines: [GradientCosines]) throws {
    try AtomicFile.createFolder(path)
    try JSONFile.write(cosines, to: gradients)
  }
}
