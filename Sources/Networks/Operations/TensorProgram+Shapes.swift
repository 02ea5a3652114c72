import Support

extension TensorProgram {
  /// What is wrong with a step.
  struct Fault: Error, CustomStringConvertible {
    var description: String
  }

  /// The sizes of every value, a negative one being so many times the number of images; what it puts out, and its multiply-accumulates.
  func checkedShapes() throws(Fault) -> (values: [[Int]], output: Shape, macs: Int) {
    guard (1...Self.mostSteps).contains(steps.count), inputs.count <= 64, learnables.count <= Self.mostSteps,
      constants.count <= Self.mostSteps
    else {
      throw Fault(description: "it has \(steps.count) steps; 1 to \(Self.mostSteps) are possible")
    }
    var values: [[Int]] = []
    for shape in inputs {
      guard shape.channels > 0, shape.height > 0, shape.width > 0 else {
        throw Fault(description: "it reads a map of \(shape)")
      }
      values.append([-1, shape.channels, shape.height, shape.width])
    }
    var names: Set<String> = []
    for parameter in learnables {
      guard !parameter.name.isEmpty, names.insert(parameter.name).inserted else {
        throw Fault(description: "two of its parameters are called \"\(parameter.name)\", or one has no name")
      }
      guard parameter.sizes.allSatisfy({ $0 > 0 }) else {
        throw Fault(description: "its parameter \(parameter.name) has the sizes \(parameter.sizes)")
      }
      values.append(parameter.sizes)
    }
    var (numbers, filled, overflows) = (0, 0, false)
    for constant in constants {
      guard constant.sizes.allSatisfy({ $0 > 0 }), let count = Self.count(constant.sizes),
        constant.numbers.count == count || constant.numbers.count == 1, !constant.numbers.contains(where: \.isNaN)
      else { throw Fault(description: "a constant of sizes \(constant.sizes) has \(constant.numbers.count) numbers") }
      numbers += constant.numbers.count
      (filled, overflows) = filled.addingReportingOverflow(count)
      values.append(constant.sizes)
    }
    guard numbers <= Self.mostConstants, filled <= Self.mostFilled, !overflows else {
      throw Fault(
        description:
          "its constants are \(numbers) numbers for \(filled) places; \(Self.mostConstants) for \(Self.mostFilled) are possible"
      )
    }
    var macs = 0
    for value in values { try Self.check(value) }
    for (index, step) in steps.enumerated() {
      guard step.operands.allSatisfy(values.indices.contains), !step.operands.isEmpty else {
        throw Fault(
          description: "its step \(index + 1) (\(step.function.rawValue)) reads a value that is not there yet")
      }
      let operands = step.operands.map { values[$0] }
      guard let sizes = Self.sizes(step, operands) else {
        throw Fault(
          description:
            "its step \(index + 1) (\(step.function.rawValue)) does not fit tensors of \(operands.map { "\($0)" }.joined(separator: " and "))"
        )
      }
      try Self.check(sizes)
      values.append(sizes)
      if step.function == .matmul, let count = Self.count(sizes), let inner = operands[0].last {
        let (product, overflows) = count.multipliedReportingOverflow(by: Swift.abs(inner))
        let (sum, more) = macs.addingReportingOverflow(product)
        guard !overflows, !more else { throw Fault(description: "its size does not fit in 64 bits") }
        macs = sum
      }
    }
    guard let last = values.last, last.count == 4, last[0] == -1, last.dropFirst().allSatisfy({ $0 > 0 }) else {
      throw Fault(
        description: "it puts out a tensor of \(values.last ?? []), and batch, channels, rows and columns are wanted")
    }
    return (values, Shape(channels: last[1], height: last[2], width: last[3]), macs)
  }

  /// The elements of a tensor for one image; nil where they do not fit in 64 bits.
  package static func count(_ sizes: [Int]) -> Int? {
    var result = 1
    for size in sizes {
      guard size != .min else { return nil }
      let (product, overflows) = result.multipliedReportingOverflow(by: Swift.abs(size))
      if overflows { return nil }
      result = product
    }
    return result
  }

  /// Whether a tensor may have these sizes: a batch of 1,000 images of it is still counted in 64 bits, and images lie along one axis.
  package static func isPossible(_ sizes: [Int]) -> Bool {
    guard sizes.count <= 8, let count = count(sizes) else { return false }
    return count <= 1 << 40 && sizes.count { $0 < 0 } <= 1
  }

  private static func check(_ sizes: [Int]) throws(Fault) {
    guard isPossible(sizes) else {
      throw Fault(description: "a tensor of \(sizes) is too large, or has the images along several axes")
    }
  }

