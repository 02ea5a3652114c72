import Networks
import Support
import Testing
import Transfer

/// A budget is added by one file: this one. It counts the numbers that convolutions put out, the memory of a forward pass.
@Suite struct ToyBudgetTests {
  private let activations = CostModel(name: "activations", setting: "activations", unit: "activations") {
    network, index in
    let layer = network.layers[index]
    guard layer.layer.operation.definition.multiplyAccumulates != .none else { return [] }
    return [CostTerm(factor: layer.output.height * layer.output.width, output: index)]
  }

  @Test("It counts, is written, and is matched and transferred to", arguments: ["resnet20", "mobilenet_v2"])
  func budget(name: String) throws {
    let target = try NetworkZoo.resolved(named: name)
    #expect(activations.count(target) == target.cost.activations)
    let budget = try Budget(parsing: "0.5x", in: activations, of: target)
    #expect(budget.amount == target.cost.activations / 2 && budget.name == "activations-0.5x")
    let source = try Projection(width: 0.5).applied(to: target)
    let match = try Extrapolation.match(
      multipliers: [:], from: source, to: target, budget: budget)
    #expect(abs(match.relativeError) < 0.02, "\(match.relativeError)")
    #expect(match.count == match.resolved.cost.activations && match.model == activations)
    let failure = #expect(throws: UsageFailure.self) { try Budget(parsing: "much", in: activations, of: target) }
    #expect(failure?.message.contains("`activations` much") == true)
  }
}
