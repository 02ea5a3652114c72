import Networks
import Support

/// Operations that need no place of their own in `Operation`.
extension ONNXGraphBuilder {
  mutating func add(
    _ definition: any OperationDefinition, _ index: Int, _ inputs: [String], _ output: String
  ) throws {
    let input = inputs[0]
    let layer = network.layers[index]
    let own = layer.layer.name
    let channels = layer.output.channels
    switch definition {
    case let slice as ChannelPart:
      let inputs = [whole([slice.start], own, "start"), whole([slice.end], own, "end"), whole([1], own, "axis")]
      document.add("Slice", [input] + inputs, to: output, name: own)
    case let shuffle as ChannelShuffle:
      let (height, width) = (layer.output.height, layer.output.width)
      let (parts, turned) = (inner(own, "parts"), inner(own, "turned"))
      let split = whole([0, shuffle.groups, channels / shuffle.groups, height, width], own, "split")
      let merged = whole([0, channels, height, width], own, "merged")
      document.add("Reshape", [input, split], to: parts, name: parts)
      document.add("Transpose", [parts], to: turned, name: turned, [.ints("perm", [0, 2, 1, 3, 4])])
      document.add("Reshape", [turned, merged], to: output, name: own)
    case let norm as LayerNorm:
      let parameters = try (norm.hasBias ? ["weight", "bias"] : ["weight"]).map {
        try tensor("\(own).\($0)", [channels])
      }
      turned(input, output, own) { builder, last, result in
        builder.document.add(
          "LayerNormalization", [last] + parameters, to: result, name: own,
          [.int("axis", -1), .float("epsilon", norm.epsilon)])
      }
    case let norm as GroupNorm: try add(norm, layer, input, output)
    case let scale as ChannelScale:
      let factors = try tensor(own, scale.rank == 1 ? [channels] : [channels, 1, 1])
      var factor = factors
      if scale.rank == 1 {
        factor = inner(own, "map")
        document.add("Unsqueeze", [factors, whole([1, 2], own, "axes")], to: factor, name: factor)
      }
      // The layer's name is the tensor's.
      document.add("Mul", [input, factor], to: output, name: inner(own, "Mul"))
    case let number as LearnedNumber:
      // The layer's name is the tensor's.
      let operation = number.isShift ? "Add" : "Mul"
      document.add(
        operation, [input, try tensor(own, number.rank == 1 ? [1] : [])], to: output, name: inner(own, operation))
    case let norm as GlobalResponseNorm: try add(norm, layer, input, output)
    case let linear as PointwiseLinear:
      let weight = try tensor("\(own).weight", [channels, layer.inputs[0].channels])
      let bias = linear.hasBias ? try tensor("\(own).bias", [channels]) : nil
      turned(input, output, own) { builder, last, result in
        let columns = builder.inner(own, "columns")
        builder.document.add("Transpose", [weight], to: columns, name: columns, [.ints("perm", [1, 0])])
        guard let bias else {
          builder.document.add("MatMul", [last, columns], to: result, name: own)
          return
        }
        let product = builder.inner(own, "product")
        builder.document.add("MatMul", [last, columns], to: product, name: product)
        builder.document.add("Add", [product, bias], to: result, name: own)
      }
    case let pad as Padding:
      let sides = whole([0, 0, pad.top, pad.left, 0, 0, pad.bottom, pad.right], own, "sides")
      document.add(
        "Pad", [input, sides], to: output, name: own, pad.isReflected ? [.string("mode", "reflect")] : [])
    case let rescaling as Rescaling:
      let scaled = rescaling.shift == 0 ? output : inner(own, "scaled")
      let factor = constant(rescaling.factor)
      document.add("Mul", [input, factor], to: scaled, name: rescaling.shift == 0 ? own : scaled)
      if rescaling.shift != 0 {
        let shift = constant(rescaling.shift)
        document.add("Add", [scaled, shift], to: output, name: own)
      }
    case let upsample as Upsample:
      let factors = inner(own, "factors")
      document.add(
        [1, 1, Float(upsample.factor.height), Float(upsample.factor.width)], shape: [4], name: factors)
      document.add(
        "Resize", [input, "", factors], to: output, name: own,
        upsample.isBilinear
          ? [.string("mode", "linear"), .string("coordinate_transformation_mode", "half_pixel")]
          : [
            .string("mode", "nearest"), .string("coordinate_transformation_mode", "asymmetric"),
            .string("nearest_mode", "floor"),
          ])
    case let convolution as ChannelConvolution:
      let weight = try tensor("\(own).weight", [1, 1, convolution.kernelSize])
      let (row, convolved) = (inner(own, "row"), inner(own, "convolved"))
      document.add("Reshape", [input, whole([0, 1, -1], own, "one")], to: row, name: row)
      let side = convolution.kernelSize / 2
      document.add("Conv", [row, weight], to: convolved, name: own, [.ints("pads", [side, side])])
      document.add(
        "Reshape", [convolved, whole([0, channels] + (isFlat(index) ? [] : [1, 1]), own, "map")], to: output,
        name: inner(own, "back"))
    case is VectorAddition: document.add("Add", inputs, to: output, name: own)
    case let leak as NegativeSlope:
      document.add("LeakyRelu", [input], to: output, name: own, [.float("alpha", leak.slope)])
    case ElementFunction.geluTanh as ElementFunction: addApproximateGELU(input, output, own)
    case let function as ElementFunction:
      let operations: [ElementFunction: String] = [
        .tanh: "Tanh", .selu: "Selu", .softplus: "Softplus", .softsign: "Softsign",
      ]
      document.add(operations[function] ?? "", [input], to: output, name: own)
    case let unit as ExponentialUnit:
      document.add(
        unit.isContinuous ? "Celu" : "Elu", [input], to: output, name: own, [.float("alpha", unit.alpha)])
    case let bounds as Clamp:
      document.add("Clip", [input, constant(bounds.least), constant(bounds.most)], to: output, name: own)
    case let slope as LearnedSlope:
      var slopes = try tensor("\(own).weight", [slope.isShared ? 1 : channels])
      if !slope.isShared, !isFlat(index) {
        let map = inner(own, "map")
        document.add("Unsqueeze", [slopes, whole([1, 2], own, "axes")], to: map, name: map)
        slopes = map
      }
      document.add("PRelu", [input, slopes], to: output, name: own)
    case let convolution as StandardizedConvolution: try add(convolution, layer, input, output)
    case let regrouping as SpaceToDepth:
      document.add("SpaceToDepth", [input], to: output, name: own, [.int("blocksize", regrouping.blockSize)])
    case let filter as FixedFilter:
      let (size, weight) = (filter.kernelSize, inner(own, "filters"))
      let one = filter.coefficients.joined().map(Float.init)
      document.add(
        Array(repeatElement(one, count: channels).joined()), shape: [channels, 1, size.height, size.width], name: weight
      )
      document.add(
        "Conv", [input, weight], to: output, name: own,
        [.ints("strides", [filter.stride.height, filter.stride.width]), .int("group", channels)])
    case let program as TensorProgram: try add(program, own, inputs, output)
    case is AttentionPool, is ResizeLike, is SoftmaxShare: addOfSeveral(definition, index, inputs, output)
    default:
      throw UsageFailure("\(own): \(definition.kind) has no ONNX form here; `format` pytorch or safetensors may do")
    }
  }