  /// The sizes of a step's result; nil where it does not fit.
  package static func sizes(_ step: Step, _ operands: [[Int]]) -> [Int]? {
    let first = operands[0]
    func axis(_ number: Int) -> Int? { first.indices.contains(number) ? number : nil }
    switch step.function {
    case .add, .subtract, .multiply, .divide, .maximum, .minimum:
      return operands.count == 2 && step.numbers.isEmpty ? broadcast(first, operands[1]) : nil
    case .matmul:
      guard operands.count == 2, step.numbers.isEmpty, first.count >= 2, operands[1].count >= 2,
        let inner = first.last, inner > 0, operands[1][operands[1].count - 2] == inner,
        let outer = broadcast(Array(first.dropLast(2)), Array(operands[1].dropLast(2)))
      else { return nil }
      return outer + [first[first.count - 2], operands[1][operands[1].count - 1]]
    case .negative, .exp, .log, .sqrt, .reciprocal, .abs, .erf, .tanh, .sigmoid, .relu, .softplus, .hardSwish,
      .hardSigmoid:
      return operands.count == 1 && step.numbers.isEmpty ? first : nil
    case .power: return operands.count == 1 && step.value?.isFinite ?? false ? first : nil
    case .clamp:
      guard operands.count == 1, let least = step.value, let most = step.second, least <= most else { return nil }
      return first
    case .reshape:
      guard operands.count == 1, step.numbers.allSatisfy({ $0 != 0 }), let own = count(first),
        count(step.numbers) == own, prefix(step.numbers) == prefix(first)
      else { return nil }
      return step.numbers
    case .permute:
      guard operands.count == 1, step.numbers.sorted() == Array(first.indices) else { return nil }
      return step.numbers.map { first[$0] }
    case .expand:
      guard operands.count == 1, step.numbers.count >= first.count, step.numbers.allSatisfy({ $0 != 0 }),
        zip(first.reversed(), step.numbers.reversed()).allSatisfy({ $0 == $1 || $0 == 1 })
      else { return nil }
      return step.numbers
    case .slice:
      guard operands.count == 1, step.numbers.count == 4, let axis = axis(step.numbers[0]), first[axis] > 0,
        step.numbers[1] >= 0, step.numbers[1] < step.numbers[2], step.numbers[2] <= first[axis],
        (1...first[axis]).contains(step.numbers[3])
      else { return nil }
      var result = first
      result[axis] = (step.numbers[2] - step.numbers[1] + step.numbers[3] - 1) / step.numbers[3]
      return result
    case .gather:
      guard operands.count == 1, step.numbers.count >= 2, let axis = axis(step.numbers[0]), first[axis] > 0,
        step.numbers.dropFirst().allSatisfy({ (0..<first[axis]).contains($0) })
      else { return nil }
      var result = first
      result[axis] = step.numbers.count - 1
      return result
    case .concatenate:
      guard step.numbers.count == 1, let axis = axis(step.numbers[0]), first[axis] > 0 else { return nil }
      var result = first
      for other in operands.dropFirst() {
        guard other.count == first.count, other[axis] > 0,
          first.indices.allSatisfy({ $0 == axis || first[$0] == other[$0] })
        else { return nil }
        let (sum, overflows) = result[axis].addingReportingOverflow(other[axis])
        if overflows { return nil }
        result[axis] = sum
      }
      return result
    case .pad:
      guard operands.count == 1, step.numbers.count == 2 * first.count, !(step.value ?? 0).isNaN,
        step.numbers.allSatisfy({ (0...Limits.side).contains($0) })
      else { return nil }
      var result = first
      for axis in first.indices {
        let more = step.numbers[axis] + step.numbers[first.count + axis]
        guard more == 0 || first[axis] > 0 else { return nil }
        result[axis] += more
      }
      return result
    case .softmax:
      return operands.count == 1 && step.numbers.count == 1 && axis(step.numbers[0]) != nil
        && first[step.numbers[0]] > 0
        ? first : nil
    case .mean, .sum, .largest, .norm:
      guard operands.count == 1, !step.numbers.isEmpty, Set(step.numbers).count == step.numbers.count,
        step.numbers.allSatisfy({ first.indices.contains($0) && first[$0] > 0 })
      else { return nil }
      return first.indices.map { step.numbers.contains($0) ? 1 : first[$0] }
    }
  }

  // What stands before the images: images must not be mixed. Nil where there are none.
  private static func prefix(_ sizes: [Int]) -> Int? {
    sizes.firstIndex { $0 < 0 }.flatMap { count(Array(sizes[..<$0])) }
  }

  /// The sizes of two tensors together, of which either may be repeated along axes of length 1.
  package static func broadcast(_ a: [Int], _ b: [Int]) -> [Int]? {
    let rank = max(a.count, b.count)
    let (a, b) = (Array(repeating: 1, count: rank - a.count) + a, Array(repeating: 1, count: rank - b.count) + b)
    var result: [Int] = []
    for (x, y) in zip(a, b) {
      guard x == y || x == 1 || y == 1 else { return nil }
      result.append(x == 1 ? y : x)
    }
    return result
  }
}
