import Methods
import Networks
import Support
import Torch

/// The optimizer that a recipe asks for, over a model's parameters, with its state open for checkpoints.
public final class ParameterOptimizer {
  private enum Kind {
    case sgd(SGD)
    case adam(Adam)
  }

  private let kind: Kind
  private let parameters: [Parameter]

  /// Creates the optimizer; batch-norm parameters and biases have a weight decay of their own.
  ///
  /// - Parameter undecayed: Names of further parameters without weight decay.
  public init(_ parameters: [Parameter], recipe: Recipe, undecayed: Set<String> = []) throws {
    self.parameters = parameters
    let decays: [Double] = parameters.map { parameter in
      guard !undecayed.contains(parameter.name) else { return 0 }
      return parameter.role == .weight ? recipe.weightDecay : recipe.normWeightDecay
    }
    let tensors = parameters.map(\.tensor)
    switch recipe.optimizer {
    case .sgd:
      kind = .sgd(
        try SGD(tensors, weightDecays: decays, momentum: recipe.momentum, isNesterov: recipe.nesterov))
    case .adam: kind = .adam(try Adam(tensors, weightDecays: decays))
    case .adamw: kind = .adam(try Adam(tensors, weightDecays: decays, isDecoupled: true))
    }
  }

  /// Makes one step from the accumulated gradients.
  public func step(learningRate: Double, scaler: GradientScaler? = nil) throws {
    switch kind {
    case .sgd(let optimizer): try optimizer.step(learningRate: learningRate, scaler: scaler)
    case .adam(let optimizer): try optimizer.step(learningRate: learningRate, scaler: scaler)
    }
  }

  /// Everything that the next step depends on, by name.
  public var state: [(name: String, tensor: Tensor)] {
    func named(_ kind: String, _ tensors: [Tensor]) -> [(name: String, tensor: Tensor)] {
      zip(parameters, tensors).map { ("\(kind).\($0.name)", $1) }
    }
    switch kind {
    case .sgd(let optimizer): return named("momentum", optimizer.momenta)
    case .adam(let optimizer):
      return named("first_moment", optimizer.firstMoments) + named("second_moment", optimizer.secondMoments)
        + named("steps", optimizer.steps)
    }
  }

  /// What is kept of each weight, apart from counts of steps: the average gradient, which says nothing of a weight that is new, and the
  /// average square of gradients, which is that of the channel it comes from.
  public var moments: [OptimizerMoment] {
    func named(_ tensors: [Tensor]) -> [String: Tensor] {
      Dictionary(zip(parameters.map(\.name), tensors)) { first, _ in first }
    }
    switch kind {
    case .sgd(let optimizer): return [OptimizerMoment(startsAtZero: true, named(optimizer.momenta))]
    case .adam(let optimizer):
      return [
        OptimizerMoment(startsAtZero: true, named(optimizer.firstMoments)),
        OptimizerMoment(startsAtZero: false, named(optimizer.secondMoments)),
      ]
    }
  }

  /// Takes over ``moments`` of these parameters, and how many steps they come from.
  public func restore(_ moments: [OptimizerMoment], steps: [Tensor] = []) throws {
    try withoutGradients {
      for (own, given) in zip(self.moments, moments) {
        for (name, tensor) in own.tensors {
          guard let source = given.tensors[name] else { throw UsageFailure("no optimizer state of \(name) is given") }
          try tensor.copy(from: source.to(tensor.scalarType).to(tensor.device))
        }
      }
      if case .adam(let optimizer) = kind {
        for (own, given) in zip(optimizer.steps, steps) { try own.copy(from: given) }
      }
    }
  }

  /// The steps that each parameter has made, where the optimizer counts them.
  public var steps: [Tensor] { if case .adam(let optimizer) = kind { optimizer.steps } else { [] } }
}
