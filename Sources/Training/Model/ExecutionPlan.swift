import Networks
import Torch

/// A network prepared for running: names turned into positions, shapes into slices, lifetimes worked out.
///
/// A plan of a narrower version of a model's network runs on the front slices of the model's parameters.
public struct ExecutionPlan: Sendable {
  /// The network that the plan runs.
  public let resolved: ResolvedNetwork
  /// Multiply-accumulates of one image.
  public let macs: Int

  let steps: [Step]
  /// The layers that are normalizations, in network order.
  let normalizations: [Int]
  /// How many results a run has places for.
  let slotCount: Int
  /// In how many runs the channels of a width group lie of which a narrower network keeps the fronts; groups that are not here lie
  /// in one.
  ///
  /// A convolution in groups reads as many channels for each of its groups. A narrower one therefore keeps the front of every group's
  /// channels, and so does whatever else lies on them.
  let blocks: [WidthGroup.ID: Int]

  /// Some layers in a row that are computed at once.
  struct Step: Sendable {
    /// The layers; what the last of them gives is the step's result, that of the others is nowhere.
    var layers: ClosedRange<Int>
    var instruction: Instruction
    /// The slots that it reads, −1 for the images.
    var inputs: [Int]
    /// The slot of its result.
    var result: Int
    /// Slots that nothing reads after this step.
    var released: [Int]
    /// Whether the first input is read by this step alone and its producer's derivative does not need it.
    var mayOverwriteFirstInput: Bool
    /// Whether all that reads this step's result is an addition.
    var isAddend: Bool
  }

  enum Instruction: Sendable {
    case convolution(ConvolutionExecution, weight: Slices, bias: Slices?)
    case batchNorm(index: Int, channels: Slices, epsilon: Double, momentum: Double)
    case linear(weight: Slices, bias: Slices?)
    case activation(Activation)
    case add
    case multiply
    case concatenate
    case maxPool(Pool)
    case averagePool(Pool)
    case adaptiveAveragePool(Size2D)
    case globalAveragePool
    case flatten
    case dropout(Double, perSample: Bool)
    case other(any TensorOperation, parameters: [Slices])
  }

  /// The part of a parameter that a plan uses: the position of the parameter, its layer, and segments along its dimensions.
  struct Slices: Sendable {
    var parameter: Int
    var layer: Int
    var output: [ChannelSegment]?
    var input: [ChannelSegment]?
    /// A filter reads one in so many of the input's channels: the groups of a convolution.
    var inputDivisor = 1
  }

  /// Prepares a network.
  ///
  /// - Throws: `NetworkFailure` when the network is not valid.
  public init(_ network: Network) throws { try self.init(try network.resolved()) }

  /// Prepares a resolved network.
  ///
  /// - Throws: `NetworkFailure` that names a layer whose operation cannot be computed here.
  public init(_ resolved: ResolvedNetwork) throws {
    self.resolved = resolved
    macs = resolved.cost.macs
    blocks = Dictionary(
      uniqueKeysWithValues: resolved.widthGroups.filter { $0.granularity > 1 }.map { ($0.id, $0.granularity) })
    let layout = ParameterLayout(resolved)
    // So far a step a layer, and the slot is the layer's position.
    slotCount = resolved.layers.count
    var lastReader = [Int](repeating: -1, count: resolved.layers.count)
    var readers = [Int](repeating: 0, count: resolved.layers.count)
    for (index, layer) in resolved.layers.enumerated() {
      for input in layer.inputIndices where input >= 0 {
        lastReader[input] = index
        readers[input] += 1
      }
    }
    let isAddend = Self.addends(resolved, readers: readers)
    var normalizations: [Int] = []
    steps = try resolved.layers.enumerated().map { index, layer in
      if case .batchNorm = layer.layer.operation { normalizations.append(index) }
      let first = layer.inputIndices.first ?? -1
      return Step(
        layers: index...index,
        instruction: try Self.instruction(for: layer, at: index, in: resolved, layout, normalizations.count - 1),
        inputs: layer.inputIndices, result: index,
        released: Set(layer.inputIndices.filter { $0 >= 0 && lastReader[$0] == index }).sorted(),
        mayOverwriteFirstInput: first >= 0 && readers[first] == 1
          && Self.isOutputFree(resolved.layers[first].layer.operation),
        isAddend: isAddend[index])
    }
    self.normalizations = normalizations
  }

