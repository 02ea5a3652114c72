import Support
import Torch

extension [(name: String, tensor: Tensor)] {
  /// The tensor of a name.
  ///
  /// - Throws: `UsageFailure` when there is none.
  func tensor(named name: String) throws -> Tensor {
    guard let found = first(where: { $0.name == name }) else { throw UsageFailure("there is no parameter \(name)") }
    return found.tensor
  }
}

extension Tensor {
  /// Uniform numbers within ±1/√inputs: what PyTorch's linear and recurrent layers begin with.
  static func initial(_ shape: [Int], inputs: Int, _ generator: Generator) throws -> Tensor {
    let limit = 1 / Double(inputs).squareRoot()
    return try uniform(shape, low: -limit, high: limit, generator: generator)
  }

  /// Ones and zeros to drop with, the ones as much larger as there are fewer of them.
  static func dropoutMask(_ shape: [Int], _ probability: Double, _ generator: Generator) throws -> Tensor {
    try ones(shape).dropout(probability, generator: generator)
  }
}
