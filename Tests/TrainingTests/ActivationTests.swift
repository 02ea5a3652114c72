import Networks
import Testing
import Torch

@testable import Training

/// Activations and their derivatives at some points, as PyTorch 2.13 computes them in double precision.
@Suite struct ActivationTests {
  private static let points = [-4.0, -3, -1.5, -0.25, 0, 0.5, 2, 3.5]
  private static let references: [(function: Activation, values: [Double], derivatives: [Double])] = [
    (
      .hardSwish, [0, 0, -0.375, -0.1145833, 0, 0.2916667, 1.6666667, 3.5],
      [0, 0, 0, 0.4166667, 0.5, 0.6666667, 1.1666667, 1]
    ),
    (
      .hardSigmoid, [0, 0, 0.25, 0.4583333, 0.5, 0.5833333, 0.8333333, 1],
      [0, 0, 0.1666667, 0.1666667, 0.1666667, 0.1666667, 0.1666667, 0]
    ),
    (.leakyRelu, [-0.04, -0.03, -0.015, -0.0025, 0, 0.5, 2, 3.5], [0.01, 0.01, 0.01, 0.01, 0.01, 1, 1, 1]),
    (
      .gelu, [-0.0001267, -0.0040497, -0.1002108, -0.1003234, 0, 0.3457312, 1.9544997, 3.4991858],
      [-0.0005036, -0.0119456, -0.1274692, 0.3046266, 0.5, 0.8674951, 1.0852318, 1.0028218]
    ),
  ]

  @Test("are what they are in PyTorch, with their derivatives", arguments: references.indices)
  func values(index: Int) throws {
    let (function, values, derivatives) = Self.references[index]
    // A flatten has no weights: the network is the function.
    let network = Network(
      name: "f", input: Shape(channels: Self.points.count, height: 1, width: 1),
      layers: [.activation("f", function, from: "input"), .layer("flat", .flatten, from: "f")])
    let model = try Model(network, seed: 0)
    let images = try Tensor(Self.points.map(Float.init), shape: [1, Self.points.count, 1, 1])
    try images.setRequiresGradient(true)
    let output = try model.forward(images, ForwardOptions(.training))
    let found = try output.array(Float.self)
    let slopes = try #require(try output.sum().gradients(of: [images])[0]).array(Float.self)
    for (place, (value, slope)) in zip(values, derivatives).enumerated() {
      #expect(abs(Double(found[place]) - value) < 1e-6, "\(function) at \(Self.points[place])")
      #expect(abs(Double(slopes[place]) - slope) < 1e-6, "\(function)' at \(Self.points[place])")
    }
  }

  @Test("A sum has as many inputs as are given, of which one may come twice")
  func sums() throws {
    let network = Network(
      name: "sum", input: Shape(channels: 2, height: 1, width: 1),
      layers: [
        .activation("a", .leakyRelu, from: "input"), .layer("s", .add, from: "input", "a", "input"),
        .layer("flat", .flatten, from: "s"),
      ])
    let model = try Model(network, seed: 0)
    let images = try Tensor([Float(2), -1], shape: [1, 2, 1, 1])
    #expect(try model.forward(images, ForwardOptions(.training)).array(Float.self) == [6, -2.01])
    let single = Network(
      name: "sum", input: Shape(channels: 2, height: 1, width: 1), layers: [.layer("s", .add, from: "input")])
    #expect(throws: NetworkFailure.self) { try single.resolved() }
  }
}
