import Support

/// A cost that was measured at some channel counts, and what it is taken for between and beyond them.
///
/// Within the grid the value is interpolated in both channel counts (bilinearly: exact for every product of the two); beyond it the
/// last two points are continued, and a cost is never below zero. Where there is one point only, the channels are what nothing
/// changes, and another number of them costs in proportion.
public struct CostGrid: Sendable, Hashable {
  /// The input channels that were measured at, increasing; empty where the cost follows the output's channels alone.
  public let inputs: [Int]
  /// The output channels that were measured at, increasing.
  public let outputs: [Int]
  /// The costs: a row for each number of input channels (one where there are none), a column for each of output channels.
  public let values: [[Double]]

  /// Describes what was measured.
  ///
  /// - Throws: ``Support/UsageFailure`` that says what is wrong, for tables that fit no grid or hold no numbers.
  public init(inputs: [Int], outputs: [Int], values: [[Double]]) throws {
    func isIncreasing(_ points: [Int]) -> Bool { zip(points, points.dropFirst()).allSatisfy { $0 < $1 } }
    guard let least = outputs.first, least > 0, inputs.first ?? 1 > 0, isIncreasing(inputs), isIncreasing(outputs)
    else { throw UsageFailure("the channel counts of a grid are positive, and each is above the one before") }
    guard max(inputs.last ?? 1, outputs.last ?? 1) <= Limits.channels else {
      throw UsageFailure("no layer has more than \(Limits.channels) channels, which a grid goes beyond")
    }
    guard values.count == max(1, inputs.count), values.allSatisfy({ $0.count == outputs.count }) else {
      throw UsageFailure(
        "a grid of \(max(1, inputs.count)) by \(outputs.count) channel counts needs as many values, not "
          + "\(values.map(\.count))")
    }
    guard values.allSatisfy({ $0.allSatisfy { $0.isFinite && $0 >= 0 } }) else {
      throw UsageFailure("what is measured is a number, and not below zero")
    }
    self.inputs = inputs
    self.outputs = outputs
    self.values = values
  }

  /// The same grid with every value multiplied.
  func scaled(by factor: Double) -> CostGrid {
    CostGrid(unchecked: inputs, outputs, values.map { $0.map { $0 * factor } })
  }

  /// The same grid with what its channels add at each point; none falls below zero.
  func adding(_ more: (_ input: Int, _ output: Int) -> Double) -> CostGrid {
    let rows = inputs.isEmpty ? [0] : inputs
    return CostGrid(
      unchecked: inputs, outputs,
      zip(rows, values).map { input, row in zip(outputs, row).map { max(0, $1 + more(input, $0)) } })
  }

  private init(unchecked inputs: [Int], _ outputs: [Int], _ values: [[Double]]) {
    self.inputs = inputs
    self.outputs = outputs
    self.values = values
  }

  /// A value with its derivatives by the two channel counts.
  struct Reading {
    var value: Double
    var byInput: Double
    var byOutput: Double
  }

  /// The cost at these channel counts, which need not be whole.
  func reading(input: Double, output: Double) -> Reading {
    let (column, u, du) = Self.place(output, outputs)
    func along(_ row: [Double]) -> (value: Double, slope: Double) {
      let next = min(column + 1, row.count - 1)
      // One point: what it costs a channel.
      guard next > column else { return (row[column] * u, row[column] * du) }
      return (row[column] + u * (row[next] - row[column]), du * (row[next] - row[column]))
    }
    let reading: Reading
    if inputs.isEmpty {
      let (value, slope) = along(values[0])
      reading = Reading(value: value, byInput: 0, byOutput: slope)
    } else {
      let (row, v, dv) = Self.place(input, inputs)
      let next = min(row + 1, values.count - 1)
      let (low, lowSlope) = along(values[row])
      if next > row {
        let (high, highSlope) = along(values[next])
        reading = Reading(
          value: low + v * (high - low), byInput: dv * (high - low), byOutput: lowSlope + v * (highSlope - lowSlope))
      } else {
        reading = Reading(value: low * v, byInput: low * dv, byOutput: lowSlope * v)
      }
    }
    return reading.value >= 0 ? reading : Reading(value: 0, byInput: 0, byOutput: 0)
  }

  /// The point at or below `channels`, how far from it to the next, and the change of that with each channel.
  private static func place(_ channels: Double, _ points: [Int]) -> (index: Int, part: Double, slope: Double) {
    guard points.count > 1 else {
      return (0, channels / Double(points[0]), 1 / Double(points[0]))
    }
    let above = points.firstIndex { Double($0) > channels } ?? points.count
    let index = min(max(above - 1, 0), points.count - 2)
    let step = Double(points[index + 1] - points[index])
    return (index, (channels - Double(points[index])) / step, 1 / step)
  }
}
