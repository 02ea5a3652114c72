import Networks
import Support

/// Functions, those too that exporters spell out, and what joins maps.
extension ONNXTranslation {
  mutating func clip(_ node: PBNodeProto) throws {
    let (low, high) = (try number(node, "min", input: 1), try number(node, "max", input: 2))
    switch (low, high) {
    case (0, 6): try activation(.relu6, node)
    case (0, nil): try activation(.relu, node)
    case (0, let most?) where most > 1e30: try activation(.relu, node)
    default:
      throw refusal(
        node,
        "it keeps numbers from \(low.map { "\($0)" } ?? "−∞") to \(high.map { "\($0)" } ?? "∞"); 0 to 6 is read, as ReLU6"
      )
    }
  }

  mutating func leaky(_ node: PBNodeProto) throws {
    let slope = number(node, "alpha") ?? 0.01
    guard abs(slope - 0.01) < 1e-6 else { throw refusal(node, "its slope is \(slope), and 0.01 is read") }
    try activation(.leakyRelu, node)
  }

  mutating func gelu(_ node: PBNodeProto) throws {
    let form = attribute(node, "approximate").map { String(decoding: $0.s, as: UTF8.self) } ?? "none"
    guard form == "none" else {
      throw refusal(node, "it is the approximation by \(ONNXFault.shown(form)), and the exact form is read")
    }
    try activation(.gelu, node)
  }

  /// A gate waits for the product with what it was made of, where that is all that reads it.
  mutating func gate(_ node: PBNodeProto, _ function: Activation) throws {
    if function == .hardSigmoid {
      let (slope, shift) = (number(node, "alpha") ?? 0.2, number(node, "beta") ?? 0.5)
      guard abs(slope - 1.0 / 6) < 1e-4, abs(shift - 0.5) < 1e-6 else {
        throw refusal(node, "its slope is \(slope) and its middle \(shift); a sixth and a half are read")
      }
    }
    let source = try layer(node, 0)
    let those = readers[node.output.first ?? ""] ?? []
    if those.count == 1, let reader = those.first.map({ file.nodes[$0] }), reader.opType == "Mul",
      reader.input.contains(node.input[0])
    {
      set(node, .gate(of: source, isHard: function == .hardSigmoid))
    } else {
      try emit(.activation(function), [source], node)
    }
  }

  mutating func scaled(_ node: PBNodeProto, divides: Bool) throws {
    guard let by = try scalar(node, 1) ?? (divides ? nil : scalar(node, 0)), by != 0 else {
      throw refusal(node, "it divides by what is no number of the file")
    }
    let factor = divides ? 1 / by : by
    let place = try scalar(node, 1) != nil ? 0 : 1
    if case .gelu(var part) = try value(node, place) {
      guard case .product(let hasSource, false) = part.stage, abs(factor - 0.5) < 1e-6 else {
        throw refusal(node, "it scales by \(factor), which is part of no function that is read")
      }
      part.stage = .product(hasSource: hasSource, hasHalf: true)
      return try finish(part, node)
    }
    let source = try layer(node, place)
    if abs(factor - 0.5.squareRoot()) < 1e-5 {
      set(node, .gelu(.init(source: source, stage: .scaled)))
    } else if abs(factor - 0.5) < 1e-6 {
      set(node, .gelu(.init(source: source, stage: .half)))
    } else {
      throw refusal(node, "it scales by \(factor), which is part of no function that is read")
    }
  }

  mutating func erf(_ node: PBNodeProto) throws {
    guard case .gelu(let part) = try value(node, 0), part.stage == .scaled else {
      throw refusal(node, "it is read as part of GELU alone")
    }
    set(node, .gelu(.init(source: part.source, stage: .erf)))
  }

  mutating func finish(_ part: ONNXValue.GELUPart, _ node: PBNodeProto) throws {
    if part.stage == .product(hasSource: true, hasHalf: true) {
      try emit(
        .activation(.gelu), [part.source], node, name: ONNXNames.path(of: node).replacingSuffix(".mul", by: ".gelu"))
    } else {
      set(node, .gelu(part))
    }
  }

  mutating func multiply(_ node: PBNodeProto) throws {
    if try scalar(node, 0) != nil { return try scaled(node, divides: false) }
    if try scalar(node, 1) != nil { return try scaled(node, divides: false) }
    let (one, other) = (try value(node, 0), try value(node, 1))
    switch (one, other) {
    case (.gate(let source, let isHard), .layer(let x)), (.layer(let x), .gate(let source, let isHard)):
      if source == x {
        try emit(
          .activation(isHard ? .hardSwish : .silu), [x], node,
          name: ONNXNames.path(of: node).replacingSuffix(".mul", by: ""))
        return
      }
    case (.gelu(var part), .layer(let x)), (.layer(let x), .gelu(var part)):
      guard part.source == x, case .product(false, let hasHalf) = part.stage else {
        throw refusal(node, "it is part of no function that is read")
      }
      part.stage = .product(hasSource: true, hasHalf: hasHalf)
      return try finish(part, node)
    case (.gelu(let one), .gelu(let other)):
      // (x · ½) · (1 + erf)
      guard one.source == other.source, one.stage == .half || other.stage == .half,
        [one.stage, other.stage].contains(.product(hasSource: false, hasHalf: false))
      else { throw refusal(node, "it is part of no function that is read") }
      return try finish(.init(source: one.source, stage: .product(hasSource: true, hasHalf: true)), node)
    default: break
    }
    var inputs = [try layer(node, 0), try layer(node, 1)]
    // The map comes first, and its gate second.
    if pooled.contains(inputs[0]), !pooled.contains(inputs[1]) { inputs.swapAt(0, 1) }
    try emit(.multiply, inputs, node)
  }

  mutating func add(_ node: PBNodeProto) throws {
    for (place, rest) in [(0, 1), (1, 0)] {
      if case .gelu(let part) = try value(node, place), part.stage == .erf, try scalar(node, rest) == 1 {
        set(node, .gelu(.init(source: part.source, stage: .product(hasSource: false, hasHalf: false))))
        return
      }
      // MatMul and Add are one linear layer.
      if case .linear(let made) = try value(node, place), case .constant(let bias) = try value(node, rest),
        let index = layers.lastIndex(where: { $0.name == made }), case .linear(var linear) = layers[index].operation,
        bias.dimensions.last == linear.outputFeatures, bias.dimensions.dropLast().allSatisfy({ $0 == 1 })
      {
        linear.hasBias = true
        layers[index].operation = .linear(linear)
        set(node, .layer(made))
        return
      }
      if case .constant = try value(node, place) {
        throw refusal(node, "it adds numbers of the file, which is no layer that is read")
      }
    }
    let inputs = [try layer(node, 0), try layer(node, 1)]
    try emit(.add, inputs, node)
  }

  mutating func concatenate(_ node: PBNodeProto) throws {
    guard let axis = integer(node, "axis"), axis == 1 || axis == -3 else {
      throw refusal(node, "it joins along another dimension than channels")
    }
    var inputs: [String] = []
    for place in node.input.indices { inputs.append(try layer(node, place)) }
    if inputs.count == 1 { set(node, .layer(inputs[0])) } else { try emit(.concatenate, inputs, node) }
  }
}

extension String {
  /// With another ending, where it has this one.
  func replacingSuffix(_ suffix: String, by other: String) -> String {
    hasSuffix(suffix) && count > suffix.count ? dropLast(suffix.count) + other : self
  }
}
