import Networks

/// Parts that are passed: a node a step.
extension ONNXGraphBuilder {
  mutating func add(_ program: TensorProgram, _ own: String, _ inputs: [String], _ output: String) throws {
    var names = inputs
    for parameter in program.learnables { names.append(try tensor("\(own).\(parameter.name)", parameter.sizes)) }
    for (place, constant) in program.constants.enumerated() {
      let name = inner(own, "constant \(place)")
      let count = constant.sizes.reduce(1, *)
      document.add(
        constant: constant.numbers.count == count
          ? constant.numbers : Array(repeating: constant.numbers[0], count: count), shape: constant.sizes, name: name)
      names.append(name)
    }
    for (place, step) in program.steps.enumerated() {
      let isLast = place == program.steps.count - 1
      let name = isLast ? output : inner(own, "step \(place)")
      add(step, step.operands.map { names[$0] }, images: inputs[0], "\(own) \(place)", to: name)
      names.append(name)
    }
  }

  private mutating func add(
    _ step: TensorProgram.Step, _ operands: [String], images: String, _ own: String, to output: String
  ) {
    let numbers = step.numbers
    func node(
      _ builder: inout ONNXGraphBuilder, _ operation: String, _ more: [String] = [],
      _ attributes: [PBAttributeProto] = []
    ) {
      builder.document.add(operation, operands + more, to: output, name: own, attributes)
    }
    switch step.function {
    case .add: node(&self, "Add")
    case .subtract: node(&self, "Sub")
    case .multiply: node(&self, "Mul")
    case .divide: node(&self, "Div")
    case .maximum: node(&self, "Max")
    case .minimum: node(&self, "Min")
    case .matmul: node(&self, "MatMul")
    case .negative: node(&self, "Neg")
    case .exp: node(&self, "Exp")
    case .log: node(&self, "Log")
    case .sqrt: node(&self, "Sqrt")
    case .reciprocal: node(&self, "Reciprocal")
    case .abs: node(&self, "Abs")
    case .erf: node(&self, "Erf")
    case .tanh: node(&self, "Tanh")
    case .sigmoid: node(&self, "Sigmoid")
    case .relu: node(&self, "Relu")
    case .softplus: node(&self, "Softplus")
    case .hardSwish: node(&self, "HardSwish")
    case .hardSigmoid: node(&self, "HardSigmoid", [], [.float("alpha", 1.0 / 6), .float("beta", 0.5)])
    case .power: node(&self, "Pow", [constant(step.value ?? 1)])
    case .clamp:
      node(&self, "Clip", [constant(step.value ?? -.infinity), constant(step.second ?? .infinity)])
    case .reshape: node(&self, "Reshape", [whole(numbers.map { $0 < 0 ? -1 : $0 }, own, "sizes")])
    case .permute: node(&self, "Transpose", [], [.ints("perm", numbers)])
    case .expand: node(&self, "Expand", [expandedSizes(numbers, images: images, own)])
    case .slice:
      node(
        &self, "Slice",
        [
          whole([numbers[1]], own, "start"), whole([numbers[2]], own, "end"), whole([numbers[0]], own, "axis"),
          whole([numbers[3]], own, "each"),
        ])
    case .gather:
      node(&self, "Gather", [whole(Array(numbers.dropFirst()), own, "places")], [.int("axis", numbers[0])])
    case .concatenate: node(&self, "Concat", [], [.int("axis", numbers[0])])
    case .pad: node(&self, "Pad", [whole(numbers, own, "sides"), constant(step.value ?? 0)])
    case .softmax: node(&self, "Softmax", [], [.int("axis", numbers[0])])
    case .mean: node(&self, "ReduceMean", [], [.ints("axes", numbers), .int("keepdims", 1)])
    case .sum: node(&self, "ReduceSum", [whole(numbers, own, "axes")], [.int("keepdims", 1)])
    case .norm: node(&self, "ReduceL2", [], [.ints("axes", numbers), .int("keepdims", 1)])
    case .largest: node(&self, "ReduceMax", [], [.ints("axes", numbers), .int("keepdims", 1)])
    }
  }

  // Where the images are several times one of the sizes, their number is asked of what the layer reads.
  private mutating func expandedSizes(_ sizes: [Int], images: String, _ own: String) -> String {
    guard let place = sizes.firstIndex(where: { $0 < 0 }) else { return whole(sizes, own, "sizes") }
    let names = ["shape", "images", "times", "sizes"].map { inner(own, $0) }
    document.add("Shape", [images], to: names[0], name: names[0])
    document.add(
      "Slice", [names[0], whole([0], own, "start"), whole([1], own, "end"), whole([0], own, "axis")], to: names[1],
      name: names[1])
    document.add("Mul", [names[1], whole([-sizes[place]], own, "factor")], to: names[2], name: names[2])
    var parts = [names[2]]
    if place > 0 { parts.insert(whole(Array(sizes[..<place]), own, "before"), at: 0) }
    if place + 1 < sizes.count { parts.append(whole(Array(sizes[(place + 1)...]), own, "behind")) }
    document.add("Concat", parts, to: names[3], name: names[3], [.int("axis", 0)])
    return names[3]
  }
}