  // Gelu has its approximation since opset 20 alone.
  private mutating func addApproximateGELU(_ x: String, _ output: String, _ own: String) {
    func step(_ operation: String, _ inputs: [String], _ name: String) -> String {
      let made = inner(own, name)
      document.add(operation, inputs, to: made, name: made)
      return made
    }
    let square = step("Mul", [x, x], "square")
    let cube = step("Mul", [x, square], "cube")
    let part = step("Mul", [cube, constant(0.044715)], "part")
    let sum = step("Add", [x, part], "sum")
    let scaled = step("Mul", [sum, constant((2 / Double.pi).squareRoot())], "scaled")
    let shifted = step("Add", [step("Tanh", [scaled], "tanh"), constant(1)], "shifted")
    let product = step("Mul", [x, shifted], "product")
    document.add("Mul", [product, constant(0.5)], to: output, name: own)
  }

  /// Operations that read several maps.
  private mutating func addOfSeveral(
    _ definition: any OperationDefinition, _ index: Int, _ inputs: [String], _ output: String
  ) {
    let (layer, own) = (network.layers[index], network.layers[index].layer.name)
    let channels = layer.output.channels
    switch definition {
    case is AttentionPool:
      let names = ["scores", "shares", "columns", "places", "context"].map { inner(own, $0) }
      document.add("Reshape", [inputs[1], whole([0, 1, -1], own, "one row")], to: names[0], name: names[0])
      document.add("Softmax", [names[0]], to: names[1], name: names[1], [.int("axis", -1)])
      document.add("Transpose", [names[1]], to: names[2], name: names[2], [.ints("perm", [0, 2, 1])])
      document.add("Reshape", [inputs[0], whole([0, channels, -1], own, "rows")], to: names[3], name: names[3])
      document.add("MatMul", [names[3], names[2]], to: names[4], name: names[4])
      document.add("Reshape", [names[4], whole([0, channels, 1, 1], own, "map")], to: output, name: own)
    case is ResizeLike:
      let names = ["shape", "front", "size"].map { inner(own, $0) }
      document.add("Shape", [inputs[0]], to: names[0], name: names[0])
      let slice = [whole([0], own, "start"), whole([2], own, "end"), whole([0], own, "axis")]
      document.add("Slice", [names[0]] + slice, to: names[1], name: names[1])
      let sides = whole([layer.output.height, layer.output.width], own, "sides")
      document.add("Concat", [names[1], sides], to: names[2], name: names[2], [.int("axis", 0)])
      document.add(
        "Resize", [inputs[0], "", "", names[2]], to: output, name: own,
        [
          .string("mode", "nearest"), .string("coordinate_transformation_mode", "asymmetric"),
          .string("nearest_mode", "floor"),
        ])
    case let share as SoftmaxShare:
      let axis = whole([1], own, "axis")
      let branches = inputs.indices.map { inner(own, "branch \($0)") }
      for (input, branch) in zip(inputs, branches) {
        document.add("Unsqueeze", [input, axis], to: branch, name: branch)
      }
      let names = ["scores", "shares", "share"].map { inner(own, $0) }
      document.add("Concat", branches, to: names[0], name: names[0], [.int("axis", 1)])
      document.add("Softmax", [names[0]], to: names[1], name: names[1], [.int("axis", 1)])
      let slice = [whole([share.branch], own, "start"), whole([share.branch + 1], own, "end"), axis]
      document.add("Slice", [names[1]] + slice, to: names[2], name: names[2])
      document.add("Squeeze", [names[2], axis], to: output, name: own)
    default: break
    }
  }

