import Foundation
import Networks
import Support

/// Computations of shapes with fractions, which are folded away: TensorFlow's padding, and sizes that are shares of others.
extension ONNXTranslation {
  /// The types of the format that have fractions, and those that have none.
  private static let fractional: Set<Int> = [1, 10, 11, 16]
  private static let whole: Set<Int> = [2, 3, 4, 5, 6, 7, 12, 13]

  /// Whether all that a node reads is computed from shapes or a few numbers of the file, and something of it has, or gets, a fraction.
  func isFraction(_ node: PBNodeProto) throws -> Bool {
    guard !node.input.isEmpty, node.opType != "Shape" else { return false }
    if node.opType == "Cast", case .sizes = try value(node, 0) {
      return Self.fractional.contains(integer(node, "to") ?? 0)
    }
    var found = false
    for (place, name) in node.input.enumerated() where !name.isEmpty {
      if case .numbers = try value(node, place) {
        found = true
      } else if try numbers(node, place) == nil {
        return false
      }
    }
    return found
  }

  private func numbers(_ node: PBNodeProto, _ place: Int) throws -> [Double?]? {
    guard node.input.indices.contains(place), !node.input[place].isEmpty else { return nil }
    switch try value(node, place) {
    case .numbers(let numbers): return numbers
    case .sizes(let sizes):
      return sizes.map { if case .known(let size) = $0 { Double(size) } else { nil } }
    case .constant(let tensor):
      guard tensor.dimensions.count <= 1 else { return nil }
      return tensor.floats ?? tensor.integers?.map(Double.init)
    default: return nil
    }
  }

  mutating func computeFraction(_ node: PBNodeProto) throws {
    guard let first = try numbers(node, 0) else { return }
    switch node.opType {
    case "Cast", "CastLike":
      let type = node.opType == "Cast" ? integer(node, "to") ?? 0 : 1
      guard Self.whole.contains(type) else { return set(node, .numbers(first)) }
      // Towards zero, as the format does.
      set(node, .sizes(first.map { $0.flatMap { Int(exactly: $0.rounded(.towardZero)) }.map { .known($0) } ?? .open }))
    case "Ceil": set(node, .numbers(first.map { $0?.rounded(.up) }))
    case "Floor": set(node, .numbers(first.map { $0?.rounded(.down) }))
    case "Round": set(node, .numbers(first.map { $0?.rounded(.toNearestOrEven) }))
    case "Neg": set(node, .numbers(first.map { $0.map { -$0 } }))
    case "Sqrt": set(node, .numbers(first.map { $0.map { $0.squareRoot() } }))
    case "Relu": set(node, .numbers(first.map { $0.map { max(0, $0) } }))
    case "Identity", "Unsqueeze", "Squeeze": set(node, .numbers(first))
    case "Reshape":
      guard try numbers(node, 1)?.count ?? 2 <= 1 else { throw refusal(node, "what it makes of sizes is not followed") }
      set(node, .numbers(first))
    case "Concat":
      let all = try node.input.indices.map { try numbers(node, $0) ?? [nil] }
      guard all.reduce(0, { $0 + $1.count }) <= ONNXTensor.mostIntegers else {
        throw refusal(node, "it makes too many numbers")
      }
      set(node, .numbers(all.flatMap { $0 }))
    case "Gather":
      let places = try numbers(node, 1) ?? [nil]
      set(
        node,
        .numbers(
          try places.map { place in
            guard let index = place.flatMap({ Int(exactly: $0) }),
              first.indices.contains(index < 0 ? first.count + index : index)
            else { throw refusal(node, "its indices are not known") }
            return first[index < 0 ? first.count + index : index]
          }))
    case "Clip":
      let (low, high) = (try numbers(node, 1)?.first ?? -.infinity, try numbers(node, 2)?.first ?? .infinity)
      set(
        node,
        .numbers(
          first.map { number in
            guard let number, let low, let high, !low.isNaN, !high.isNaN else { return nil }
            return min(max(number, low), high)
          }))
    case "Add", "Sub", "Mul", "Div", "Max", "Min", "Pow", "Mod":
      guard let other = try numbers(node, 1), node.input.count == 2, !first.isEmpty, !other.isEmpty,
        first.count == other.count || first.count == 1 || other.count == 1
      else { throw refusal(node, "what it makes of sizes is not followed") }
      set(
        node,
        .numbers(
          (0..<max(first.count, other.count)).map { index in
            guard let a = first[first.count == 1 ? 0 : index], let b = other[other.count == 1 ? 0 : index] else {
              return nil
            }
            return Self.combine(node.opType, a, b)
          }))
    default: throw refusal(node, "what it makes of sizes is not followed")
    }
  }

  private static func combine(_ operation: String, _ a: Double, _ b: Double) -> Double? {
    let result =
      switch operation {
      case "Add": a + b
      case "Sub": a - b
      case "Mul": a * b
      case "Div": a / b
      case "Max": max(a, b)
      case "Min": min(a, b)
      case "Mod": a.truncatingRemainder(dividingBy: b)
      default: pow(a, b)
      }
    return result.isFinite ? result : nil
  }
}
