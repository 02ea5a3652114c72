/// Neighbouring layers that an inference engine computes as one, and whose time is measured as one.
public struct LatencyStep: Sendable, Hashable {
  /// The positions of the layers, in network order.
  public var layers: [Int]
  /// What the time depends on beside the channels.
  public var form: LatencyForm
  /// The layer whose channels go in, -1 for the image.
  public var input: Int
  /// The layer whose channels come out: the last.
  public var output: Int { layers[layers.count - 1] }
}

extension ResolvedNetwork {
  /// The steps of the network at inference.
  ///
  /// A convolution or a linear layer takes in the batch normalization behind it, which then is part of its weights, and any step an
  /// activation behind it, where nothing else reads what is between. Dropout does nothing at inference, and a flattening is another
  /// look at the same numbers; neither is a step.
  public var latencySteps: [LatencyStep] {
    var readers = [Int](repeating: 0, count: layers.count)
    for layer in layers { for input in layer.inputIndices where input >= 0 { readers[input] += 1 } }
    var steps: [LatencyStep] = []
    // The step that a layer is the end of.
    var ends: [Int: Int] = [:]
    for (index, layer) in layers.enumerated() {
      let source = layer.inputIndices[0]
      let operation = layer.layer.operation
      let before = source >= 0 && readers[source] == 1 ? ends[source] : nil
      switch operation {
      // An activation behind several places of a channel would have to know of them.
      case .flatten where layer.inputs[0].height * layer.inputs[0].width > 1: continue
      case .dropout, .stochasticDepth, .flatten:
        // What it reads goes on behind it.
        if let before { ends[index] = before }
        continue
      case .batchNorm:
        if let before, steps[before].form.takesNormalization {
          steps[before].layers.append(index)
          steps[before].form = steps[before].form.withBias()
          ends[index] = before
          continue
        }
      case .activation:
        if let before, !steps[before].form.isActivated {
          steps[before].layers.append(index)
          steps[before].form.operations.append(operation)
          ends[index] = before
          continue
        }
      case .convolution, .linear, .add, .multiply, .concatenate, .maxPool, .averagePool, .adaptiveAveragePool,
        .globalAveragePool, .other:
        break
      }
      ends[index] = steps.count
      steps.append(
        LatencyStep(
          layers: [index],
          form: LatencyForm([operation], height: layer.inputs[0].height, width: layer.inputs[0].width), input: source))
    }
    return steps
  }
}

extension LatencyForm {
  // Whether a batch normalization behind it becomes part of its weights.
  fileprivate var takesNormalization: Bool {
    guard operations.count == 1 else { return false }
    switch operations[0] {
    case .convolution, .linear: return true
    case .batchNorm, .activation, .add, .multiply, .concatenate, .maxPool, .averagePool, .adaptiveAveragePool,
      .globalAveragePool, .flatten, .dropout, .stochasticDepth, .other:
      return false
    }
  }

  fileprivate var isActivated: Bool {
    if case .activation = operations[operations.count - 1] { return true }
    return false
  }

  fileprivate func withBias() -> LatencyForm {
    var form = self
    switch operations[0] {
    case .convolution(var convolution):
      convolution.hasBias = true
      form.operations[0] = .convolution(convolution)
    case .linear(var linear):
      linear.hasBias = true
      form.operations[0] = .linear(linear)
    case .batchNorm, .activation, .add, .multiply, .concatenate, .maxPool, .averagePool, .adaptiveAveragePool,
      .globalAveragePool, .flatten, .dropout, .stochasticDepth, .other:
      break
    }
    return form
  }
}
