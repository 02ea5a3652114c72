import Networks
import Support

/// Convolutions whose filters are standardized: a batch normalization, in training mode, of the weights.
extension ONNXTranslation {
  /// Whether a node computes with weights alone: what comes before such a normalization, and behind it.
  func isOnWeights(_ node: PBNodeProto) throws -> Bool {
    func isWeight(_ place: Int) throws -> Bool {
      switch try value(node, place) {
      case .statistic, .standardized, .scaled: true
      case .constant(let tensor): tensor.origin != nil && tensor.dimensions.count >= 3
      default: false
      }
    }
    switch node.opType {
    case "BatchNormalization", "ReduceMean": return try isWeight(0)
    case "Reshape":
      switch try value(node, 0) {
      case .scaled, .standardized: return true
      default: return false
      }
    case "Mul", "Sub":
      guard node.input.count == 2 else { return false }
      return try (0...1).contains { place in
        switch try value(node, place) {
        case .statistic: true
        case .constant(let tensor):
          // A learnt factor for each filter; nothing but filters has these dimensions.
          try node.opType == "Mul" && tensor.dimensions.count == 4 && tensor.dimensions.dropFirst() == [1, 1, 1]
            && scalar(node, 1 - place) != nil
        default: false
        }
      }
    default: return false
    }
  }

  mutating func computeWeights(_ node: PBNodeProto) throws {
    switch node.opType {
    case "BatchNormalization": try standardize(node)
    case "Reshape":
      guard case .standardized(var found) = try value(node, 0) else { return try alias(node) }
      guard let sizes = try sizes(node, 1) else { throw refusal(node, "what it makes of weights is not known") }
      found.weight = found.weight.arranged(
        try whole(sizes, of: found.weight, node, copies: integer(node, "allowzero") ?? 0 == 0))
      set(node, .standardized(found))
    case "Mul":
      for (place, rest) in [(0, 1), (1, 0)] {
        if case .constant(let tensor) = try value(node, place), tensor.dimensions.count == 4,
          tensor.dimensions.dropFirst() == [1, 1, 1], let factor = try scalar(node, rest)
        {
          return set(node, .scaled(tensor, factor))
        }
      }
      set(node, .statistic)
    default: set(node, .statistic)
    }
  }

  private mutating func standardize(_ node: PBNodeProto) throws {
    // In training mode, or by the mean and the variance of the weights, as the newer exporter writes it.
    var isOwn = integer(node, "training_mode") ?? 0 == 1
    if node.input.count == 5, case .statistic = try value(node, 3), case .statistic = try value(node, 4) {
      isOwn = true
    }
    guard case .constant(let weight) = try value(node, 0), weight.dimensions.count == 3, weight.dimensions[0] == 1,
      isOwn, node.input.count >= 3
    else { throw refusal(node, "it normalizes numbers of the file in a way that is not read") }
    let filters = weight.dimensions[1]
    let epsilon = number(node, "epsilon") ?? 1e-5
    guard epsilon > 0, epsilon < 1 else { throw refusal(node, "its epsilon is \(epsilon)") }
    guard case .constant(let shift) = try value(node, 2),
      shift.fill == 0 || shift.floats?.allSatisfy({ $0 == 0 }) ?? true
    else { throw refusal(node, "it adds to the weights that it standardizes") }
    var found = ONNXValue.StandardizedWeight(weight: weight, epsilon: Self.meant(epsilon))
    switch try value(node, 1) {
    case .scaled(let gain, let factor): (found.gain, found.factor) = (gain, factor)
    case .constant(let gain):
      guard gain.dimensions.reduce(1, *) == filters else {
        throw refusal(node, "its factors are not one for each filter")
      }
      let first = gain.fill ?? gain.floats?.first
      if let first, gain.fill != nil || gain.floats?.allSatisfy({ $0 == first }) ?? false,
        gain.origin.map({
          $0.name.contains("/") || $0.name.contains("::")
        }) ?? true
      {
        // The same for all, and made by an exporter: no learnt factors.
        found.factor = first == 1 ? nil : first
      } else {
        found.gain = gain
      }
    default: throw refusal(node, "its factors are computed")
    }
    set(node, .standardized(found))
  }

  /// A convolution that reads such weights.
  mutating func standardizedConvolution(
    _ convolution: Convolution, _ found: ONNXValue.StandardizedWeight, _ source: String, _ node: PBNodeProto,
    name: String
  ) throws -> String {
    let numbers = found.weight.dimensions.dropFirst().reduce(1, *)
    // One number times the filters is a share of the root of their size, so that narrower filters have the same strength.
    let gamma = found.factor.map { ($0 * Double(numbers).squareRoot() * 1e6).rounded() / 1e6 }
    let values = found.gain?.floats ?? found.gain?.fill.map { [$0] }
    let mean = values.map { $0.reduce(0, +) / Double(max(1, $0.count)) }
    // With the factor beside them, learnt factors begin at 1; those that an exporter multiplied begin where theirs are.
    let initial = found.gain == nil ? nil : found.factor != nil ? 1 : mean ?? 1 / Double(numbers).squareRoot()
    let made = try emit(
      .other(
        StandardizedConvolution(convolution, epsilon: found.epsilon, gamma: gamma, initialGain: initial)),
      [source], path: name)
    if let gain = found.gain { keep(gain, as: "\(made).gain") }
    return made
  }
}
