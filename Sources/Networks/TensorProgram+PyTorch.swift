extension TensorProgram {
  /// Its steps as statements of Python, the last of which sets a variable.
  ///
  /// - Parameters:
  ///   - variable: The variable for the result.
  ///   - free: Gives a variable that is not taken, for what is computed on the way.
  ///   - inputs: Expressions for the maps.
  ///   - parameter: The expression for a parameter's name.
  func statements(
    for variable: String, _ inputs: [String], free: (String) -> String, parameter: (String) -> String
  ) -> [String] {
    var lines: [String] = []
    var names = inputs
    names += learnables.map { parameter($0.name) }
    for (place, constant) in constants.enumerated() {
      let name = free("\(variable)_constant_\(place)")
      lines.append("\(name) = \(Self.expression(constant, like: inputs[0]))")
      names.append(name)
    }
    for (place, step) in steps.enumerated() {
      let name = place == steps.count - 1 ? variable : free("\(variable)_\(place)")
      lines.append(
        "\(name) = \(Self.expression(step, step.operands.map { names[$0] }, images: "\(inputs[0]).shape[0]"))")
      names.append(name)
    }
    return lines
  }

  private static func expression(_ constant: Constant, like input: String) -> String {
    func text(_ number: Float) -> String {
      number == .infinity ? "float(\"inf\")" : number == -.infinity ? "float(\"-inf\")" : "\(number)"
    }
    let sizes = "(\(constant.sizes.map { "\($0), " }.joined()))"
    let place = "dtype=\(input).dtype, device=\(input).device"
    return constant.numbers.count == 1
      ? "torch.full(\(sizes), \(text(constant.numbers[0])), \(place))"
      : "torch.tensor([\(constant.numbers.map(text).joined(separator: ", "))], \(place)).reshape(\(sizes))"
  }

  private static func expression(_ step: Step, _ operands: [String], images: String) -> String {
    let first = operands[0]
    func list(_ numbers: [Int]) -> String { "(\(numbers.map { "\($0), " }.joined()))" }
    var sizes: String {
      "(\(step.numbers.map { $0 < 0 ? ($0 == -1 ? "\(images), " : "\(-$0) * \(images), ") : "\($0), " }.joined()))"
    }
    func number(_ value: Double?) -> String {
      guard let value, value.isFinite else { return value == .infinity ? "float(\"inf\")" : "float(\"-inf\")" }
      return "\(value)"
    }
    switch step.function {
    case .add: return "\(first) + \(operands[1])"
    case .subtract: return "\(first) - \(operands[1])"
    case .multiply: return "\(first) * \(operands[1])"
    case .divide: return "\(first) / \(operands[1])"
    case .maximum: return "torch.maximum(\(first), \(operands[1]))"
    case .minimum: return "torch.minimum(\(first), \(operands[1]))"
    case .matmul: return "\(first) @ \(operands[1])"
    case .negative: return "-\(first)"
    case .exp, .log, .sqrt, .reciprocal, .abs, .erf, .tanh, .sigmoid: return "torch.\(step.function.rawValue)(\(first))"
    case .relu, .softplus: return "F.\(step.function.rawValue)(\(first))"
    case .hardSwish: return "F.hardswish(\(first))"
    case .hardSigmoid: return "F.hardsigmoid(\(first))"
    case .power: return "\(first) ** \(number(step.value))"
    case .clamp: return "torch.clamp(\(first), \(number(step.value)), \(number(step.second)))"
    case .reshape: return "\(first).reshape(\(sizes))"
    case .permute: return "\(first).permute(\(list(step.numbers)))"
    case .expand: return "\(first).expand(\(sizes))"
    case .slice:
      let (axis, start, end, each) = (step.numbers[0], step.numbers[1], step.numbers[2], step.numbers[3])
      let before = String(repeating: ":, ", count: axis)
      return "\(first)[\(before)\(start):\(end)\(each == 1 ? "" : ":\(each)")]"
    case .gather:
      return
        "\(first).index_select(\(step.numbers[0]), torch.tensor(\(Array(step.numbers.dropFirst())), device=\(first).device))"
    case .concatenate: return "torch.cat((\(operands.joined(separator: ", ")),), \(step.numbers[0]))"
    case .pad:
      let rank = step.numbers.count / 2
      let sides = (0..<rank).reversed().flatMap { [step.numbers[$0], step.numbers[rank + $0]] }
      return "F.pad(\(first), \(list(sides)), value=\(number(step.value ?? 0)))"
    case .softmax: return "\(first).softmax(\(step.numbers[0]))"
    case .mean: return "\(first).mean(\(list(step.numbers)), keepdim=True)"
    case .sum: return "\(first).sum(\(list(step.numbers)), keepdim=True)"
    case .norm: return "torch.linalg.vector_norm(\(first), dim=\(list(step.numbers)), keepdim=True)"
    case .largest: return "\(first).amax(\(list(step.numbers)), keepdim=True)"
    }
  }

  /// What registers its parameters in Python, by the part of their names behind the layer's.
  var registrations: [(name: String, expression: String)] {
    learnables.map { parameter in
      let sizes = "(\(parameter.sizes.map { "\($0), " }.joined()))"
      let function = parameter.use == .factor ? "ones" : parameter.use == .shift ? "zeros" : "empty"
      return (parameter.name, "nn.Parameter(torch.\(function)(\(sizes)))")
    }
  }
}
