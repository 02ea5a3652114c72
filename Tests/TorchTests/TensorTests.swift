import Testing

@testable import Torch

@Suite struct TensorTests {
  @Test func elementsComeBackAsTheyWentIn() throws {
    let tensor = try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
    #expect(tensor.shape == [2, 3])
    #expect(try tensor.array(Float.self) == [1, 2, 3, 4, 5, 6])
    #expect(try tensor.permuted([1, 0]).array(Float.self) == [1, 4, 2, 5, 3, 6])
  }

  @Test func aFailureCarriesTheOperationAndTheMessage() throws {
    let error = #expect(throws: TorchError.self) {
      try Tensor.ones([2, 3]).matmul(Tensor.ones([2, 3]))
    }
    #expect(error?.operation == "matmul")
    #expect(error?.reason.contains("cannot be multiplied") == true, "\(error?.reason ?? "")")
  }

  @Test func tooLittleMemoryIsAnErrorAndNotACrash() throws {
    let error = #expect(throws: TorchError.self) { try Tensor.zeros([1 << 50]) }
    #expect(error?.isOutOfMemory == true, "\(error?.reason ?? "")")
  }

  @Test func bytesOfTheWrongSizeAreRefused() {
    #expect(throws: TorchError.self) { try Tensor([1, 2, 3] as [Float], shape: [2, 2]) }
  }

  @Test func channelsLastBytesKeepTheirOrderInMemory() throws {
    let values: [Float] = (0..<12).map(Float.init)  // [1, 2, 2, 3] in memory
    let tensor = try values.withUnsafeBytes {
      try Tensor(channelsLastBytes: $0, shape: [1, 3, 2, 2], scalarType: .float32)
    }
    #expect(tensor.isContiguous(.channelsLast))
    #expect(try tensor.slice(1, 1..<2).array(Float.self) == [1, 4, 7, 10])
  }

  @Test func aGradientIsAccumulatedAndCleared() throws {
    let x = try Tensor([3] as [Float])
    try x.setRequiresGradient(true)
    try (x * x).sum().backward()
    try (x * x).sum().backward()
    #expect(try x.gradient?.item() == 12)
    try Tensor.clearGradients([x])
    #expect(x.gradient == nil)
    #expect(try !withoutGradients { try x * x }.requiresGradient)
    #expect(try (x * x).requiresGradient)
    let loss = try (x * x).sum()
    #expect(try loss.gradients(of: [x])[0]?.item() == 6)
    #expect(x.gradient == nil)
  }

  // Values worked by hand, which torch.nn.functional gives too.
  @Test func softLossesHaveTheirTextbookValues() throws {
    let teacher = try Tensor([2, 1, 0] as [Float], shape: [1, 3]).softmax()
    let student = try Tensor([1, 1, 1] as [Float], shape: [1, 3])
    let probabilities = try teacher.array(Double.self)
    for (value, expected) in zip(probabilities, [0.66524, 0.24473, 0.09003]) { #expect(abs(value - expected) < 1e-5) }
    #expect(abs(try student.klDivergence(from: teacher).item() - 0.266217) < 1e-5)
    #expect(abs(try student.crossEntropy(teacher).item() - 1.098612) < 1e-5)
  }

  @Test func labelSmoothingSpreadsOverAllClasses() throws {
    // K = 10, ε = 0.1: target 0.91 for the true class and 0.01 for the others.
    let logits = try Tensor((0..<10).map { Float($0) / 3 }, shape: [1, 10])
    let smooth = try logits.crossEntropy(Tensor([Int64(2)]), labelSmoothing: 0.1).item()
    var target = [Float](repeating: 0.01, count: 10)
    target[2] = 0.91
    #expect(abs(smooth - (try logits.crossEntropy(Tensor(target, shape: [1, 10])).item())) < 1e-6)
  }

  @Test func aSeedGivesTheSameNumbersAgain() throws {
    let generator = try Generator(seed: 7)
    let first = try Tensor.normal([5], generator: generator).array(Float.self)
    let second = try Tensor.normal([5], generator: generator).array(Float.self)
    try generator.seed(7)
    #expect(try Tensor.normal([5], generator: generator).array(Float.self) == first)
    #expect(first != second)
  }

  @Test func dropoutBySampleDropsWholeSamples() throws {
    let generator = try Generator(seed: 1)
    let result = try Tensor.ones([64, 4]).dropout(0.25, perSample: true, generator: generator).array(Float.self)
    for row in 0..<64 { #expect(Set(result[row * 4..<row * 4 + 4]).count == 1) }
    #expect(Set(result) == [0, Float(4.0 / 3.0)])
  }

  @Test func autocastCastsConvolutionsAndIsLeftAgain() throws {
    let image = try Tensor.ones([1, 4, 8, 8])
    let weight = try Tensor.ones([4, 4, 3, 3])
    let type = try withAutocast(.bfloat16, on: .cpu) { try image.conv2d(weight).scalarType }
    #expect(type == .bfloat16)
    #expect(try image.conv2d(weight).scalarType == .float32)
  }

  @Test func antialiasedResizingAveragesWhenItShrinks() throws {
    let image = try Tensor((0..<16).map { UInt8($0 * 10) }, shape: [1, 1, 4, 4])
    let small = try image.resizedBilinear(height: 2, width: 2)
    // torch 2.13: F.interpolate(x.float(), (2, 2), mode="bilinear", antialias=True) of 0, 10, …, 150 as uint8
    #expect(try small.to(.float32).array(Float.self).map { $0.rounded() } == [36, 52, 98, 114])
    #expect(small.scalarType == .uint8)
  }
}
