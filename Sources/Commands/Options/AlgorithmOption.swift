import ArgumentParser
import Methods

/// The search method of a command that uses one.
package struct AlgorithmOption: ParsableArguments {
  package init() {}

  @Option(
    help: "The search method, or a control: \(WidthOptimizers.names.joined(separator: ", ")).",
    completion: .list(WidthOptimizers.names))
  package var algorithm: String = "dmcp"

  package func optimizer(_ transfer: TransferOptions) throws -> any WidthOptimizer {
    try transfer.optimizers([algorithm])[0]
  }
}
