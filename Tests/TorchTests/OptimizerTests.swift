import Testing

@testable import Torch

// Three steps on 0.1 · Σ p³ from (1, -2, 3) at learning rate 0.1; expected values from torch.optim of PyTorch 2.13.
@Suite struct OptimizerTests {
  private func threeSteps(_ step: ([Tensor]) throws -> (Double) throws -> Void) throws -> [Float] {
    let parameter = try Tensor([1, -2, 3] as [Float])
    try parameter.setRequiresGradient(true)
    let advance = try step([parameter])
    for _ in 0..<3 {
      try Tensor.clearGradients([parameter])
      try ((parameter * parameter * parameter).sum() * 0.1).backward()
      try advance(0.1)
    }
    return try parameter.array()
  }

  private func expect(_ values: [Float], _ expected: [Float], sourceLocation: SourceLocation = #_sourceLocation) {
    for (value, reference) in zip(values, expected) {
      #expect(abs(value - reference) < 2e-6, "\(values)", sourceLocation: sourceLocation)
    }
  }

  @Test func nesterovMomentumWithWeightDecayEqualsPyTorch() throws {
    let result = try threeSteps { parameters in
      let optimizer = try SGD(parameters, weightDecays: [0.01], momentum: 0.9, isNesterov: true)
      return { try optimizer.step(learningRate: $0) }
    }
    expect(result, [0.774672, -3.1816258, 1.3435092])
  }

  @Test func momentumWithWeightDecayEqualsPyTorch() throws {
    let result = try threeSteps { parameters in
      let optimizer = try SGD(parameters, weightDecays: [0.01], momentum: 0.9)
      return { try optimizer.step(learningRate: $0) }
    }
    expect(result, [0.8347659, -2.7357123, 1.6762358])
  }

  @Test func plainDescentEqualsPyTorch() throws {
    let result = try threeSteps { parameters in
      let optimizer = try SGD(parameters, weightDecays: [0], momentum: 0)
      return { try optimizer.step(learningRate: $0) }
    }
    expect(result, [0.9151648, -2.4073603, 2.3179498])
  }

  @Test func adamAndAdamWEqualPyTorch() throws {
    for (isDecoupled, expected) in [
      (false, [0.7040483, -2.3004942, 2.7008626]), (true, [0.7015197, -2.294198, 2.6922104]),
    ] as [(Bool, [Float])] {
      let result = try threeSteps { parameters in
        let optimizer = try Adam(parameters, weightDecays: [0.01], isDecoupled: isDecoupled)
        return { try optimizer.step(learningRate: $0) }
      }
      expect(result, expected)
    }
  }

  @Test func aParameterWithoutGradientStays() throws {
    let used = try Tensor([1] as [Float])
    let unused = try Tensor([1] as [Float])
    for tensor in [used, unused] { try tensor.setRequiresGradient(true) }
    let optimizer = try SGD([used, unused], weightDecays: [0.1, 0.1])
    try used.sum().backward()
    try optimizer.step(learningRate: 0.5)
    #expect(try unused.item() == 1)
    #expect(try used.item() == Double(Float(1 - 0.5 * 1.1)))
  }

  @Test func aGradientInAnotherLayoutIsStillAppliedToTheRightWeights() throws {
    let weight = try Tensor((0..<24).map(Float.init), shape: [2, 3, 2, 2]).contiguous(.channelsLast)
    try weight.setRequiresGradient(true)
    let gradient = try Tensor((0..<24).map(Float.init), shape: [2, 3, 2, 2])
    try weight.setGradient(gradient)
    try SGD([weight], weightDecays: [0], momentum: 0).step(learningRate: 1)
    #expect(try weight.array(Float.self).allSatisfy { $0 == 0 })
  }

  @Test func anOverflowingGradientSkipsTheStepAndHalvesTheScale() throws {
    let weight = try Tensor([1] as [Float])
    try weight.setRequiresGradient(true)
    let optimizer = try SGD([weight], weightDecays: [0], momentum: 0)
    let scaler = try GradientScaler(initialScale: 8, device: .cpu)
    for (gradient, expected, scale) in [(Float.infinity, 1.0, 4.0), (4, 0.5, 4)] {
      try weight.setGradient(Tensor([gradient]))
      try scaler.checkGradients([weight])
      try optimizer.step(learningRate: 0.5, scaler: scaler)
      try scaler.update()
      #expect(try weight.item() == expected)
      #expect(try scaler.scale.item() == scale)
    }
  }

  // Expected values from torch.nn.utils.clip_grad_norm_ and torch.optim.SGD of PyTorch 2.13.
  @Test("Gradients are clipped by the norm of all together, whatever the loss was scaled by", arguments: [nil, 8.0])
  func clipping(scale: Double?) throws {
    let parameters = [try Tensor([1, -2, 3] as [Float]), try Tensor([0.5] as [Float]), try Tensor([7] as [Float])]
    for parameter in parameters { try parameter.setRequiresGradient(true) }
    let optimizer = try SGD(parameters, weightDecays: [0.01, 0.01, 0.01], momentum: 0.9, isNesterov: true)
    let scaler = try scale.map { try GradientScaler(initialScale: $0, device: .cpu) }
    for _ in 0..<3 {
      try Tensor.clearGradients(parameters)
      let cube = try parameters[0] * parameters[0] * parameters[0]
      let loss = try cube.sum() * 0.1 + parameters[1].sum() * 2
      try (scaler?.scaled(loss) ?? loss).backward()
      try scaler?.checkGradients(parameters)
      try clipGradients(of: parameters, norm: 0.5, scaler: scaler)
      try optimizer.step(learningRate: 0.1, scaler: scaler)
      try scaler?.update()
    }
    expect(try parameters[0].array(), [0.95814633, -2.1254284, 2.6803219])
    expect(try parameters[1].array(), [0.26633778])
    #expect(try parameters[2].item() == 7, "a parameter without a gradient stays")
    try Tensor.clearGradients(parameters)
    try parameters[1].setGradient(Tensor([0.25]))
    try clipGradients(of: parameters, norm: 0.5)
    #expect(try parameters[1].gradient?.item() == 0.25, "a small one stays as it is")
  }

  @Test func averagesMoveTowardsTheValues() throws {
    let average = try Tensor([0, 10] as [Float])
    try updateAverages([average], towards: [Tensor([1, 20] as [Float])], decay: 0.9)
    let values: [Float] = try average.array()
    #expect(abs(values[0] - 0.1) < 1e-6 && abs(values[1] - 11) < 1e-5)
  }
}
