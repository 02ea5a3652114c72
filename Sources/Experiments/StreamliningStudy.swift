import Diagnosis
import Foundation
import Methods
import Networks
import Records
import Support
import Training
import Transfer
import WidthSearch

/// Whether a network does better with the widths that its diagnosis asks for: tables 3 and 4 of Chen, Bu and Yan (2024).
///
/// The network is trained with its weight norms followed and diagnosed; then the original, the streamlined and the control networks are
/// trained alike, from paired seeds. Trainings that are wanted for both are done once.
public struct StreamliningStudy {
  /// The network, and how it and the others are trained to be compared.
  public var subject: Subject
  /// How the network is trained to be diagnosed.
  public var diagnosisRecipe: Recipe
  /// The seeds of the trainings that are diagnosed.
  public var diagnosisSeeds: [Int]
  /// The seeds of the comparison.
  public var seeds: [Int]
  /// How widths follow from the diagnosis.
  public var settings: StreamliningSettings
  /// What the streamlined network is compared with beside the original.
  public var controls: [StreamliningControl]

  /// Describes a study.
  ///
  /// - Parameter subject: Weight norms are followed in all its trainings.
  public init(
    subject: Subject, diagnosisRecipe: Recipe, diagnosisSeeds: [Int], seeds: [Int],
    settings: StreamliningSettings = StreamliningSettings(),
    controls: [StreamliningControl] = StreamliningControl.allCases
  ) {
    self.subject = subject
    self.subject.tracks.insert(.weightNorms)
    self.diagnosisRecipe = diagnosisRecipe
    self.diagnosisSeeds = diagnosisSeeds
    self.seeds = seeds
    self.settings = settings
    self.controls = controls
  }

  /// What came of it.
  public struct Outcome {
    /// What the network's training says of its layers.
    public var diagnosis: DiagnosisSummary
    /// The widths that were compared with the original's, by the name of the arm.
    public var widths: [(name: String, found: StreamlinedWidths)]
    /// The trainings; the original is the arm `uniform`.
    public var comparison: ComparisonSummary
    /// What the streamlined network's own trainings say of its layers.
    public var streamlinedDiagnosis: DiagnosisSummary
  }

  /// The name of the arm of the streamlined network.
  public static let streamlined = "streamlined"

  /// Trains, diagnoses, streamlines and compares; writes `diagnosis.json`, the widths and `comparison.json`.
  ///
  /// - Parameter remark: Told what people should know before it is over.
  /// - Throws: `UsageFailure` before anything is trained when the parts do not fit, or when the diagnosis leaves nothing to change;
  ///   `Interrupted` when it is stopped.
  public func run(
    in folder: RunFolder, _ surroundings: JobSurroundings = .init(), remark: (String) throws -> Void = { _ in }
  ) throws -> Outcome {
    var diagnosed = subject
    diagnosed.recipe = diagnosisRecipe
    let uniform = ComparePlan.Method(optimizer: UniformWidths(), searchRecipe: subject.recipe)
    let budget = try Budget(parsing: "1x", in: .macs, of: subject.target)
    var plan = ComparePlan(subject: subject, methods: [uniform], projections: [], budget: budget, seeds: seeds)
    try plan.validate()
    let store = try JobStore(folder, plan: .compare, surroundings: surroundings)
    let followed = try diagnosisSeeds.map { seed in
      let done = try store.perform(
        diagnosed.training(of: subject.target, seed: seed), in: "diagnosed/seed-\(seed)",
        label: "original, seed \(seed)")
      return try TrackedTraining(store.folder(done.folder))
    }
    let diagnosis = DiagnosisSummary(followed)
    try JSONFile.write(diagnosis, to: folder.diagnosis)
    let widths = try widths(diagnosis)
    for (name, found) in widths {
      try found.file.write(to: folder.file("\(name).json"))
      if let text = found.remark(settings) { try remark("\(name): \(text)") }
    }
    for control in controls where control != .uniform && !widths.contains(where: { $0.name == control.rawValue }) {
      try remark("\(control.rawValue): with this diagnosis it is a network that is there already, and left out")
    }
    plan.given = try widths.map { .init(name: $0, widths: try subject.target.with($1.file.widths).widths) }
    let comparison = try plan.run(in: folder, surroundings)
    if let failed = comparison.failed { throw FailedParts(failed) }
    let arm = comparison.arms.first { $0.algorithm == Self.streamlined }
    let own = try arm?.members.compactMap { try folder.part($0.folder).map(TrackedTraining.init) } ?? []
    return Outcome(
      diagnosis: diagnosis, widths: widths, comparison: comparison, streamlinedDiagnosis: DiagnosisSummary(own))
  }

  private func widths(_ diagnosis: DiagnosisSummary) throws -> [(name: String, found: StreamlinedWidths)] {
    let patterns = try diagnosis.patterns()
    func found(_ control: StreamliningControl?) throws -> StreamlinedWidths {
      try StreamlinedWidths(
        of: subject.target, patterns: patterns, diagnosis: diagnosis, settings: settings, control: control)
    }
    let own = try found(nil)
    guard own.file.widths != subject.target.widths else {
      throw UsageFailure(
        "\(subject.target.name): the diagnosis leaves nothing to change (\(diagnosis.headline)); train longer, or another width"
      )
    }
    // The original is the arm `uniform`, so that the network of fewer parameters has another name.
    let part = Int((100 * (own.outcome?.parameters ?? settings.parameterPart)).rounded())
    // Layers of one pattern alone can be drawn in one way only, and turned around they may change nothing.
    let others = try controls.map { ($0 == .uniform ? "uniform-\(part)" : $0.rawValue, try found($0)) }
      .filter { ![own.file.widths, subject.target.widths].contains($0.1.file.widths) }
    return [(Self.streamlined, own)] + others
  }
}
