import Networks
import Testing
import Torch

@testable import Training

/// Convolutions of maps that are smaller than the filter, in the forms that are chosen for them, against LibTorch's in double precision.
@Suite struct SmallMapTests {
  private struct Case {
    var channels: Int
    var height: Int
    var width: Int
    var kernel: Int
    var stride: Int
    var padding: Int
    var dilation: Int
    var depthwise: Bool
  }

  /// The result and the derivatives for input, weight and bias.
  private func outcome(_ given: Case, _ type: ScalarType, chosen: Bool) throws -> [Tensor] {
    let outputs = given.depthwise ? given.channels : 3
    let values = try [
      noise([4, given.channels, given.height, given.width], seed: 1).contiguous(.channelsLast),
      noise([outputs, given.depthwise ? 1 : given.channels, given.kernel, given.kernel], seed: 2),
      noise([outputs], seed: 3),
    ].map { try ($0 * 1).to(type).detached() }
    for value in values { try value.setRequiresGradient(true) }
    let convolution = Convolution(
      outputChannels: outputs, kernelSize: Extent(given.kernel), stride: Extent(given.stride),
      padding: Extent(given.padding), dilation: Extent(given.dilation),
      grouping: given.depthwise ? .depthwise : .dense, hasBias: true)
    let result =
      chosen
      ? try ConvolutionExecution(convolution, inputChannels: given.channels)(
        values[0], weight: values[1], bias: values[2])
      : try values[0].conv2d(
        values[1], bias: values[2], stride: Size2D(given.stride), padding: Size2D(given.padding),
        dilation: Size2D(given.dilation), groups: given.depthwise ? given.channels : 1)
    let weights = try noise(result.shape, seed: 4).to(type)
    try (result * weights).sum().backward()
    return [try result.detached()] + (try values.map { try #require($0.gradient) })
  }

  @Test("Results and derivatives are those of the plain form", arguments: 1...8)
  func same(size: Int) throws {
    var count = 0
    for kernel in [1, 2, 3, 4, 5, 7] {
      for (stride, padding) in [(1, kernel / 2), (2, kernel / 2), (3, kernel - 1), (1, 0), (2, kernel)] {
        for (dilation, depthwise) in [(1, true), (1, false), (2, true), (3, false)] {
          let given = Case(
            channels: size % 3 == 0 ? 6 : 5, height: size, width: max(1, 9 - size), kernel: kernel, stride: stride,
            padding: padding, dilation: dilation, depthwise: depthwise)
          guard min(given.height, given.width) + 2 * padding > dilation * (kernel - 1) else { continue }
          count += 1
          let expected = try outcome(given, .float64, chosen: false)
          for type in [ScalarType.float32, .float64] {
            for (index, (one, other)) in zip(try outcome(given, type, chosen: true), expected).enumerated() {
              #expect(one.shape == other.shape)
              let distance = try one.to(.float64).relativeDistance(to: other)
              #expect(distance < (type == .float32 ? 1e-5 : 1e-13), "\(given) \(index)")
            }
          }
        }
      }
    }
    #expect(count > 30)
  }

  @Test("Only what meets pixels is multiplied")
  func reach() {
    typealias Reach = ConvolutionExecution.Reach
    func reach(_ size: Int, _ kernel: Int, _ stride: Int, _ padding: Int, _ dilation: Int = 1) -> (Range<Int>, Int, Int)
    {
      let found = Reach(size: size, kernel: kernel, stride: stride, padding: padding, dilation: dilation)
      return (found.taps, found.before, found.after)
    }
    #expect(reach(2, 5, 1, 2) == (1..<4, 1, 1))
    #expect(reach(1, 3, 1, 1) == (1..<2, 0, 0))
    #expect(reach(1, 3, 2, 1) == (1..<2, 0, 0))
    #expect(reach(2, 3, 2, 1) == (1..<3, 0, 0))
    #expect(reach(4, 5, 1, 2) == (0..<5, 2, 2))
    #expect(reach(1, 7, 1, 9, 3) == (3..<4, 0, 0))
    // What is no convolution at all stays as it is, and LibTorch tells.
    #expect(reach(1, 5, 1, 0) == (0..<5, 0, 0))
  }
}
