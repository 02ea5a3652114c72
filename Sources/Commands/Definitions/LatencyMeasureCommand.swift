import ArgumentParser

package struct LatencyMeasureCommand: EngineCommand {
  package init() {}

  package static let configuration = CommandConfiguration(
    commandName: "measure",
    abstract: "Measures every kind of layer of a network on this machine at a grid of widths.",
    discussion: """
      Example: width-transfer latency measure --network mobilenet_v2 --runtime onnxruntime --output mobilenet.latency.json

      run, search, compare and extrapolate then take --latency 5ms --latency-table mobilenet.latency.json. One image at a time, batch \
      normalizations folded. The table is corrected by a few whole networks at random widths and checked by others, and says how far off \
      it was. Let nothing else run meanwhile.
      """)

  /// What computes.
  package enum Runtime: String, ExpressibleByArgument, CaseIterable { case libtorch, onnxruntime }

  @OptionGroup package var network: NetworkOptions

  @Option(help: "What computes: LibTorch, or onnxruntime in a Python that has it.")
  package var runtime: Runtime = .libtorch

  @Option(help: "onnxruntime: the Python to use.")
  package var python: String = "python3"

  @Option(help: "libtorch: cpu, cuda, cuda:N or auto.")
  package var device: String = "cpu"

  @Option(
    parsing: .unconditional, help: "Threads inside one operation: as many as the network will have where it is used.")
  package var threads: Int = 1

  @Option(parsing: .unconditional, help: "Networks at random widths that the table is checked by.")
  package var checks: Int = 20

  @Option(parsing: .unconditional, help: "The seed of the random widths.")
  package var seed: Int = 0

  @Option(help: "The file to write.", completion: .file())
  package var output: String

  @Flag(help: "Replace the file if it exists.")
  package var overwrite = false

  @Flag(help: "Print the table as JSON on standard output, too.")
  package var json = false

  @OptionGroup package var general: GeneralOptions
}
