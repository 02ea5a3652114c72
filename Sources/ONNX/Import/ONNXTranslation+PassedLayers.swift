import Networks
import Support

/// The end of a part that is passed: its steps become a layer.
extension ONNXTranslation {
  /// Makes a layer of the steps that lead to a tensor.
  mutating func close(
    _ name: String, _ index: Int, as shape: Shape, _ layout: ONNXLayout, _ node: PBNodeProto
  ) throws {
    var end = index
    if layout != .map(shape) {
      guard let (split, order, _) = arrangement(shape, layout) else {
        throw refusal(node, "it reads a tensor whose axes are not followed")
      }
      let apart = order.map { split[$0] }
      if apart != passed[end].sizes { end = try add(.reshape, [end], node, apart) }
      if order != Array(order.indices) {
        end = try add(.permute, [end], node, order.indices.map { place in order.firstIndex(of: place) ?? 0 })
      }
      let map = [-1, shape.channels, shape.height, shape.width]
      if map != passed[end].sizes { end = try add(.reshape, [end], node, map) }
    }
    let (made, tensors, inputs) = try program(endingAt: end, node)
    let names = tensors.map(\.name)
    let common = Self.commonModule(names)
    let path = common.isEmpty ? ONNXNames.path(of: node) : common
    var program = made
    let isCommon = !common.isEmpty && !shapes.keys.contains(common)
    program.learnables = zip(program.learnables, names).map { parameter, name in
      var parameter = parameter
      parameter.name = isCommon ? String(name.dropFirst(common.count + 1)) : name
      return parameter
    }
    let layer = try emit(
      .other(program), inputs, path: isCommon ? path : "\(path).passed")
    for (parameter, tensor) in zip(program.learnables, tensors) {
      keep(tensor.tensor, as: "\(layer).\(parameter.name)")
      try claim(tensor.key, by: layer, node)
    }
    passedLayers.append(layer)
    passedSteps += program.steps.count
    values[name] = .layer(layer)
    layouts[name] = layout
    // Who reads the tensor under another name, or as a part of something else, reads the layer.
    if layout == .map(shape) {
      passed[index].source = .layer(layer)
    } else {
      let again = try arranged(layer, shape, layout, node)
      passed[index].source = .step(.init(.reshape, [again], passed[index].sizes))
    }
  }

  // The tensors that lead to one: each behind those that it is computed from.
  func ancestors(of end: Int) -> [Int] {
    var found: [Int] = []
    var met: Set<Int> = []
    var open = [(index: end, isLeft: false)]
    while let (index, isLeft) = open.popLast() {
      if isLeft {
        found.append(index)
      } else if met.insert(index).inserted {
        guard met.count <= 4 * TensorProgram.mostSteps else { break }
        open.append((index, true))
        guard case .step(let step) = passed[index].source else { continue }
        open += step.operands.reversed().map { ($0, false) }
      }
    }
    return found
  }

  func sources(_ all: [Int]) -> [String] {
    var (names, met): ([String], Set<String>) = ([], [])
    for index in all {
      if case .layer(let name) = passed[index].source, met.insert(name).inserted { names.append(name) }
    }
    return names
  }

  func program(
    endingAt end: Int, _ node: PBNodeProto
  ) throws -> (TensorProgram, [PassedTensor.Learnable], inputs: [String]) {
    let all = ancestors(of: end)
    let inputs = sources(all)
    let inputPlaces = Dictionary(inputs.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    guard !inputs.isEmpty else { throw refusal(node, "it reads nothing of the image") }
    guard case .step = passed[end].source else { throw refusal(node, "it reads a tensor whose axes are not followed") }
    let count = all.count { if case .step = passed[$0].source { true } else { false } }
    guard all.count <= 3 * TensorProgram.mostSteps, count <= TensorProgram.mostSteps,
      passedSteps + count <= 16 * TensorProgram.mostSteps
    else { throw refusal(node, "what leads to it has too many steps that are passed") }
    var numbers: [Int: Int] = [:]
    var learnables: [PassedTensor.Learnable] = []
    var (places, names): ([String: Int], [String: Int]) = ([:], [:])
    var constants: [TensorProgram.Constant] = []
    var constantPlaces: [TensorProgram.Constant: Int] = [:]
    for index in all {
      switch passed[index].source {
      case .layer(let name): numbers[index] = inputPlaces[name]
      case .learnable(var found):
        if let place = places[found.key] {
          // In other dimensions it would be two weights.
          guard learnables[place].tensor.dimensions == found.tensor.dimensions else {
            throw ONNXFault(
              "\(ONNXFault.shown(found.key)) is read in several dimensions, and layers are given weights of their own",
              isFinal: true)
          }
          numbers[index] = inputs.count + place
        } else {
          let name = found.name
          let count = names[name, default: 0]
          names[name] = count + 1
          if count > 0 { found.name = "\(name)_\(count)" }
          places[found.key] = learnables.count
          numbers[index] = inputs.count + learnables.count
          learnables.append(found)
        }
      case .constant, .step: break
      }
    }
    for index in all {
      guard case .constant(let constant) = passed[index].source else { continue }
      let place = constantPlaces[constant] ?? constants.count
      if place == constants.count {
        constantPlaces[constant] = place
        constants.append(constant)
      }
      numbers[index] = inputs.count + learnables.count + place
    }
    var steps: [TensorProgram.Step] = []
    for index in all {
      guard case .step(var step) = passed[index].source else { continue }
      step.operands = step.operands.map { numbers[$0] ?? 0 }
      numbers[index] = inputs.count + learnables.count + constants.count + steps.count
      steps.append(step)
    }
    Self.assignUses(to: &learnables, inputs: inputs.count, constants: constants.count, steps)
    let program = TensorProgram(
      inputs: inputs.compactMap { shapes[$0] },
      learnables: learnables.map { .init($0.name, $0.use, $0.tensor.dimensions) }, constants: constants,
      steps: steps)
    return (program, learnables, inputs)
  }

  // What a weight is for says the first step that computes with it, also where parts of it or other axes are taken first.
  static func assignUses(
    to learnables: inout [PassedTensor.Learnable], inputs: Int, constants: Int, _ steps: [TensorProgram.Step]
  ) {
    var carried: [Int: Set<Int>] = [:]
    for place in learnables.indices { carried[inputs + place] = [place] }
    var decided: Set<Int> = []
    for (index, step) in steps.enumerated() {
      let found = step.operands.reduce(into: Set<Int>()) { $0.formUnion(carried[$1] ?? []) }
      guard !found.isEmpty else { continue }
      let use: TensorProgram.Parameter.Use
      switch step.function {
      case .reshape, .permute, .slice, .gather, .expand, .concatenate, .pad:
        carried[inputs + learnables.count + constants + index] = found
        continue
      case .matmul: use = .weight
      case .multiply, .divide: use = .factor
      default: use = .shift
      }
      for place in found where decided.insert(place).inserted { learnables[place].use = use }
    }
  }

  // The module that all of these tensors are in.
  static func commonModule(_ names: [String]) -> String {
    guard let first = names.first else { return "" }
    var parts = first.split(separator: ".").dropLast()
    for name in names.dropFirst() {
      let own = name.split(separator: ".").dropLast()
      parts = zip(parts, own).prefix { $0 == $1 }.map(\.0)[...]
    }
    return parts.joined(separator: ".")
  }
}
