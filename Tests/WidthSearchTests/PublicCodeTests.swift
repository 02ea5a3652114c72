import Loading
import Methods
import Networks
import Testing
import Torch
import Training

@testable import WidthSearch

/// DMCP and slimmable layers beside the numbers of their public code (scripts/check-references).
@Suite struct PublicCodeTests {
  private static let dmcp = Reference.all.dmcp
  private static let slimmable = Reference.all.slimmable

  private func chain(_ operators: Reference, alphas: [Double]) -> MarkovWidth {
    MarkovWidth(
      grid: ChannelGrid(
        fixed: operators.fixed.integer,
        groups: Array(repeating: operators.group_size.integer, count: operators.groups.integer)), alphas: alphas)
  }

  // MARK: - DMCP

  @Test(
    "Chains: probabilities, marginals, expectation and its derivative, factors and theirs",
    arguments: dmcp.alpha_operators.list.indices)
  func chains(index: Int) throws {
    let reference = Self.dmcp.alpha_operators.list[index]
    let range = WidthRange(
      minimum: reference.min_width.number, maximum: reference.max_width.number, offset: reference.offset.number)
    let grid = ChannelGrid(channels: reference.channels.integer, layout: .official, range: range)
    #expect(grid.fixed == reference.fixed.integer)
    guard reference.groups.integer > 0 else {
      #expect(grid.groups.isEmpty && grid.channels == reference.channels.integer)
      return
    }
    #expect(grid.groups == Array(repeating: reference.group_size.integer, count: reference.groups.integer))
    let chain = MarkovWidth(grid: grid, alphas: reference.alphas.numbers)
    expectClose(chain.probabilities, reference.probabilities.numbers, tolerance: 1e-12)
    expectClose(chain.marginals, reference.marginals.numbers, tolerance: 1e-12)
    expectClose(chain.expectation, reference.expected_channels.number, tolerance: 1e-12)
    #expect(chain.expectedChannels == reference.expected_sampling.integer)
    expectClose(
      chain.gradient(marginals: grid.groups.map(Double.init)), reference.expected_channels_gradient.numbers,
      tolerance: 1e-9)
    expectClose(chain.channelFactors.map(Double.init), reference.factors.numbers, tolerance: 1e-6)
    expectClose(
      chain.gradient(marginals: chain.marginalGradient(channelFactors: reference.slopes.floats)),
      reference.mask_gradient.numbers, tolerance: 1e-6)
  }

  @Test("Expected cost of whole networks at given α, in all and by group", arguments: dmcp.models.list.indices)
  func expectedCost(index: Int) throws {
    let reference = Self.dmcp.models.list[index]
    let name = reference.model.text
    let widths = reference.widths.numbers
    let range = WidthRange(minimum: widths[0], maximum: widths[1], offset: widths[2])
    let network = try NetworkZoo.network(named: name).scalingWidth(by: range.maximum, divisor: 8)
    let polynomial = try RelaxedCost(network)
    let operators = reference.operators.list
    // The reference lists its operators in the order in which modules were made; ours are in network order. They are matched
    // by the convolutions that put out their channels.
    let resolved = try network.resolved()
    let producers = try producers(reference.layers.list, resolved)
    for state in reference.cases.list {
      let expected = state.expected_channels.numbers
      let channels = polynomial.groups.map { group in
        operators.firstIndex { $0.name.text == producers[group] }.map { expected[$0] } ?? .nan
      }
      // The official code counts the classifier's bias: one operation a class.
      expectClose(
        polynomial.evaluate(channels), state.expected_mflops.number * 1e6 - 1000, tolerance: 1e-9,
        "\(name), \(state.setting.text)")
      guard state.alphas.exists else { continue }
      for (number, alphas) in state.alphas.list.enumerated() {
        expectClose(chain(operators[number], alphas: alphas.numbers).expectation, expected[number], tolerance: 1e-9)
      }
    }
    // The derivative by α, where no depthwise layer's share is doubled.
    for state in reference.cases.list where state.gradients.exists && name == "resnet18" {
      let expected = state.expected_channels.numbers
      let indices = polynomial.groups.map { group in operators.firstIndex { $0.name.text == producers[group] } ?? 0 }
      let slopes = polynomial.gradient(indices.map { expected[$0] })
      for (slope, number) in zip(slopes, indices) {
        let alphas = state.alphas.exists ? state.alphas.list[number].numbers : operators[number].zeros
        let chain = chain(operators[number], alphas: alphas)
        let gradient = chain.gradient(marginals: chain.grid.groups.map { slope * Double($0) / 1e6 })
        expectClose(gradient, state.gradients.list[number].numbers, tolerance: 1e-8)
      }
    }
  }

  // Our group → the reference's operator, by going through both networks' convolutions in order.
  private func producers(_ layers: [Reference], _ resolved: ResolvedNetwork) throws -> [WidthGroup.ID: String] {
    let own = resolved.layers.filter { layer in
      switch layer.layer.operation {
      case .convolution, .linear: true
      default: false
      }
    }
    #expect(own.count == layers.count)
    var result: [WidthGroup.ID: String] = [:]
    for (layer, reference) in zip(own, layers) {
      guard let group = layer.group, reference.output.exists else { continue }
      #expect(result[group] == nil || result[group] == reference.output.text, "\(layer.layer.name)")
      result[group] = reference.output.text
    }
    return result
  }