  /// As PyTorch's exporter writes ConvNeXt V2.
  private mutating func add(
    _ norm: GlobalResponseNorm, _ layer: ResolvedLayer, _ input: String, _ output: String
  ) throws {
    let own = layer.layer.name
    let parameters = try ["weight", "bias"].map { name -> String in
      let numbers = try tensor("\(own).\(name)", [layer.output.channels])
      let map = inner(own, "\(name) of maps")
      document.add("Unsqueeze", [numbers, whole([1, 2], own, "\(name) axes")], to: map, name: map)
      return map
    }
    let parts = ["norms", "mean", "shifted", "share", "product", "weighted", "moved"].map { inner(own, $0) }
    document.add("ReduceL2", [input], to: parts[0], name: parts[0], [.ints("axes", [2, 3]), .int("keepdims", 1)])
    document.add("ReduceMean", [parts[0]], to: parts[1], name: parts[1], [.ints("axes", [1]), .int("keepdims", 1)])
    document.add("Add", [parts[1], constant(norm.epsilon)], to: parts[2], name: parts[2])
    document.add("Div", [parts[0], parts[2]], to: parts[3], name: parts[3])
    document.add("Mul", [input, parts[3]], to: parts[4], name: parts[4])
    document.add("Mul", [parts[4], parameters[0]], to: parts[5], name: parts[5])
    document.add("Add", [parts[5], parameters[1]], to: parts[6], name: parts[6])
    document.add("Add", [input, parts[6]], to: output, name: own)
  }

  /// Until opset 18 the format has normalization by instance alone, of which groups are made.
  private mutating func add(_ norm: GroupNorm, _ layer: ResolvedLayer, _ input: String, _ output: String) throws {
    let own = layer.layer.name
    let shape = layer.output
    let parameters = try (norm.hasBias ? ["weight", "bias"] : ["weight"]).map { name -> String in
      let factors = try tensor("\(own).\(name)", [shape.channels])
      let map = inner(own, "\(name) of maps")
      document.add("Unsqueeze", [factors, whole([1, 2], own, "\(name) axes")], to: map, name: map)
      return map
    }
    let (ones, zeros) = (inner(own, "ones"), inner(own, "zeros"))
    document.add([Float](repeating: 1, count: norm.groups), shape: [norm.groups], name: ones)
    document.add([Float](repeating: 0, count: norm.groups), shape: [norm.groups], name: zeros)
    let (groups, normal, map, scaled) = (
      inner(own, "groups"), inner(own, "normal"), inner(own, "map"), inner(own, "scaled")
    )
    document.add("Reshape", [input, whole([0, norm.groups, -1], own, "split")], to: groups, name: groups)
    document.add(
      "InstanceNormalization", [groups, ones, zeros], to: normal, name: normal, [.float("epsilon", norm.epsilon)])
    let merged = whole([0, shape.channels, shape.height, shape.width], own, "merged")
    document.add("Reshape", [normal, merged], to: map, name: map)
    guard norm.hasBias else { return document.add("Mul", [map, parameters[0]], to: output, name: own) }
    document.add("Mul", [map, parameters[0]], to: scaled, name: scaled)
    document.add("Add", [scaled, parameters[1]], to: output, name: own)
  }

  /// A tensor of the state dict, under its own name.
  mutating func tensor(_ name: String, _ shape: [Int]) throws -> String {
    document.add(try numbers(name, shape), shape: shape, name: name)
    return name
  }

  /// Whole numbers that a node reads.
  mutating func whole(_ values: [Int], _ layer: String, _ step: String) -> String {
    let name = inner(layer, step)
    document.add(values, name: name)
    return name
  }

  /// Nodes that see the channels last.
  private mutating func turned(
    _ input: String, _ output: String, _ own: String,
    _ add: (inout ONNXGraphBuilder, _ last: String, _ result: String) -> Void
  ) {
    let (last, result) = (inner(own, "last"), inner(own, "result"))
    document.add("Transpose", [input], to: last, name: last, [.ints("perm", [0, 2, 3, 1])])
    add(&self, last, result)
    document.add("Transpose", [result], to: output, name: inner(own, "first"), [.ints("perm", [0, 3, 1, 2])])
  }
}
