import ImageFiles
import Networks
import Torch

extension Model {
  /// Computes logits [batch, classes] for images [batch, channels, height, width].
  ///
  /// - Parameters:
  ///   - images: Normalized images on the model's device.
  ///   - narrower: The plan of a network that differs from the model's in its widths only; nil for full width.
  ///   - options: How batch normalization and dropout behave.
  public func forward(
    _ images: Tensor, as narrower: ExecutionPlan? = nil, _ options: ForwardOptions
  ) throws -> Tensor {
    if !recomputedParts.isEmpty, recordsGradients, (narrower ?? plan).steps.count == plan.steps.count {
      return try recomputingForward(images, as: narrower, options)
    }
    var values = [Tensor?](repeating: nil, count: (narrower ?? plan).slotCount)
    return try run(narrower, on: images, &values, options)
  }

  /// Runs a plan, or the part of it that is not known yet.
  ///
  /// - Parameters:
  ///   - values: The results of steps, by slot; on return, those that are kept.
  ///   - computed: Whether each slot's value is to be computed; the others are given. Nil computes all.
  ///   - kept: Whether each slot's value is still wanted when the run is over. Nil keeps none.
  func run(
    _ narrower: ExecutionPlan?, on images: Tensor, _ values: inout [Tensor?], computed: [Bool]? = nil,
    kept: [Bool]? = nil, _ options: ForwardOptions
  ) throws -> Tensor {
    let plan = narrower ?? self.plan
    let slicer = Slicer(tensors: parameters, full: narrower == nil ? nil : self.plan)
    let statistics = options.statistics ?? self.statistics
    var result = images
    // Convolutions whose results are normalized already, by slot.
    var normalized: Set<Int> = []
    for step in plan.steps where computed?[step.result] ?? true {
      let operands = try Self.aligned(step.inputs.map { $0 < 0 ? images : values[$0]! })
      let first = operands[0]
      // What others still want to read stays as it is.
      let isOwn = step.inputs[0] < 0 || ((computed?[step.inputs[0]] ?? true) && !(kept?[step.inputs[0]] ?? false))
      let overwrites = step.mayOverwriteFirstInput && options.reusesBuffers && isOwn
      switch step.instruction {
      case .convolution(let execution, let weight, let bias):
        var (filters, offset) = (try slicer.parameter(weight), try bias.map { try slicer.parameter($0) })
        if let folded = options.usableFolded, let normalizer = step.normalizer.map({ plan.steps[$0] }),
          computed?[normalizer.result] ?? true, !(kept?[step.result] ?? false),
          case .batchNorm(let position, let channels, let epsilon, _, _) = normalizer.instruction
        {
          if let known = folded.values[step.result] {
            (filters, offset) = known
          } else {
            let norm = try Norm(
              position, channels, slicer, statistics, slicesStatistics: narrower != nil && options.statistics == nil)
            (filters, offset) = try norm.folded(into: filters, offset, epsilon: epsilon)
            folded.values[step.result] = (filters, offset)
          }
          normalized.insert(step.result)
        }
        result = try execution(first.asMap, weight: filters, bias: offset)
      case .batchNorm(_, _, _, _, let fused) where normalized.contains(step.inputs[0]):
        // Nothing else reads a convolution whose normalization is taken into it.
        result = first
        if fused?.adds == true { try result.add(inPlace: operands[1]) }
        result = try Self.activated(result, fused?.activation ?? .none, inPlace: true)
      case .batchNorm(let position, let channels, let epsilon, let momentum, let fused):
        // Factors on a sum stand between the addition and the activation.
        let factors = fused?.adds == true ? try sumFactors(of: step, plan, options) : nil
        result = try normalize(
          first, position, channels, slicer, try normFactors(of: step, channels.output ?? [], options),
          options.normalization, statistics, slicesStatistics: narrower != nil && options.statistics == nil,
          epsilon: epsilon, among: options.synchronizer,
          momentum: momentum, adding: fused?.adds == true && factors == nil ? operands[1] : nil,
          activation: factors == nil ? fused?.activation ?? .none : .none)
        if let factors, let fused {
          result = try Self.activated(
            try (result + operands[1]) * factors, fused.activation, inPlace: options.reusesBuffers)
        }
      case .linear(let weight, let bias):
        let features = first.rank == 2 ? first : try first.flattened(from: 1)
        result = try features.linear(
          try slicer.parameter(weight), bias: try bias.map { try slicer.parameter($0) })
      case .activation(.relu): result = try first.relu(inPlace: overwrites)
      case .activation(.relu6): result = try first.relu6(inPlace: overwrites)
      case .activation(.silu): result = try first.silu()
      case .activation(.sigmoid): result = try first.sigmoid()
      case .activation(.hardSwish): result = try first.hardSwish()
      case .activation(.hardSigmoid): result = try first.hardSigmoid()
      case .activation(.leakyRelu): result = try first.leakyRelu()
      case .activation(.gelu): result = try first.gelu()
      case .add:
        if overwrites {
          try first.add(inPlace: operands[1])
          result = first
        } else {
          result = try first + operands[1]
        }
        for operand in operands.dropFirst(2) { result = try result + operand }
        if let factors = try sumFactors(of: step, plan, options) { result = try result * factors }
      case .multiply: result = try first * operands[1]
      case .concatenate: result = try .concatenate(operands, 1)
      case .maxPool(let pool):
        result = try first.asMap.maxPool2d(
          kernel: pool.kernelSize.size, stride: pool.stride.size, padding: pool.padding.size, ceilMode: pool.roundsUp)
      case .averagePool(let pool):
        result = try first.asMap.averagePool2d(
          kernel: pool.kernelSize.size, stride: pool.stride.size, padding: pool.padding.size, ceilMode: pool.roundsUp,
          countsPadding: pool.countsPadding)
      case .adaptiveAveragePool(let size): result = try first.asMap.adaptiveAveragePool2d(size)
      case .globalAveragePool: result = try first.asMap.mean([2, 3], keepingDimensions: true)
      case .flatten: result = try first.flattened(from: 1)
      case .dropout(let probability, let perSample):
        if let generator = options.dropout, probability > 0 {
          result = try first.dropout(probability, perSample: perSample, place: options.place, generator: generator)
        } else {
          result = first
        }
      case .other(let operation, let parameters):
        result = try operation.forward(
          operands, parameters: try parameters.map { try slicer.parameter($0) },
          isTraining: options.normalization != .evaluation)
      }
      if step.carriesFactors, let factors = try outputFactors(of: step, plan, options) {
        result = try result * (result.rank == 2 ? factors : factors.unsqueezed(1).unsqueezed(2))
      }
      values[step.result] = result
      for input in step.released where !(kept?[input] ?? false) { values[input] = nil }
    }
    // A network may end in maps of one pixel, without a flatten.
    return result.rank == 2 ? result : try result.flattened(from: 1)
  }

