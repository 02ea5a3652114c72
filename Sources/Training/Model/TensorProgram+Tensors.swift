import Networks
import Torch

extension TensorProgram: TensorOperation {
  /// Its last step may be anything.
  public var derivativeReadsResult: Bool { true }

  /// Carries out the steps.
  public func forward(_ inputs: [Tensor], parameters: [Tensor], isTraining: Bool) throws -> Tensor {
    let maps = try inputs.map { try $0.asMap }
    let images = maps[0].shape[0]
    var values = maps + parameters
    for constant in constants {
      let all =
        constant.numbers.count == 1
        ? try Tensor.full(constant.sizes, Double(constant.numbers[0]), device: maps[0].device)
        : try Tensor(constant.numbers, shape: constant.sizes, device: maps[0].device)
      values.append(all)
    }
    // A value is let go behind its last reader: attention maps are large.
    var last = [Int](repeating: -1, count: values.count + steps.count)
    for (index, step) in steps.enumerated() { for operand in step.operands { last[operand] = index } }
    var kept: [Tensor?] = values
    for (index, step) in steps.enumerated() {
      let operands = step.operands.map { kept[$0]! }
      kept.append(try Self.result(step, operands, images: images))
      for operand in step.operands where last[operand] == index { kept[operand] = nil }
    }
    return kept[kept.count - 1]!
  }

  private static func result(_ step: Step, _ operands: [Tensor], images: Int) throws -> Tensor {
    let first = operands[0]
    let numbers = step.numbers
    var sizes: [Int] { numbers.map { $0 < 0 ? -$0 * images : $0 } }
    switch step.function {
    case .add: return try first + operands[1]
    case .subtract: return try first - operands[1]
    case .multiply: return try first * operands[1]
    case .divide: return try first / operands[1]
    case .maximum: return try first.maximum(operands[1])
    case .minimum: return try first.minimum(operands[1])
    case .matmul: return try first.matmul(operands[1])
    case .negative: return try first * -1
    case .exp: return try first.exp()
    case .log: return try first.log()
    case .sqrt: return try first.sqrt()
    case .reciprocal: return try first.reciprocal()
    case .abs: return try first.abs()
    case .erf: return try first.erf()
    case .tanh: return try first.tanh()
    case .sigmoid: return try first.sigmoid()
    case .relu: return try first.relu()
    case .softplus: return try first.softplus()
    case .hardSwish: return try first.hardSwish()
    case .hardSigmoid: return try first.hardSigmoid()
    case .power: return try first.power(step.value ?? 1)
    case .clamp: return try first.clamped(step.value ?? -.infinity, step.second ?? .infinity)
    case .reshape: return try first.reshaped(sizes)
    case .permute: return try first.permuted(numbers)
    case .expand: return try first.expanded(to: sizes)
    case .slice: return try first.slice(numbers[0], numbers[1]..<numbers[2], step: numbers[3])
    case .gather:
      return try first.selecting(
        numbers[0], Tensor(numbers.dropFirst().map(Int64.init), device: first.device))
    case .concatenate: return try Tensor.concatenate(operands, numbers[0])
    case .pad:
      let rank = numbers.count / 2
      // LibTorch wants the last axis first.
      let sides = (0..<rank).reversed().flatMap { [numbers[$0], numbers[rank + $0]] }
      return try first.padded(sides, with: step.value ?? 0)
    case .softmax: return try first.softmax(numbers[0])
    case .mean: return try first.mean(numbers, keepingDimensions: true)
    case .sum: return try first.sum(numbers, keepingDimensions: true)
    case .norm: return try first.norm(numbers, keepingDimensions: true)
    case .largest: return try first.largest(numbers)
    }
  }
}
