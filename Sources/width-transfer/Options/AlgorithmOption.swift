import ArgumentParser
import WidthSearch

/// The search method of a command that uses one.
struct AlgorithmOption: ParsableArguments {
  @Option(help: "The search method, or a control: \(WidthOptimizers.names.joined(separator: ", ")).")
  var algorithm: String = "dmcp"

  func optimizer(_ transfer: TransferOptions) throws -> any WidthOptimizer {
    try transfer.optimizers([algorithm])[0]
  }
}