  // Features [batch, channels] and maps of one pixel are one thing to a network, but tensors of unlike ranks broadcast.
  private static func aligned(_ operands: [Tensor]) throws -> [Tensor] {
    guard operands.count > 1, operands.contains(where: { $0.rank != operands[0].rank }) else { return operands }
    return try operands.map { try $0.asMap }
  }

  private func normFactors(
    of step: ExecutionPlan.Step, _ segments: [ChannelSegment], _ options: ForwardOptions
  ) throws -> Tensor? {
    if options.scalePlacement == .additions && step.isAddend { return nil }
    return try factors(segments, options.channelScales)
  }

  /// The factors on channels that no batch normalization follows.
  private func outputFactors(
    of step: ExecutionPlan.Step, _ plan: ExecutionPlan, _ options: ForwardOptions
  ) throws -> Tensor? {
    guard !options.channelScales.isEmpty, options.scalePlacement != .additions || !step.isAddend else { return nil }
    return try factors(plan.resolved.layers[step.layers.upperBound].outputSegments, options.channelScales)
  }

  /// The factors on the channels of a sum, [channels, 1, 1].
  private func sumFactors(of step: ExecutionPlan.Step, _ plan: ExecutionPlan, _ options: ForwardOptions) throws
    -> Tensor?
  {
    guard options.scalePlacement == .additions, !options.channelScales.isEmpty else { return nil }
    return try factors(plan.resolved.layers[step.layers.upperBound].outputSegments, options.channelScales)?
      .unsqueezed(1).unsqueezed(2)
  }

