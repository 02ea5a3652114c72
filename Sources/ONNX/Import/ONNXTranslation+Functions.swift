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
    case (let low?, let high?) where low <= high:
      try function(Clamp(least: Self.meant(low), most: Self.meant(high)), node)
    default:
      throw refusal(
        node,
        "it keeps numbers from \(low.map { "\($0)" } ?? "−∞") to \(high.map { "\($0)" } ?? "∞"), and two bounds are read"
      )
    }
  }

  mutating func function(_ function: some OperationDefinition, _ node: PBNodeProto) throws {
    try emit(.other(function), [try layer(node, 0)], node)
  }

  mutating func selu(_ node: PBNodeProto) throws {
    let (alpha, gamma) = (number(node, "alpha") ?? 1.67326, number(node, "gamma") ?? 1.0507)
    guard abs(alpha - 1.67326) < 1e-4, abs(gamma - 1.0507) < 1e-4 else {
      throw refusal(node, "its factors are \(alpha) and \(gamma), which are not those of SELU")
    }
    try function(ElementFunction.selu, node)
  }

  /// A whole power of each number, as products.
  mutating func power(_ node: PBNodeProto) throws {
    guard let exponent = try scalar(node, 1), [1, 2, 3, 4].contains(exponent) else {
      throw refusal(node, "powers from 1 to 4 are read")
    }
    let (source, path) = (try layer(node, 0), ONNXNames.path(of: node))
    if exponent == 1 { return try alias(node) }
    var product = source
    for step in stride(from: 2, to: Int(exponent), by: 1) {
      product = try emit(.multiply, [source, product], path: "\(path).\(step)")
    }
    try emit(.multiply, [source, product], node)
  }

  /// `x · tanh(log(1 + eˣ))`.
  mutating func mish(_ node: PBNodeProto) throws {
    let (source, path) = (try layer(node, 0), ONNXNames.path(of: node))
    let soft = try emit(.other(ElementFunction.softplus), [source], path: "\(path).softplus")
    let gate = try emit(.other(ElementFunction.tanh), [soft], path: "\(path).tanh")
    try emit(.multiply, [source, gate], node)
  }

  /// A share of what is negative that is learnt: one for each channel, or one for all.
  mutating func learnedSlope(_ node: PBNodeProto) throws {
    let source = try layer(node, 0)
    guard case .constant(let slopes) = try value(node, 1), let shape = shapes[source] else {
      throw refusal(node, "its slopes are no numbers of the file")
    }
    let isShared = slopes.dimensions.allSatisfy { $0 == 1 } && shape.channels != 1
    guard isShared || isOnChannels(slopes, layout(node, 0), shape) || slopes.dimensions == [1] else {
      throw refusal(node, "its slopes are neither one for each channel nor one for all")
    }
    let values = slopes.fill.map { [$0] } ?? slopes.floats ?? []
    // One number alone does not tell a share that is learnt from one that is fresh.
    let isEven = !isShared && (values.first.map { first in values.allSatisfy { $0 == first } } ?? false)
    let known = [node.input[1], slopes.alias, slopes.origin?.name].compactMap { $0 }
    let name = known.first { $0.hasSuffix(".weight") && !$0.contains("/") }?.dropLast(".weight".count)
    let made = try emit(
      .other(LearnedSlope(initialValue: isEven ? Self.meant(values[0]) : 0.25, isShared: isShared)), [source], node,
      name: name.map(String.init))
    keep(slopes, as: "\(made).weight")
    if let origin = slopes.origin?.name, let other = users.updateValue(made, forKey: origin), other != made {
      remarks.append(
        "\(ONNXFault.shown(other)) and \(ONNXFault.shown(made)) share their slopes in the file, and have slopes of their own here"
      )
    }
  }

  mutating func leaky(_ node: PBNodeProto) throws {
    let slope = number(node, "alpha") ?? 0.01
    if abs(slope - 0.01) < 1e-6 { return try activation(.leakyRelu, node) }
    try emit(.other(NegativeSlope(slope: Self.meant(slope))), [try layer(node, 0)], node)
  }

  mutating func gelu(_ node: PBNodeProto) throws {
    switch text(node, "approximate") ?? "none" {
    case "none": try activation(.gelu, node)
    case "tanh": try function(ElementFunction.geluTanh, node)
    case let form:
      throw refusal(node, "it is the approximation by \(ONNXFault.shown(form)), which the format does not have")
    }
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
      set(node, .gate(of: source, isHard: function == .hardSigmoid), layout(node, 0))
    } else {
      try emit(.activation(function), [source], node)
    }
  }

  mutating func scaled(_ node: PBNodeProto, divides: Bool) throws {
    if divides, case .constant(let tensor) = try value(node, 1), tensor.dimensions.contains(where: { $0 > 1 }) {
      throw refusal(node, "it divides by numbers of the file, which is no layer that is read")
    }
    if try learn(node, isShift: false, divides: divides) { return }
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
      return try finish(part, node, place)
    }
    let source = try layer(node, place)
    if abs(factor - 0.5.squareRoot()) < 1e-5 {
      set(node, .gelu(.init(source: source, stage: .scaled)), layout(node, place))
    } else if abs(factor - 0.5) < 1e-6 {
      set(node, .gelu(.init(source: source, stage: .half)), layout(node, place))
    } else {
      try emit(.other(Rescaling(factor: Self.meant(factor))), [source], node, reading: place)
    }
  }

  /// A number that has a module's name is learnt: then the node is a layer of its own.
  private mutating func learn(_ node: PBNodeProto, isShift: Bool, divides: Bool = false) throws -> Bool {
    for (place, name) in node.input.enumerated() {
      // Numbers that are equal in a file of fresh weights are one, and go by the names of Identities.
      guard name.contains("."), !name.contains("/"), !name.contains("::"),
        case .constant(let tensor) = try value(node, place), file.constants[name] != nil || tensor.alias == name
      else { continue }
      guard !divides, node.input.count == 2, tensor.dimensions.count <= 1 else {
        throw refusal(
          node, "\(ONNXFault.shown(name)) is a number that is learnt, and such numbers multiply or are added here")
      }
      let source = try layer(node, 1 - place)
      // Fresh numbers are equal, and the newer exporter keeps one of them: the others go by the modules that use them.
      let isFirst = users.updateValue(name, forKey: name) == nil
      let own = isFirst ? name : "\(ONNXNames.module(of: node)).\(name.split(separator: ".").last ?? "")"
      // Of a number that is neither, nobody knows whether it was trained.
      let initial = try scalar(node, place).flatMap { [0, 1].contains($0) ? $0 : nil }
      let made = try emit(
        .other(LearnedNumber(isShift: isShift, initialValue: initial, rank: tensor.dimensions.count)),
        [source], node, name: own, reading: 1 - place)
      keep(tensor, as: made)
      return true
    }
    return false
  }

  mutating func erf(_ node: PBNodeProto) throws {
    guard case .gelu(let part) = try value(node, 0), part.stage == .scaled else {
      throw refusal(node, "it is read as part of GELU alone")
    }
    set(node, .gelu(.init(source: part.source, stage: .erf)), layout(node, 0))
  }

  mutating func finish(_ part: ONNXValue.GELUPart, _ node: PBNodeProto, _ place: Int = 0) throws {
    if part.stage == .product(hasSource: true, hasHalf: true) {
      try emit(
        .activation(.gelu), [part.source], node, name: ONNXNames.path(of: node).replacingSuffix(".mul", by: ".gelu"),
        reading: place)
    } else {
      set(node, .gelu(part), layout(node, place))
    }
  }

  mutating func multiply(_ node: PBNodeProto) throws {
    // Numbers of the file times one: what is left of a factor that an exporter spells out.
    for place in [0, 1] where try scalar(node, place) == 1 {
      if case .constant = try value(node, 1 - place) { return set(node, try value(node, 1 - place)) }
    }
    if try scalar(node, 0) != nil || scalar(node, 1) != nil { return try scaled(node, divides: false) }
    for (place, rest) in [(0, 1), (1, 0)] {
      if case .constant(let factors) = try value(node, rest) { return try scaleChannels(node, place, rest, factors) }
    }
    let (one, other) = (try value(node, 0), try value(node, 1))
    switch (one, other) {
    case (.gate(let source, let isHard), .layer(let x)), (.layer(let x), .gate(let source, let isHard)):
      if source == x, layout(node, 0) == layout(node, 1) {
        try emit(
          .activation(isHard ? .hardSwish : .silu), [x], node,
          name: ONNXNames.path(of: node).replacingSuffix(".mul", by: ""))
        return
      }
    case (.gelu(let part), .layer) where part.isProduct, (.layer, .gelu(let part)) where part.isProduct:
      // With a number, which is a layer.
      break
    case (.gelu(var part), .layer(let x)), (.layer(let x), .gelu(var part)):
      guard part.source == x, layout(node, 0) == layout(node, 1), case .product(false, let hasHalf) = part.stage else {
        throw refusal(node, "it is part of no function that is read")
      }
      part.stage = .product(hasSource: true, hasHalf: hasHalf)
      return try finish(part, node)
    case (.gelu(let one), .gelu(let other)):
      // (x · ½) · (1 + erf)
      guard one.source == other.source, one.stage == .half || other.stage == .half,
        layout(node, 0) == layout(node, 1),
        [one.stage, other.stage].contains(.product(hasSource: false, hasHalf: false))
      else { throw refusal(node, "it is part of no function that is read") }
      return try finish(.init(source: one.source, stage: .product(hasSource: true, hasHalf: true)), node)
    default: break
    }
    var inputs = [try layer(node, 0), try layer(node, 1)]
    var place = 0
    // The map comes first, and its gate second.
    if pooled.contains(inputs[0]), !pooled.contains(inputs[1]) {
      inputs.swapAt(0, 1)
      place = 1
    }
    let (first, second) = (layout(node, place), layout(node, 1 - place))
    guard first.axes.count == second.axes.count,
      zip(first.axes, second.axes).allSatisfy({ $0 == $1 || $1.isEmpty })
    else { throw refusal(node, "its inputs do not have the same axes") }
    try emit(.multiply, inputs, node, reading: place)
  }

  /// The place of the channels' numbers among the axes of a constant that has one for each; nil for any other.
  func isOnChannels(_ tensor: ONNXTensor, _ layout: ONNXLayout, _ shape: Shape) -> Bool {
    guard let axis = layout.channelAxis(shape) else { return false }
    let missing = layout.axes.count - tensor.dimensions.count
    return missing >= 0 && axis >= missing
      && tensor.dimensions.indices.allSatisfy {
        tensor.dimensions[$0] == ($0 + missing == axis ? shape.channels : 1)
      }
  }

  /// A product with numbers of the file: a factor for each channel that is learnt, or, with a sum behind it, a batch normalization.
  private mutating func scaleChannels(
    _ node: PBNodeProto, _ place: Int, _ rest: Int, _ factors: ONNXTensor
  ) throws {
    let source = try layer(node, place)
    guard let shape = shapes[source], isOnChannels(factors, layout(node, place), shape) else {
      throw refusal(node, "it multiplies by numbers of the file that are not one for each channel")
    }
    // A normalization without factors of its own, which nothing else reads, has these.
    if readers[node.input[place]]?.count ?? 0 <= 1, layers.last?.name == source,
      case .other(let other)? = layers.last?.operation, let norm = other.definition as? GroupNorm, !norm.hasBias,
      state["\(source).weight"] == .constant(1, count: shape.channels)
    {
      keep(factors, as: "\(source).weight")
      return set(node, .layer(source), layouts[node.input[place]])
    }
    // The name that the node reads, or, of numbers that the graph gives other dimensions, theirs; not what an exporter made up.
    let known = [node.input[rest], factors.alias, factors.origin?.name].compactMap { $0 }
    let name = factors.origin == nil ? nil : known.first { !$0.contains("::") && !$0.contains("/") }
    let own = factors.origin.flatMap { file.constants[$0.name] } ?? factors
    let rank = own.dimensions.count == 1 ? 1 : 3
    // What all begin with, where a file of fresh weights says so.
    let first = factors.fill ?? factors.floats?.first ?? 1
    let isEven = factors.floats?.allSatisfy { $0 == first } ?? (factors.fill != nil)
    let made = try emit(
      .other(ChannelScale(initialValue: isEven ? Self.meant(first) : 1, rank: rank)), [source], node, name: name,
      reading: place)
    keep(factors, as: made)
  }

  mutating func add(_ node: PBNodeProto) throws {
    for (place, rest) in [(0, 1), (1, 0)] {
      if case .gelu(let part) = try value(node, place), part.stage == .erf, try scalar(node, rest) == 1 {
        set(
          node, .gelu(.init(source: part.source, stage: .product(hasSource: false, hasHalf: false))),
          layout(node, place))
        return
      }
      guard case .constant(let numbers) = try value(node, rest) else { continue }
      let source = try layer(node, place)
      // Of a linear layer with one output it is the bias.
      let isBias =
        numbers.dimensions == [1] && readers[node.input[place]]?.count ?? 0 <= 1 && canTakeBias(source)
        && shapes[source].map { isOnChannels(numbers, layout(node, place), $0) } ?? false
      if let number = try scalar(node, rest), !isBias, numbers.dimensions.count <= 1 || shapes[source]?.channels != 1 {
        if try learn(node, isShift: true) { return }
        if number == 0 { return set(node, .layer(source), layouts[node.input[place]]) }
        try emit(.other(Rescaling(shift: Self.meant(number))), [source], node, reading: place)
        return
      }
      guard let shape = shapes[source], isOnChannels(numbers, layout(node, place), shape) else {
        throw refusal(node, "it adds numbers of the file that are not one for each channel")
      }
      // A MatMul or a convolution and an Add are one layer; a product with a number for each channel and an Add are a normalization.
      let isRead = readers[node.input[place]]?.count ?? 0 > 1
      if !isRead, canTakeBias(source) {
        try setBias(of: source, numbers, node)
      } else if !isRead, layers.last?.name == source, case .other(let other)? = layers.last?.operation,
        other.definition is ChannelScale
      {
        try normalize(source, numbers)
      } else if !isRead, layers.last?.name == source, case .other(let other)? = layers.last?.operation,
        var norm = other.definition as? GroupNorm, !norm.hasBias
      {
        norm.hasBias = true
        layers[layers.count - 1].operation = .other(norm)
        keep(numbers, as: "\(source).bias")
      } else {
        throw refusal(node, "it adds numbers of the file behind what is no convolution and no linear layer")
      }
      return set(node, .layer(source), layouts[node.input[place]])
    }
    let inputs = [try layer(node, 0), try layer(node, 1)]
    let (first, second) = (layout(node, 0), layout(node, 1))
    if first == second {
      try emit(.add, inputs, node)
      return
    }
    // A number for each channel, at every place.
    for (map, vector) in [(0, 1), (1, 0)] where inputs[0] != inputs[1] {
      let (all, one) = (layout(node, map), layout(node, vector))
      guard let shape = shapes[inputs[vector]], shape.height == 1, shape.width == 1, all.axes.count == one.axes.count,
        zip(all.axes, one.axes).allSatisfy({ $0 == $1 || $1.isEmpty })
      else { continue }
      try emit(.other(VectorAddition()), [inputs[map], inputs[vector]], node, reading: map)
      return
    }
    throw refusal(node, "its inputs do not have the same axes")
  }

  /// A difference of maps: a sum with what is multiplied by −1.
  mutating func subtract(_ node: PBNodeProto) throws {
    if let number = try scalar(node, 1) {
      let source = try layer(node, 0)
      if number == 0 { return try alias(node) }
      try emit(.other(Rescaling(shift: Self.meant(-number))), [source], node)
      return
    }
    let inputs = [try layer(node, 0), try layer(node, 1)]
    guard layout(node, 0) == layout(node, 1) else { throw refusal(node, "its inputs do not have the same axes") }
    let path = ONNXNames.path(of: node)
    let negative = try emit(.other(Rescaling(factor: -1)), [inputs[1]], path: "\(path).negative")
    try emit(.add, [inputs[0], negative], node)
  }

  /// Makes a factor and a number for each channel what they are: a batch normalization, as other frameworks' exporters write it.
  private mutating func normalize(_ name: String, _ shift: ONNXTensor) throws {
    let norm = BatchNorm()
    let count = shapes[name]?.channels ?? 1
    layers[layers.count - 1].operation = .batchNorm(norm)
    state["\(name).weight"] = state.removeValue(forKey: name)
    keep(shift, as: "\(name).bias")
    state["\(name).running_mean"] = .constant(0, count: count)
    state["\(name).running_var"] = .constant(1 - norm.epsilon, count: count)
    remarks.append("\(ONNXFault.shown(name)), a factor and a number for each channel, is read as a batch normalization")
  }

  /// Whether all that a node reads are a few numbers of the file.
  func areNumbers(_ node: PBNodeProto) throws -> Bool {
    try node.input.indices.allSatisfy { place in
      guard case .constant(let tensor) = try value(node, place) else { return false }
      return tensor.floats != nil && tensor.dimensions.count == 1
    }
  }

  mutating func concatenateNumbers(_ node: PBNodeProto) throws {
    let all = try node.input.indices.flatMap { place -> [Double] in
      guard case .constant(let tensor) = try value(node, place) else { return [] }
      return tensor.floats ?? []
    }
    guard all.count <= ONNXTensor.mostFloats else { throw refusal(node, "it joins numbers of the file") }
    set(node, .constant(ONNXTensor(dimensions: [all.count], floats: all)))
  }

  mutating func concatenate(_ node: PBNodeProto) throws {
    guard let given = integer(node, "axis") else { throw refusal(node, "it does not say along which axis it joins") }
    var inputs: [String] = []
    for place in node.input.indices {
      let name = try layer(node, place)
      let layout = layout(node, place)
      guard let shape = shapes[name],
        layout.channelAxis(shape) == (try axis(given, node, rank: max(1, layout.axes.count))),
        // All in one layout.
        [ONNXLayout.map(shape), .last(shape), .features(shape)].contains(layout),
        layout.axes.count == self.layout(node, 0).axes.count
      else { throw refusal(node, "it joins along another dimension than channels") }
      inputs.append(name)
    }
    if inputs.count == 1 { try alias(node) } else { try emit(.concatenate, inputs, node) }
  }
}

extension String {
  /// With another ending, where it has this one.
  func replacingSuffix(_ suffix: String, by other: String) -> String {
    hasSuffix(suffix) && count > suffix.count ? dropLast(suffix.count) + other : self
  }
}