  /// The slot of a layer's result; nil where it is computed together with the next layer and never laid down.
  func slot(of layer: Int) -> Int? { steps.first { $0.layers.last == layer }?.result }

  /// Whether all that reads a layer's result is an addition, directly or through layers that drop samples or elements.
  private static func addends(_ resolved: ResolvedNetwork, readers: [Int]) -> [Bool] {
    var additions = [Int](repeating: 0, count: readers.count)
    var result = additions.map { _ in false }
    for (index, layer) in resolved.layers.enumerated().reversed() {
      result[index] = readers[index] > 0 && additions[index] == readers[index]
      let leads: Bool
      switch layer.layer.operation {
      case .add: leads = true
      case .stochasticDepth, .dropout: leads = result[index]
      case .convolution, .batchNorm, .activation, .multiply, .concatenate, .maxPool, .averagePool,
        .adaptiveAveragePool, .globalAveragePool, .flatten, .linear, .other:
        leads = false
      }
      if leads { for input in layer.inputIndices where input >= 0 { additions[input] += 1 } }
    }
    return result
  }

  /// Whether the derivative of an operation does without the operation's result, so that a later one may overwrite it.
  private static func isOutputFree(_ operation: Operation) -> Bool {
    switch operation {
    case .convolution, .batchNorm, .linear, .add: true
    case .activation, .multiply, .concatenate, .maxPool, .averagePool, .adaptiveAveragePool, .globalAveragePool,
      .flatten, .dropout, .stochasticDepth:
      false
    case .other(let other): !((other.definition as? any TensorOperation)?.derivativeReadsResult ?? true)
    }
  }

  private static func instruction(
    for layer: ResolvedLayer, at index: Int, in resolved: ResolvedNetwork, _ layout: ParameterLayout,
    _ normalization: Int
  ) throws -> Instruction {
    let parameter = layout.first[index]
    let input = resolved.inputSegments(of: index).first ?? []
    switch layer.layer.operation {
    case .convolution(let convolution):
      let execution = ConvolutionExecution(convolution, inputChannels: layer.inputs[0].channels)
      // A depthwise weight is [channels, 1, …]: its second dimension is never sliced.
      let isDepthwise = convolution.grouping == .depthwise
      return .convolution(
        execution,
        weight: Slices(
          parameter: parameter, layer: index, output: layer.outputSegments, input: isDepthwise ? nil : input,
          inputDivisor: isDepthwise ? 1 : execution.groups),
        bias: convolution.hasBias ? Slices(parameter: parameter + 1, layer: index, output: layer.outputSegments) : nil)
    case .batchNorm(let norm):
      return .batchNorm(
        index: normalization, channels: Slices(parameter: parameter, layer: index, output: layer.outputSegments),
        epsilon: norm.epsilon, momentum: norm.momentum)
    case .linear(let linear):
      return .linear(
        weight: Slices(parameter: parameter, layer: index, output: layer.outputSegments, input: input),
        bias: linear.hasBias ? Slices(parameter: parameter + 1, layer: index, output: layer.outputSegments) : nil)
    case .activation(let function): return .activation(function)
    case .add: return .add
    case .multiply: return .multiply
    case .concatenate: return .concatenate
    case .maxPool(let pool): return .maxPool(pool)
    case .averagePool(let pool): return .averagePool(pool)
    case .adaptiveAveragePool(let pool): return .adaptiveAveragePool(Size2D(pool.height, pool.width))
    case .globalAveragePool: return .globalAveragePool
    case .flatten: return .flatten
    case .dropout(let dropout): return .dropout(dropout.probability, perSample: false)
    case .stochasticDepth(let depth): return .dropout(depth.probability, perSample: true)
    case .other(let other):
      guard let operation = other.definition as? any TensorOperation else {
        throw NetworkFailure(layer: layer.layer.name, "nothing here computes the operation \(other.definition.kind)")
      }
      return .other(
        operation,
        parameters: operation.parameters.enumerated().map { offset, form in
          Slices(
            parameter: parameter + offset, layer: index,
            output: form.dimensions.first == .output ? layer.outputSegments : nil,
            input: form.dimensions.dropFirst().first == .input() ? input : nil)
        })
    }
  }
}
