import ArgumentParser
import Diagnosis
import Foundation
import Networks
import Records
import Support
import Transfer

package struct StreamlineCommand: ParsableCommand {
  package init() {}

  package static let configuration = CommandConfiguration(
    commandName: "streamline",
    abstract:
      "Widens layers that are too narrow and narrows those that are wide enough, at the network's own MACs. Instant.",
    discussion: """
      Example: width-transfer streamline runs/vgg16 --output widths.json
      Example: width-transfer streamline --network vgg16_cifar --classes 10 --ds 1-7 --is 8-13 --output widths.json

      The rule is reconstructed: Chen, Bu, Yan 2024 give its aim, about 60 % of the parameters at equal FLOPs. `train --widths` \
      trains the network at the new widths.
      """)

  @Argument(help: "Folders of trainings with --track weight-norms, or a diagnosis.json.", completion: .directory)
  package var folders: [String] = []

  @OptionGroup package var network: ScalableNetworkOptions

  @Option(
    help: "Layers that are too narrow, by number or name: 1-7, layer1.0.conv1. Instead of a diagnosis, or over it.")
  package var ds: [String] = []

  @Option(name: .customLong("is"), help: "Layers that are wide enough, likewise.")
  package var wide: [String] = []

  @Option(help: "The parameters that are left: relative to the network (default: 0.6x) or an amount (2M).")
  package var parameters: String?

  @Option(
    help: "What the widths are chosen for: parameters (fewer at equal MACs) or macs (fewest at equal parameters).")
  package var aim: StreamliningSettings.Aim = .parameters

  @Flag(help: "Move a layer further the clearer its pattern is.")
  package var strength = false

  @Flag(help: "Take layers whose variance only fell for too narrow.")
  package var decayIsNarrow = false

  @Option(help: "A network to compare with instead: uniform, random or inverse.")
  package var control: StreamliningControl?

  @Option(parsing: .unconditional, help: "The seed of the random control.")
  package var seed: Int = 0

  @Option(help: "Where to write the widths (default: standard output).", completion: .file())
  package var output: String?

  @Flag(help: "Replace the file that is there.")
  package var overwrite = false

  @Flag(help: "Print JSON on standard output.")
  package var json = false

  @OptionGroup package var general: GeneralOptions

  package func validate() throws {
    if folders.isEmpty, ds.isEmpty, wide.isEmpty {
      throw ValidationError("Name a run folder or a diagnosis, or layers with --ds and --is")
    }
    if folders.isEmpty, network.network == nil { throw ValidationError("--ds and --is need --network, or a run") }
    if aim == .macs, parameters != nil {
      throw ValidationError("--aim macs leaves the parameters as they are; leave --parameters out")
    }
    if strength, folders.isEmpty {
      throw ValidationError("--strength goes by how clear a diagnosis is; layers of --ds and --is are all alike")
    }
    if !folders.isEmpty, network.network != nil {
      throw ValidationError("A run names its own network; leave --network out")
    }
  }

  package func run() throws {
    if let output { try ResultFile.require(output, overwrite: overwrite) }
    let diagnosis = folders.isEmpty ? nil : try self.diagnosis()
    let base: ResolvedNetwork
    if let built = try network.build() {
      base = built
    } else if let diagnosis {
      base = try diagnosis.network.resolved()
    } else {
      return
    }
    var patterns = try diagnosis?.patterns() ?? [:]
    let given = try LayerSelection.patterns(narrow: ds, wide: wide, of: base)
    for id in given.groups { patterns[id] = given[id] }
    var settings = StreamliningSettings()
    settings.aim = aim
    settings.followsStrength = strength
    settings.decayIsNarrow = decayIsNarrow
    settings.divisor = network.divisor
    settings.leastWidth = network.divisor
    settings.parameterPart =
      Double(try Budget(parsing: parameters ?? "0.6x", in: .parameters, of: base).amount) / Double(base.cost.parameters)
    if let unfinished = diagnosis?.unfinished { general.warn("trainings \(unfinished)") }
    let found = try StreamlinedWidths(
      of: base, patterns: patterns, diagnosis: diagnosis, settings: settings, control: control, seed: seed)
    if let remark = found.remark(settings) { general.warn(remark) }
    if control == .random, let outcome = found.outcome,
      outcome.widths == (try plain(base, patterns, diagnosis, settings))
    {
      general.warn(
        "the random control is the streamlined network itself: give another --seed; layers of one pattern alone have no other"
      )
    }
    let file = found.file
    if let output { try file.write(to: output) }
    if json || output == nil {
      try Output.json(file)
    } else {
      try Output.text("\(file.costText(of: base)); widths in \(output ?? "")")
    }
  }

  private func plain(
    _ base: ResolvedNetwork, _ patterns: PerGroup<WidthPattern>, _ diagnosis: DiagnosisSummary?,
    _ settings: StreamliningSettings
  ) throws -> Widths? {
    try StreamlinedWidths(of: base, patterns: patterns, diagnosis: diagnosis, settings: settings).outcome?.widths
  }

  private func diagnosis() throws -> DiagnosisSummary {
    if folders.count == 1, !RunFolder(path: folders[0]).weightNorms.exists {
      let inside = RunFolder(path: folders[0]).diagnosis
      if folders[0].hasSuffix(".json") { return try DiagnosisSummary(path: folders[0]) }
      if FileManager.default.fileExists(atPath: inside) { return try DiagnosisSummary(path: inside) }
    }
    return DiagnosisSummary(try TrackedTraining.ofOneNetwork(in: folders.map { RunFolder(path: $0) }))
  }
}

extension StreamliningSettings.Aim: ExpressibleByArgument {}
extension StreamliningControl: ExpressibleByArgument {}

extension WidthsFile {
  fileprivate func costText(of base: ResolvedNetwork) -> String {
    func part(_ own: Int?, _ whole: Int) -> String { Format.percent(100 * Double(own ?? 0) / Double(max(whole, 1)), 1) }
    return
      "\(Format.amount(macs ?? 0)) MACs (\(part(macs, base.cost.macs)) of the network's), \(Format.amount(parameters ?? 0)) "
      + "parameters (\(part(parameters, base.cost.parameters)))"
  }
}