  @Test("The budget loss and its derivative")
  func budgetLoss() {
    for reference in Self.dmcp.flops_loss.list {
      let loss = BudgetLoss(target: reference.target.number)
      let expected = reference.expected.number
      let weight = reference.weight.number
      // Ours guards the logarithm against 0 with 1e-6.
      expectClose(weight * loss.value(expected), reference.weighted_loss.number, tolerance: 1e-5, "\(expected)")
      expectClose(
        weight * loss.derivative(expected), reference.weighted_gradient.number, tolerance: 1e-4, "\(expected)")
    }
  }

  @Test("Distillation and label smoothing")
  func losses() throws {
    let losses = Self.dmcp.losses
    let shape = losses.shape.integers
    let labels = try Tensor(losses.labels.integers.map(Int64.init))
    func logits(_ reference: Reference) throws -> Tensor {
      let tensor = try Tensor(reference.floats, shape: shape)
      try tensor.setRequiresGradient(true)
      return tensor
    }
    let teacher = try Tensor(losses.teacher.floats, shape: shape).softmax()
    for reference in losses.kl.list where reference.temperature.number == 1 {
      let student = try logits(losses.student)
      let loss = try student.klDivergence(from: teacher)
      try loss.backward()
      expectClose(try loss.item(), reference.loss.number, tolerance: 1e-5)
      let gradient: [Float] = try #require(student.gradient).array()
      expectClose(gradient.map(Double.init), reference.gradient.numbers, tolerance: 1e-5)
    }
    for reference in losses.label_smoothing.list {
      let student = try logits(losses.student)
      let loss = try student.crossEntropy(labels, labelSmoothing: reference.smoothing.number)
      try loss.backward()
      expectClose(try loss.item(), reference.loss.number, tolerance: 1e-5)
      let gradient: [Float] = try #require(student.gradient).array()
      expectClose(gradient.map(Double.init), reference.gradient.numbers, tolerance: 1e-5)
    }
  }

  // Worked by hand.
  @Test("Distillation of the specification's example, as divergence and as soft cross-entropy")
  func distillation() throws {
    let teacher = try Tensor([2, 1, 0] as [Float], shape: [1, 3]).softmax()
    let student = try Tensor([1, 1, 1] as [Float], shape: [1, 3])
    let probabilities: [Float] = try teacher.array()
    expectClose(probabilities.map(Double.init), [0.66524, 0.24473, 0.09003], tolerance: 1e-5)
    expectClose(try student.klDivergence(from: teacher).item(), 0.266217, tolerance: 1e-5)
    let soft: [Float] = try student.logSoftmax().array()
    expectClose(-zip(probabilities, soft).reduce(0) { $0 + Double($1.0 * $1.1) }, 1.098612, tolerance: 1e-5)
  }

  @Test("Learning rates")
  func learningRates() {
    for reference in Self.dmcp.learning_rates.list {
      let warmUp = reference.warmup_steps.integer
      let base = reference.base.number
      let peak = warmUp > 0 ? reference.warmup_rate.number : base
      let schedule = Schedule(
        peak: peak, initial: base, final: reference.minimum.number, shape: .cosine, warmUpSteps: warmUp,
        totalSteps: reference.total_steps.integer)
      for (step, rate) in zip(reference.steps.integers, reference.rates.numbers) {
        expectClose(schedule.rate(at: step), rate, tolerance: 1e-9, "\(reference.name.text) step \(step)")
      }
    }
  }

  @Test("Rounding to a divisor")
  func rounding() {
    for reference in [Self.dmcp.make_divisible, Self.slimmable.make_divisible] {
      for (value, rounded) in zip(reference.values.numbers, reference.rounded.integers) {
        let found = makeDivisible(value, divisor: reference.divisor.integer, minimum: reference.minimum.integer)
        #expect(found == rounded, "\(value)")
      }
    }
  }

  // MARK: - Slimmable layers