  /// The factors on the channels of a normalization, nil when none of its groups has any; several groups after a
  /// concatenation.
  private func factors(_ segments: [ChannelSegment], _ scales: [WidthGroup.ID: Tensor]) throws -> Tensor? {
    guard segments.contains(where: { $0.group.map { scales[$0] != nil } ?? false }) else { return nil }
    let parts = try segments.map { segment in
      guard let whole = segment.group.flatMap({ scales[$0] }) else {
        return try Tensor.ones([segment.channels], device: device)
      }
      // What a split has left stands for the same place in every part, and a unit of the group has one factor in all of them.
      let scale = segment.divisor > 1 ? try whole.slice(0, 0..<segment.channels / segment.positions) : whole
      if segment.positions == 1 { return scale }
      // After a flatten a channel is as many features as it had positions.
      return try (scale.unsqueezed(1) * Tensor.ones([1, segment.positions], device: device)).flattened()
    }
    return parts.count == 1 ? parts[0] : try .concatenate(parts)
  }

  private func normalize(
    _ input: Tensor, _ position: Int, _ channels: ExecutionPlan.Slices, _ slicer: Slicer,
    _ scale: Tensor?, _ mode: ForwardOptions.Normalization, _ statistics: BatchStatistics,
    slicesStatistics: Bool, epsilon: Double, among group: ProcessGroup?, momentum: Double, adding residual: Tensor?,
    activation: Tensor.FusedActivation
  ) throws -> Tensor {
    let norm = try Norm(
      position, channels, slicer, statistics, slicesStatistics: slicesStatistics && mode != .batch)
    var (gamma, beta) = (norm.gamma, norm.beta)
    if let scale {
      // A factor after the normalization is a factor on its scale and shift: no pass over the activation is needed.
      gamma = try gamma * scale
      beta = try beta * scale
    }
    var (mean, variance): (Tensor?, Tensor?) = (norm.mean, norm.variance)
    var rate = momentum
    switch mode {
    case .batch: (mean, variance) = (nil, nil)
    case .training: statistics.batchesTracked[position] += 1
    case .recalibration:
      statistics.batchesTracked[position] += 1
      rate = 1 / Double(statistics.batchesTracked[position])
    case .evaluation: break
    }
    if let group, mode != .evaluation {
      var result = try input.synchronizedBatchNorm(
        weight: gamma, bias: beta, runningMean: mean, runningVariance: variance, momentum: rate, epsilon: epsilon,
        group: group)
      if let residual { result = try result + residual }
      return try Self.activated(result, activation, inPlace: !result.requiresGradient)
    }
    guard mode != .evaluation && plan.fuses else {
      var result = try input.batchNorm(
        weight: gamma, bias: beta, runningMean: mean, runningVariance: variance, training: mode != .evaluation,
        momentum: rate, epsilon: epsilon)
      if let residual { result = try result + residual }
      return try Self.activated(result, activation, inPlace: !result.requiresGradient)
    }
    return try input.fusedBatchNorm(
      weight: gamma, bias: beta, adding: residual, runningMean: mean, runningVariance: variance, momentum: rate,
      epsilon: epsilon, activation: activation)
  }

  private static func activated(_ value: Tensor, _ activation: Tensor.FusedActivation, inPlace: Bool) throws -> Tensor {
    switch activation {
    case .none: value
    case .relu: try value.relu(inPlace: inPlace)
    case .relu6: try value.relu6(inPlace: inPlace)
    case .hardSwish: try value.hardSwish()
    case .silu: try value.silu(inPlace: inPlace)
    }
  }
}

extension Tensor {
  /// Features [batch, channels] as maps of one pixel; other tensors as they are.
  var asMap: Tensor { get throws { rank == 2 ? try unsqueezed(2).unsqueezed(3) : self } }
}

