import ArgumentParser
import Datasets
import Foundation
import Reporting
import Runs
import Support
import Torch
import Training

/// Which data.
struct DataOptions: ParsableArguments {
  @Option(help: "A folder (class folders, CIFAR binary, IDX) or a known name: fashion-mnist, mnist, cifar10, cifar100.")
  var dataset: String

  @Option(help: "Use this part of the training data only, for example 10%.")
  var subset: String?

  func open() throws -> Dataset { try Dataset.open(dataset) }

  /// The part of the training data, 0 to 1.
  var fraction: Double {
    get throws { try subset.map { try Fraction.parse($0, flag: "--subset") } ?? 1 }
  }
}

/// Reads `20%` and `0.2`.
enum Fraction {
  static func parse(_ text: String, flag: String) throws -> Double {
    let number = text.hasSuffix("%") ? Double(text.dropLast()).map { $0 / 100 } : Double(text)
    guard let number, number > 0, number <= 1 else {
      throw UsageFailure("\(flag) \(text): expected a part such as 20% or 0.2, above 0 and at most all")
    }
    return number
  }
}

/// Where and how to compute.
struct ComputeOptions: ParsableArguments {
  @Option(help: "cpu, cuda, cuda:N or auto.")
  var device: String = "cpu"

  @Option(help: "Threads inside one operation (default: all cores).")
  var threads: Int?

  @Option(help: "Threads that prepare images.")
  var loaderThreads: Int = 1

  @Option(help: "The seed of everything random.")
  var seed: Int = 0

  /// The device, after the threads have been set.
  func prepare() throws -> Device {
    if let threads {
      guard threads >= 1 else { throw UsageFailure("--threads \(threads): it must be at least 1") }
      try Torch.setThreads(threads)
    }
    guard loaderThreads >= 1 else { throw UsageFailure("--loader-threads \(loaderThreads): it must be at least 1") }
    try Torch.setFlushDenormal(true)
    let device = try Device.named(device)
    if device.kind == .cuda { try Torch.setDeterministic(true) }
    return device
  }
}

/// What is shown and kept.
struct OutputOptions: ParsableArguments {
  @Option(help: "The run folder. Given again, the run goes on where it was.")
  var output: String

  @Flag(help: "Remove what the run folder holds and start anew.")
  var overwrite = false

  @Flag(help: "Print the result, and nothing else, as JSON on standard output.")
  var json = false

  @Flag(help: "Show warnings only.")
  var quiet = false

  @Option(help: ArgumentHelp("Save a checkpoint every N steps instead of every minute.", visibility: .hidden))
  var checkpointSteps: Int?

  var policy: CheckpointPolicy { CheckpointPolicy(steps: checkpointSteps) }

  /// The run folder, made ready: `--overwrite` empties it, and `run.yaml` says what was asked.
  func prepare(_ configuration: [String: String]) throws -> RunFolder {
    let folder = RunFolder(path: output)
    if overwrite { try RunFolder.clear(folder) }
    try AtomicFile.createFolder(folder.path)
    try YAMLFile.write(configuration, to: folder.configuration)
    return folder
  }

  /// Readers of a run's events: the progress bar and TensorBoard.
  func sinks(_ label: String, in folder: RunFolder) throws -> [any EventSink] {
    try AtomicFile.createFolder(folder.path)
    return [ProgressReporter(label: label, isQuiet: quiet), TensorBoardWriter(folder: folder)]
  }
}

extension RunFolder {
  /// Removes a run folder's own files; refuses a folder that is not one.
  static func clear(_ folder: RunFolder) throws {
    let manager = FileManager.default
    guard manager.fileExists(atPath: folder.path) else { return }
    let names = (try? manager.contentsOfDirectory(atPath: folder.path)) ?? []
    guard names.isEmpty || manager.fileExists(atPath: folder.configuration) else {
      throw UsageFailure(
        "--overwrite \(folder.path): it holds no run.yaml, so it is not a run folder, and nothing is removed")
    }
    for name in names {
      do {
        try manager.removeItem(atPath: folder.file(name))
      } catch {
        throw FileFailure(.cannotCreate, path: folder.file(name), reason: "cannot be removed")
      }
    }
  }
}

/// Prints a result: JSON for programs, a few lines for people.
enum Output {
  static func print(_ value: some Encodable) throws {
    var data = try JSONFile.encoder().encode(value)
    data.append(0x0A)
    try FileHandle.standardOutput.write(contentsOf: data)
  }
}
