import Networks
import Support
import Torch

/// Activations of one network that others, which differ from it in the width of one group, can start from.
///
/// A change of one group leaves every layer as it was that neither holds nor reads the group's channels, nor comes after
/// one that does. These activations are the same to the bit when normalization takes its statistics from the same batch,
/// so they are computed once and used by all that share them.
public struct SharedActivations {
  let images: Tensor
  let values: [Tensor?]
  let logits: Tensor
}

/// Which part of a network a change of one width group reaches.
public struct AffectedLayers: Sendable, Hashable {
  /// Whether each layer is reached, in network order.
  public let flags: [Bool]
  /// Whether each slot of a plan has another value then.
  let slots: [Bool]
  /// The slots that stay as they are and are read by steps that do not.
  let frontier: [Int]

  /// Finds the layers of `plan` that the width of a group reaches.
  public init(of group: WidthGroup.ID, in plan: ExecutionPlan) {
    let layers = plan.resolved.layers
    var flags = [Bool](repeating: false, count: layers.count)
    for (index, layer) in layers.enumerated() {
      let holds = layer.outputSegments.contains { $0.group == group }
      let reads = plan.resolved.inputSegments(of: index).contains { $0.contains { $0.group == group } }
      flags[index] = holds || reads || layer.inputIndices.contains { $0 >= 0 && flags[$0] }
      // Channels that are derived from the group's count as its own.
      if case .produces(_, let rule?) = layer.layer.operation.definition.channels,
        plan.resolved[rule.source]?.outputSegments.contains(where: { $0.group == group }) ?? false
      {
        flags[index] = true
      }
    }
    self.flags = flags
    var slots = [Bool](repeating: false, count: plan.slotCount)
    for step in plan.steps { slots[step.result] = flags[step.layers].contains(true) }
    var frontier: Set<Int> = []
    for step in plan.steps where slots[step.result] { frontier.formUnion(step.inputs.filter { $0 >= 0 && !slots[$0] }) }
    self.slots = slots
    self.frontier = frontier.sorted()
  }

  /// Multiply-accumulates of the reached layers for one image.
  public func macs(in plan: ExecutionPlan) -> Int {
    zip(plan.resolved.layers, flags).reduce(0) { sum, entry in entry.1 ? sum + entry.0.cost.macs : sum }
  }
}

extension Model {
  /// Computes logits and keeps what networks that differ in one of some groups start from.
  ///
  /// - Parameters:
  ///   - affected: For each group that may differ, the layers that it reaches.
  ///   - options: As for ``forward(_:as:_:)``; normalization must not move running statistics.
  public func sharedForward(
    _ images: Tensor, as plan: ExecutionPlan, for affected: [AffectedLayers], _ options: ForwardOptions
  ) throws -> (logits: Tensor, shared: SharedActivations) {
    var kept = [Bool](repeating: false, count: plan.slotCount)
    for slot in affected.flatMap(\.frontier) { kept[slot] = true }
    var values = [Tensor?](repeating: nil, count: plan.slotCount)
    let logits = try run(plan, on: images, &values, kept: kept, options)
    // The last value has no reader that would release it.
    for slot in values.indices where !kept[slot] { values[slot] = nil }
    return (logits, SharedActivations(images: images, values: values, logits: logits))
  }

  /// Computes logits of a network that differs from the one of `shared` in one group, from where it differs.
  public func forward(
    from shared: SharedActivations, as plan: ExecutionPlan, affected: AffectedLayers, _ options: ForwardOptions
  ) throws -> Tensor {
    // A group that nothing but a dead end reads changes no logit.
    guard affected.flags.last ?? false else { return shared.logits }
    var values = shared.values
    return try run(plan, on: shared.images, &values, computed: affected.slots, options)
  }

  /// The result of one layer, for looking into a network.
  ///
  /// - Throws: `UsageFailure` when there is no layer of that name, or its result is never laid down.
  public func output(
    of layer: String, _ images: Tensor, as plan: ExecutionPlan? = nil, options: ForwardOptions = .init(.batch)
  ) throws -> Tensor {
    let plan = plan ?? self.plan
    guard let index = plan.resolved.index(of: layer) else {
      throw UsageFailure("\(network.name) has no layer called \(layer)")
    }
    guard let slot = plan.slot(of: index) else {
      throw UsageFailure("\(network.name) computes \(layer) together with the layer behind it")
    }
    var values = [Tensor?](repeating: nil, count: plan.slotCount)
    let kept = values.indices.map { $0 == slot }
    let logits = try run(plan, on: images, &values, kept: kept, options)
    return values[slot] ?? logits
  }
}