extension Extent {
  var size: Size2D { Size2D(height, width) }
}

extension ForwardOptions {
  fileprivate var usableFolded: FoldedWeights? {
    normalization == .evaluation && channelScales.isEmpty ? folded : nil
  }
}

/// What a batch normalization computes with, [channels] each.
private struct Norm {
  let gamma: Tensor
  let beta: Tensor
  let mean: Tensor
  let variance: Tensor

  init(
    _ position: Int, _ channels: ExecutionPlan.Slices, _ slicer: Slicer, _ statistics: BatchStatistics,
    slicesStatistics: Bool
  ) throws {
    var shift = channels
    shift.parameter += 1
    gamma = try slicer.parameter(channels)
    beta = try slicer.parameter(shift)
    let (wholeMean, wholeVariance) = (statistics.means[position], statistics.variances[position])
    guard slicesStatistics else {
      (mean, variance) = (wholeMean, wholeVariance)
      return
    }
    mean = try slicer.slice(wholeMean, 0, channels.output ?? [], slicer.fullOutput(of: channels))
    variance = try slicer.slice(wholeVariance, 0, channels.output ?? [], slicer.fullOutput(of: channels))
  }

  /// The filters and offsets of a convolution that gives what this one and the normalization of its result give: γ/σ · w and
  /// β + γ/σ · (b − μ).
  func folded(into filters: Tensor, _ offset: Tensor?, epsilon: Double) throws -> (filters: Tensor, offset: Tensor?) {
    let scale = try gamma / (variance + epsilon).sqrt()
    let centre = try offset.map { try $0 - mean } ?? (mean * -1)
    return (try filters * scale.reshaped([scale.shape[0], 1, 1, 1]), try beta + scale * centre)
  }
}

/// Takes the front part of parameters for a narrower network.
private struct Slicer {
  let tensors: [Parameter]
  let full: ExecutionPlan?

  func fullOutput(of slices: ExecutionPlan.Slices) -> [ChannelSegment] {
    full?.resolved.layers[slices.layer].outputSegments ?? []
  }

  func parameter(_ slices: ExecutionPlan.Slices) throws -> Tensor {
    let tensor = tensors[slices.parameter].tensor
    guard let full else { return tensor }
    var result = tensor
    if let output = slices.output {
      result = try slice(result, 0, output, full.resolved.layers[slices.layer].outputSegments)
    }
    if let input = slices.input {
      result = try slice(
        result, 1, input, full.resolved.inputSegments(of: slices.layer).first ?? [], divisor: slices.inputDivisor)
    }
    return result
  }

  /// After a concatenation the channels that are kept are the front of each part, not the front of the whole; beside a convolution in
  /// groups the front of each of its groups.
  ///
  /// - Parameter divisor: The dimension has one entry for so many channels.
  func slice(
    _ tensor: Tensor, _ dimension: Int, _ kept: [ChannelSegment], _ all: [ChannelSegment], divisor: Int = 1
  ) throws -> Tensor {
    if kept == all { return tensor }
    var parts: [Tensor] = []
    var offset = 0
    for (part, whole) in zip(kept, all) {
      let (wanted, count) = (part.channels / divisor, whole.channels / divisor)
      let blocks =
        wanted == count ? 1 : (whole.group.flatMap { full?.blocks[$0] } ?? 1) / divisor / whole.divisor
      if blocks <= 1 || !wanted.isMultiple(of: blocks) || !count.isMultiple(of: blocks) {
        parts.append(try tensor.slice(dimension, offset..<offset + wanted))
      } else {
        var shape = tensor.shape
        shape.replaceSubrange(dimension...dimension, with: [blocks, count / blocks])
        let fronts = try tensor.slice(dimension, offset..<offset + count).reshaped(shape)
          .slice(dimension + 1, 0..<wanted / blocks)
        shape.replaceSubrange(dimension...dimension + 1, with: [wanted])
        parts.append(try fronts.reshaped(shape))
      }
      offset += count
    }
    return parts.count == 1 ? parts[0] : try .concatenate(parts, dimension)
  }
}
