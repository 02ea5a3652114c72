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
  /// Whether normalizations are computed by the fused form, together with what is behind them.
  let fuses: Bool
  /// The layers that are normalizations, in network order.
  let normalizations: [Int]
  /// How many results a run has places for.
  let slotCount: Int
  /// In how many runs the channels of a width group lie of which a narrower network keeps the fronts; groups that are not here lie
  /// in one.
  ///
  /// A convolution in groups reads as many channels for each of its groups. A narrower one therefore keeps the front of every group's
  /// channels, and so does whatever else lies on them. Likewise for the parts of a split.
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
    /// Whether it puts out channels that no batch normalization follows, on which factors lie right behind it.
    var carriesFactors = false
    /// The step, of those of the plan, that normalizes this convolution's result and is the only one to read it.
    var normalizer: Int?
  }

  enum Instruction: Sendable {
    case convolution(ConvolutionExecution, weight: Slices, bias: Slices?)
    case batchNorm(index: Int, channels: Slices, epsilon: Double, momentum: Double, FusedLayers?)
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

  /// The layers behind a batch normalization that are computed together with it.
  struct FusedLayers: Sendable, Hashable {
    /// Whether the step's second input is added.
    var adds = false
    /// What comes last; `none` after an addition alone.
    var activation = Tensor.FusedActivation.none
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
  public init(_ network: Network, fuses: Bool = true) throws { try self.init(try network.resolved(), fuses: fuses) }

  /// Prepares a resolved network.
  ///
  /// - Parameter fuses: Whether batch normalizations are computed together with the additions and activations behind them. Without, every
  ///   layer is a step; for comparisons.
  /// - Throws: `NetworkFailure` that names a layer whose operation cannot be computed here.
  public init(_ resolved: ResolvedNetwork, fuses: Bool = true) throws {
    self.resolved = resolved
    macs = resolved.cost.macs
    blocks = Dictionary(
      uniqueKeysWithValues: resolved.widthGroups.filter { $0.granularity > 1 }.map { ($0.id, $0.granularity) })
    let layout = ParameterLayout(resolved)
    // The slot is the position of a step's last layer.
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
    let normalized = Self.normalizedGroups(resolved)
    var normalizations: [Int] = []
    let single = try resolved.layers.enumerated().map { index, layer in
      if case .batchNorm = layer.layer.operation { normalizations.append(index) }
      let first = layer.inputIndices.first ?? -1
      return Step(
        layers: index...index,
        instruction: try Self.instruction(for: layer, at: index, in: resolved, layout, normalizations.count - 1),
        inputs: layer.inputIndices, result: index,
        released: Set(layer.inputIndices.filter { $0 >= 0 && lastReader[$0] == index }).sorted(),
        mayOverwriteFirstInput: first >= 0 && readers[first] == 1
          && Self.isOutputFree(resolved.layers[first].layer.operation),
        isAddend: isAddend[index], carriesFactors: Self.carriesFactors(layer, normalized))
    }
    self.normalizations = normalizations
    self.fuses = fuses
    steps = Self.withNormalizers(fuses ? Self.fused(single, resolved, readers: readers) : single, readers: readers)
  }

  private static func normalizedGroups(_ resolved: ResolvedNetwork) -> Set<WidthGroup.ID> {
    resolved.layers.reduce(into: []) { groups, layer in
      if case .batchNorm = layer.layer.operation { groups.formUnion(layer.outputSegments.compactMap(\.group)) }
    }
  }

  private static func carriesFactors(_ layer: ResolvedLayer, _ normalized: Set<WidthGroup.ID>) -> Bool {
    guard case .produces(_, nil) = layer.layer.operation.definition.channels else { return false }
    return layer.outputSegments.contains { $0.group.map { !normalized.contains($0) } ?? false }
  }

  /// Puts batch normalizations, the additions behind them and the activations behind those into one step each, where nothing else
  /// reads what lies between and they stand in a row.
  private static func fused(_ steps: [Step], _ resolved: ResolvedNetwork, readers: [Int]) -> [Step] {
    var result: [Step] = []
    for step in steps {
      guard var last = result.last,
        case .batchNorm(let index, let channels, let epsilon, let momentum, let before) = last.instruction,
        step.inputs.contains(last.result), readers[last.result] == 1
      else {
        result.append(step)
        continue
      }
      var layers = before ?? FusedLayers()
      switch step.instruction {
      case .add
      where before == nil && step.inputs.count == 2 && step.inputs[0] != step.inputs[1]
        && hasOneShape(step.layers.lowerBound, resolved):
        layers.adds = true
        // The network's input, −1, is there from the start; so is all that was computed before this normalization.
        last.inputs.append(step.inputs[0] == last.result ? step.inputs[1] : step.inputs[0])
      case .activation(let function) where layers.activation == .none && step.inputs.count == 1:
        guard let fused = fusedActivation(function), !(layers.adds && fused.needsInput) else {
          result.append(step)
          continue
        }
        layers.activation = fused
      default:
        result.append(step)
        continue
      }
      last.released = (last.released + step.released).filter { $0 != last.result }
      last.instruction = .batchNorm(index: index, channels: channels, epsilon: epsilon, momentum: momentum, layers)
      last.layers = last.layers.lowerBound...step.layers.upperBound
      last.result = step.result
      last.mayOverwriteFirstInput = false
      result[result.count - 1] = last
    }
    return result
  }

  private static func withNormalizers(_ steps: [Step], readers: [Int]) -> [Step] {
    var result = steps
    for (index, step) in steps.enumerated() {
      guard case .batchNorm = step.instruction, let input = step.inputs.first, input >= 0, readers[input] == 1,
        let producer = steps.firstIndex(where: { $0.result == input }),
        case .convolution = steps[producer].instruction
      else { continue }
      result[producer].normalizer = index
    }
    return result
  }

  // An addition may stretch maps of one pixel, or take features for such maps.
  private static func hasOneShape(_ layer: Int, _ resolved: ResolvedNetwork) -> Bool {
    let inputs = resolved.layers[layer].inputs
    return inputs.allSatisfy { $0 == inputs[0] }
  }

  private static func fusedActivation(_ function: Activation) -> Tensor.FusedActivation? {
    switch function {
    case .relu: .relu
    case .relu6: .relu6
    case .hardSwish: .hardSwish
    case .silu: .silu
    case .sigmoid, .hardSigmoid, .leakyRelu, .gelu: nil
    }
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
        epsilon: norm.epsilon, momentum: norm.momentum, nil)
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
          var slices = Slices(
            parameter: parameter + offset, layer: index,
            output: form.dimensions.first == .output ? layer.outputSegments : nil)
          if case .input(let divisor)? = form.dimensions.dropFirst().first {
            (slices.input, slices.inputDivisor) = (input, divisor)
          }
          return slices
        })
    }
  }
}