  @Test(
    "Convolutions: a slice gives what the public slimmable layer gives", arguments: slimmable.convolutions.list.indices)
  func convolutions(index: Int) throws {
    let reference = Self.slimmable.convolutions.list[index]
    let shape = reference.input_shape.integers
    let isDepthwise = reference.depthwise.isTrue
    // The channels that a slimmable layer reads come from a layer before it: here an identity, so that the input is given.
    let hasSource = reference.slimmable.flags[0]
    let inputs = reference.in_channels.integer
    var layers: [Layer] = []
    if hasSource {
      layers.append(
        Layer(
          name: "source", operation: .convolution(Convolution(outputChannels: inputs, kernelSize: Extent(1))),
          inputs: ["input"]))
    }
    let convolution = Convolution(
      outputChannels: reference.out_channels.integer, kernelSize: Extent(reference.kernel.integer),
      stride: Extent(reference.stride.integer), padding: Extent(reference.padding.integer),
      grouping: isDepthwise ? .depthwise : .dense, hasBias: reference.bias.exists)
    layers.append(
      Layer(name: "conv", operation: .convolution(convolution), inputs: [hasSource ? "source" : "input"]))
    // The last layer's channels are no group's, so one follows that is not looked at.
    layers += [
      Layer(name: "pool", operation: .globalAveragePool, inputs: ["conv"]),
      Layer(name: "fc", operation: .linear(Linear(outputFeatures: 1)), inputs: ["pool"]),
    ]
    let network = Network(
      name: reference.name.text, input: Shape(channels: inputs, height: shape[2], width: shape[3]), layers: layers)
    let model = try Model(network, seed: 0)
    try model.set("conv.weight", reference.weight.floats, reference.weight_shape.integers)
    if reference.bias.exists { try model.set("conv.bias", reference.bias.floats, [reference.out_channels.integer]) }
    if hasSource { try model.set("source.weight", identity(inputs), [inputs, inputs, 1, 1]) }
    let images = try Tensor(reference.input.floats, shape: shape)
    for width in reference.widths.list {
      var widths: [WidthGroup.ID: Int] = [:]
      for group in model.plan.resolved.widthGroups {
        widths[group.id] = group.id == "conv" ? width.out_channels.integer : width.in_channels.integer
      }
      let plan = try ExecutionPlan(model.plan.resolved.network(with: Widths(widths)))
      let found = try withoutGradients { try model.output(of: "conv", images, as: plan) }
      #expect(found.shape == width.output_shape.integers)
      let numbers: [Float] = try found.array()
      expectClose(numbers.map(Double.init), width.output.numbers, tolerance: 1e-5, reference.name.text)
    }
  }

  @Test("Linear layers")
  func linear() throws {
    let reference = Self.slimmable.linear
    let (inputs, outputs) = (reference.in_features.integer, reference.out_features.integer)
    let network = Network(
      name: "linear", input: Shape(channels: inputs, height: 1, width: 1),
      layers: [
        Layer(
          name: "source", operation: .convolution(Convolution(outputChannels: inputs, kernelSize: Extent(1))),
          inputs: ["input"]),
        Layer(name: "fc", operation: .linear(Linear(outputFeatures: outputs)), inputs: ["source"]),
      ])
    let model = try Model(network, seed: 0)
    try model.set("source.weight", identity(inputs), [inputs, inputs, 1, 1])
    try model.set("fc.weight", reference.weight.floats, [outputs, inputs])
    try model.set("fc.bias", reference.bias.floats, [outputs])
    let images = try Tensor(reference.input.floats, shape: [reference.batch.integer, inputs, 1, 1])
    for width in reference.widths.list {
      let plan = try ExecutionPlan(network.with(["source": width.in_features.integer]))
      let found: [Float] = try withoutGradients { try model.forward(images, as: plan, .init(.batch)).array() }
      expectClose(found.map(Double.init), width.output.numbers, tolerance: 1e-5)
    }
  }

  @Test("Batch normalization in training mode")
  func batchNorm() throws {
    let reference = Self.slimmable.batch_norm
    let channels = reference.channels.integer
    let shape = reference.input_shape.integers
    let network = Network(
      name: "norm", input: Shape(channels: channels, height: shape[2], width: shape[3]),
      layers: [
        Layer(
          name: "source", operation: .convolution(Convolution(outputChannels: channels, kernelSize: Extent(1))),
          inputs: ["input"]),
        Layer(name: "bn", operation: .batchNorm(BatchNorm(epsilon: reference.epsilon.number)), inputs: ["source"]),
        Layer(name: "pool", operation: .globalAveragePool, inputs: ["bn"]),
        Layer(name: "fc", operation: .linear(Linear(outputFeatures: 1)), inputs: ["pool"]),
      ])
    let model = try Model(network, seed: 0)
    try model.set("source.weight", identity(channels), [channels, channels, 1, 1])
    try model.set("bn.weight", reference.weight.floats, [channels])
    try model.set("bn.bias", reference.bias.floats, [channels])
    let images = try Tensor(reference.input.floats, shape: shape)
    for width in reference.widths.list {
      let plan = try ExecutionPlan(network.with(["source": width.channels.integer]))
      let found: [Float] = try withoutGradients { try model.output(of: "bn", images, as: plan).array() }
      expectClose(found.map(Double.init), width.output.numbers, tolerance: 1e-5)
    }
  }

  private func identity(_ channels: Int) -> [Float] {
    (0..<channels * channels).map { $0 / channels == $0 % channels ? 1 : 0 }
  }
}

extension Reference {
  fileprivate var zeros: [Double] { Array(repeating: 0, count: self["groups"].integer) }
}

extension Model {
  fileprivate func set(_ name: String, _ values: [Float], _ shape: [Int]) throws {
    let parameter = try #require(parameters.first { $0.name == name })
    #expect(parameter.tensor.shape == shape, "\(name)")
    try withoutGradients { try parameter.tensor.copy(from: Tensor(values, shape: shape)) }
  }
}
