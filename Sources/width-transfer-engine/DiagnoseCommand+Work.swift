import Commands
import Diagnosis
import Interchange
import Networks
import Records
import Support
import Training

extension DiagnoseCommand: EngineWork {
  package func perform() throws {
    guard !weights.isEmpty, var built = try network.build() else {
      try run()
      return
    }
    // How many classes there are changes no group: the weights tell, so that nobody has to.
    let checkpoints = try CheckpointSeries(weights)
    if network.classes == nil, let first = checkpoints.files.first {
      built = try built.takingClasses(from: WeightsFile(path: first.path))
    }
    if let widths { built = try built.with(widthsFile: widths) }
    let samples = try WeightNormReader(built).samples(of: checkpoints, network: built) { _ in
      try Interruption.check()
    }
    let series = NormSeries(samples)
    try finish(
      DiagnosisSummary(
        built, [(.init(path: weights.joined(separator: " "), epochs: series.epochs), series)], mode: mode))
  }
}
