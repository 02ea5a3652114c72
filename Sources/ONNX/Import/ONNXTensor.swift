import Foundation
import Support

/// A tensor that a file holds: its dimensions, and its numbers where they are few enough to be anything but weights.
struct ONNXTensor {
  let dimensions: [Int]
  /// Whole numbers, for tensors of integers.
  let integers: [Int]?
  /// Numbers, for tensors of floats that are small.
  let floats: [Double]?
  /// The type of the file's elements, by the format's number.
  var type: Int32?
  /// The number that all elements are, where that is how they were made.
  var fill: Double?
  /// The tensor of the file that holds the numbers, and how its axes are turned.
  var origin: (name: String, turn: ONNXTurn?)?
  /// The name under which its readers know it, where the file holds it once for several that are equal.
  var alias: String?

  static let mostIntegers = 4096, mostFloats = 4096, mostOfFilters = 1 << 16

  init(dimensions: [Int], integers: [Int]? = nil, floats: [Double]? = nil) {
    (self.dimensions, self.integers, self.floats) = (dimensions, integers, floats)
  }

  /// The dimensions in another order, or others with the same number of elements.
  func arranged(_ dimensions: [Int], order: [Int]? = nil) -> ONNXTensor {
    var result = ONNXTensor(
      dimensions: dimensions, integers: order == nil ? integers : nil, floats: order == nil ? floats : nil)
    (result.fill, result.alias) = (fill, alias)
    if let origin {
      if let order {
        // What is turned are the axes as they are here, which a Reshape may have made of the file's.
        let turn = origin.turn ?? ONNXTurn(dimensions: self.dimensions, order: Array(self.dimensions.indices))
        result.origin = (origin.name, turn.turned(order))
      } else if origin.turn == nil {
        result.origin = origin
      }
    }
    return result
  }

  /// Reads a tensor; weights are not read.
  ///
  /// - Throws: A sentence on what is wrong with it.
  init(_ tensor: PBTensorProto) throws(ONNXFault) {
    guard tensor.dims.count <= 8, tensor.dims.allSatisfy({ $0 >= 0 && $0 <= 1 << 40 }) else {
      throw ONNXFault("the tensor \(Self.shown(tensor.name)) has impossible dimensions")
    }
    dimensions = tensor.dims.map(Int.init)
    type = tensor.dataType
    var count = 1
    // With a zero among them the others may still be multiplied, by whoever regroups it.
    for size in dimensions where size > 0 {
      let (product, overflows) = count.multipliedReportingOverflow(by: size)
      guard !overflows else { throw ONNXFault("the tensor \(Self.shown(tensor.name)) has impossible dimensions") }
      count = product
    }
    if dimensions.contains(0) { count = 0 }
    guard let size = Self.sizes[tensor.dataType] else {
      integers = nil
      floats = nil
      return
    }
    // Numbers in another file, or taken out of this one, are weights: what is not there is not asked for.
    let isInside =
      tensor.dataLocation != .external
      && (count == 0
        || !(tensor.rawData.isEmpty && tensor.floatData.isEmpty && tensor.int32Data.isEmpty && tensor.int64Data.isEmpty
          && tensor.doubleData.isEmpty))
    let (bytes, overflows) = count.multipliedReportingOverflow(by: size)
    guard !overflows else { throw ONNXFault("the tensor \(Self.shown(tensor.name)) has impossible dimensions") }
    if isInside, !tensor.rawData.isEmpty, tensor.rawData.count != bytes {
      throw ONNXFault(
        "the tensor \(Self.shown(tensor.name)) has \(tensor.rawData.count) bytes, and its dimensions ask for \(count) times \(size)"
      )
    }
    // Filters of one channel are small, and may be the same for all.
    let most = dimensions.count == 4 && dimensions[1] == 1 ? Self.mostOfFilters : Self.mostFloats
    switch tensor.dataType {
    case 7 where isInside && count <= Self.mostIntegers:
      integers =
        tensor.rawData.isEmpty
        ? tensor.int64Data.map(Int.init) : ONNXNumbers.numbers(tensor.rawData, Int64.self).map(Int.init)
      floats = nil
    case 6 where isInside && count <= Self.mostIntegers:
      integers =
        tensor.rawData.isEmpty
        ? tensor.int32Data.map(Int.init) : ONNXNumbers.numbers(tensor.rawData, Int32.self).map(Int.init)
      floats = nil
    case 1 where isInside && count <= most:
      integers = nil
      floats =
        tensor.rawData.isEmpty
        ? tensor.floatData.map(Double.init)
        : ONNXNumbers.numbers(tensor.rawData, UInt32.self).map { Double(Float(bitPattern: $0)) }
    case 11 where isInside && count <= most:
      integers = nil
      floats =
        tensor.rawData.isEmpty
        ? tensor.doubleData : ONNXNumbers.numbers(tensor.rawData, UInt64.self).map { Double(bitPattern: $0) }
    case 10 where isInside && count <= most, 16 where isInside && count <= most:
      integers = nil
      floats = ONNXNumbers.halves(tensor, tensor.rawData).map(Double.init)
    default: (integers, floats) = (nil, nil)
    }
    guard (integers?.count ?? count) == count, (floats?.count ?? count) == count else {
      throw ONNXFault("the tensor \(Self.shown(tensor.name)) holds fewer numbers than its dimensions ask for")
    }
  }

  // Types of the format with the bytes of an element; what is not here is no number.
  private static let sizes: [Int32: Int] = [
    1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 16: 2,
  ]

  static func shown(_ name: String) -> String { ONNXFault.shown(name) }
}

/// Numbers with their axes in another order.
struct ONNXTurn: Equatable {
  /// The sizes of the axes in which the numbers are taken, whatever the file gives them; their product is the same.
  var dimensions: [Int]
  /// Which of these axes stands at each place.
  var order: [Int]

  /// These, turned once more.
  func turned(_ next: [Int]) -> ONNXTurn { ONNXTurn(dimensions: dimensions, order: next.map { order[$0] }) }
}

/// What is wrong with a model, before it is known in which file.
struct ONNXFault: Error {
  let reason: String
  /// Whether nothing else is tried with the node.
  let isFinal: Bool
  init(_ reason: String, isFinal: Bool = false) { (self.reason, self.isFinal) = (reason, isFinal) }

  /// A name from outside, in one line of printable characters.
  static func shown(_ name: String) -> String {
    let clean = name.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? "?" : String($0) }.joined()
    return clean.count > 120 ? "\(clean.prefix(120))…" : clean.isEmpty ? "without a name" : clean
  }
}
