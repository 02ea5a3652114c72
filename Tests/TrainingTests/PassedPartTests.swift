import Networks
import Support
import Testing
import Torch

@testable import Training

@Suite struct PassedPartTests {
  private typealias Step = TensorProgram.Step

  private func tensor(_ shape: [Int], seed: UInt64 = 1) throws -> Tensor {
    try Tensor.normal(shape, generator: Generator(seed: seed))
  }

  private func largestDifference(_ one: Tensor, _ other: Tensor) throws -> Double {
    #expect(one.shape == other.shape)
    return try (one - other).abs().max().item()
  }

  @Test(
    "The mean of places by the softmax of scores is that of the operation of its own, with the same gradients, at any batch",
    arguments: [1, 3])
  func attentionPool(batch: Int) throws {
    let (map, scores) = (Shape(channels: 5, height: 3, width: 4), Shape(channels: 1, height: 3, width: 4))
    let program = TensorProgram(
      inputs: [map, scores],
      steps: [
        Step(.reshape, [1], [-1, 1, 12]), Step(.softmax, [2], [2]), Step(.permute, [3], [0, 2, 1]),
        Step(.reshape, [0], [-1, 5, 12]), Step(.matmul, [5, 4]), Step(.reshape, [6], [-1, 5, 1, 1]),
      ])
    var results: [Tensor] = []
    var gradients: [[Tensor]] = []
    for operation in [program as any TensorOperation, AttentionPool()] {
      let inputs = [try tensor([batch, 5, 3, 4]), try tensor([batch, 1, 3, 4], seed: 2)]
      for input in inputs { try input.setRequiresGradient(true) }
      let result = try operation.forward(inputs, parameters: [], isTraining: true)
      results.append(result)
      gradients.append(try (result * result).sum().gradients(of: inputs).compactMap { $0 })
    }
    #expect(try largestDifference(results[0], results[1]) < 1e-6)
    for (one, other) in zip(gradients[0], gradients[1]) { #expect(try largestDifference(one, other) < 1e-5) }
  }

  @Test("Steps do what their names say")
  func steps() throws {
    let input = try Tensor([Float(-2), -1, 0, 1, 2, 3, 4, 5], shape: [2, 2, 2, 1])
    let constants = [TensorProgram.Constant([2, 1, 1], [2, -1]), TensorProgram.Constant([1, 2, 2, 1], [3])]
    func run(_ steps: Step...) throws -> [Float] {
      let program = TensorProgram(inputs: [Shape(channels: 2, height: 2, width: 1)], constants: constants, steps: steps)
      let result = try program.forward([input], parameters: [], isTraining: false)
      // What is computed has the sizes that were inferred.
      var sizes: [[Int]] = [[-1, 2, 2, 1]] + constants.map(\.sizes)
      for step in steps { sizes.append(try #require(TensorProgram.sizes(step, step.operands.map { sizes[$0] }))) }
      #expect(result.shape == sizes.last?.map { $0 < 0 ? -$0 * 2 : $0 })
      return try result.contiguous().array(Float.self)
    }
    #expect(try run(Step(.add, [0, 1])) == [0, 1, -1, 0, 4, 5, 3, 4])
    #expect(try run(Step(.subtract, [0, 1])) == [-4, -3, 1, 2, 0, 1, 5, 6])
    #expect(try run(Step(.multiply, [0, 1])) == [-4, -2, 0, -1, 4, 6, -4, -5])
    #expect(try run(Step(.divide, [0, 1])) == [-1, -0.5, 0, -1, 1, 1.5, -4, -5])
    #expect(try run(Step(.maximum, [0, 1])) == [2, 2, 0, 1, 2, 3, 4, 5])
    #expect(try run(Step(.minimum, [0, 1])) == [-2, -1, -1, -1, 2, 2, -1, -1])
    #expect(try run(Step(.negative, [0])) == [2, 1, 0, -1, -2, -3, -4, -5])
    #expect(try run(Step(.abs, [0])) == [2, 1, 0, 1, 2, 3, 4, 5])
    #expect(try run(Step(.relu, [0])) == [0, 0, 0, 1, 2, 3, 4, 5])
    #expect(try run(Step(.power, [0], value: 2)) == [4, 1, 0, 1, 4, 9, 16, 25])
    #expect(try run(Step(.clamp, [0], value: -1, second: 2)) == [-1, -1, 0, 1, 2, 2, 2, 2])
    #expect(try run(Step(.permute, [0], [0, 2, 1, 3])) == [-2, 0, -1, 1, 2, 4, 3, 5])
    #expect(try run(Step(.reshape, [0], [-1, 4]), Step(.slice, [3], [1, 0, 4, 2])) == [-2, 0, 2, 4])
    #expect(
      try run(Step(.reshape, [0], [-2, 2]), Step(.gather, [3], [1, 1, 0, 1])) == [
        -1, -2, -1, 1, 0, 1, 3, 2, 3, 5, 4, 5,
      ])
    #expect(try run(Step(.expand, [0], [-1, 2, 2, 2])).prefix(6) == [-2, -2, -1, -1, 0, 0])
    #expect(
      try run(Step(.slice, [0], [1, 0, 1, 1]), Step(.concatenate, [3, 0], [1])).prefix(6) == [-2, -1, -2, -1, 0, 1])
    #expect(
      try run(Step(.pad, [0], [0, 0, 1, 0, 0, 0, 0, 0], value: -.infinity)).prefix(6)
        == [-.infinity, -2, -1, -.infinity, 0, 1])
    #expect(try run(Step(.mean, [0], [2])) == [-1.5, 0.5, 2.5, 4.5])
    #expect(try run(Step(.sum, [0], [1, 2])) == [-2, 14])
    #expect(try run(Step(.largest, [0], [1])) == [0, 1, 4, 5])
    #expect(try run(Step(.permute, [0], [0, 1, 3, 2]), Step(.matmul, [3, 2])) == [-9, 3, 15, 27])
    let shares = try run(Step(.softmax, [0], [2]))
    #expect(abs(shares[0] + shares[1] - 1) < 1e-6 && abs(shares[1] / shares[0] - 2.718_281_8) < 1e-4)
    let known: [(TensorProgram.Function, Float)] = [
      (.exp, 2.718_281_8), (.log, 0), (.sqrt, 1), (.reciprocal, 1), (.erf, 0.842_700_8), (.tanh, 0.761_594_2),
      (.sigmoid, 0.731_058_6), (.softplus, 1.313_261_7), (.hardSwish, 0.666_666_7), (.hardSigmoid, 0.666_666_7),
    ]
    for (function, value) in known { #expect(abs(try run(Step(function, [0]))[3] - value) < 1e-5, "\(function)") }
  }

  @Test("A network around a part that is passed is searched and trained, the part's weights too")
  func trains() throws {
    let places = 16
    let program = TensorProgram(
      inputs: [Shape(channels: 12, height: 4, width: 4)], learnables: [.init("table", .shift, [places, places])],
      steps: [
        Step(.reshape, [0], [-1, 3, 4, places]), Step(.slice, [2], [1, 0, 1, 1]), Step(.slice, [2], [1, 1, 2, 1]),
        Step(.slice, [2], [1, 2, 3, 1]), Step(.permute, [3], [0, 1, 3, 2]), Step(.matmul, [6, 4]), Step(.add, [7, 1]),
        Step(.softmax, [8], [3]), Step(.permute, [9], [0, 1, 3, 2]), Step(.matmul, [5, 10]),
        Step(.reshape, [11], [-1, 4, 4, 4]),
      ])
    let network = Network(
      name: "attentive", input: Shape(channels: 3, height: 8, width: 8),
      layers: [
        Layer(
          name: "stem", operation: .convolution(Convolution(outputChannels: 6, kernelSize: 3, stride: 2, padding: 1)),
          inputs: ["input"]),
        Layer(name: "norm", operation: .batchNorm(BatchNorm()), inputs: ["stem"]),
        Layer(name: "relu", operation: .activation(.relu), inputs: ["norm"]),
        Layer(name: "qkv", operation: .convolution(Convolution(outputChannels: 12, kernelSize: 1)), inputs: ["relu"]),
        Layer(name: "attention", operation: .other(program), inputs: ["qkv"]),
        Layer(name: "mean", operation: .globalAveragePool, inputs: ["attention"]),
        Layer(name: "classes", operation: .linear(Linear(outputFeatures: 3)), inputs: ["mean"]),
      ])
    let resolved = try network.resolved()
    let model = try Model(resolved, seed: 1)
    let images = try tensor([4, 3, 8, 8])
    let labels = try Tensor([Int64(0), 1, 2, 0])
    func loss() throws -> Tensor { try model.forward(images, .init(.training)).crossEntropy(labels) }
    let before: Double = try loss().item()
    let optimizer = try SGD(model.tensors, weightDecays: model.tensors.map { _ in 0 })
    for _ in 0..<20 {
      try Tensor.clearGradients(model.tensors)
      try loss().backward()
      try optimizer.step(learningRate: 0.1)
    }
    #expect(try loss().item() < before / 2)
    #expect(try model.tensor(named: "attention.table").abs().max().item() > 0)
    // A narrower network's pass, as searches make it, reads the same part.
    let narrow = try ExecutionPlan(resolved.network(with: ["stem": 3]).resolved())
    #expect(try model.forward(images, as: narrow, .init(.batch)).shape == [4, 3])
  }
}
