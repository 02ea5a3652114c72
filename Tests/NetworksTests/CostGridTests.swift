import Support
import Testing

@testable import Networks

@Suite struct CostGridTests {
  @Test("Between the points every product of the channels is exact, and beyond them the last two are continued")
  func interpolates() throws {
    func cost(_ input: Double, _ output: Double) -> Double { 3 + 0.5 * input + 2 * output + 0.25 * input * output }
    let (inputs, outputs) = ([8, 16, 32], [8, 24, 32, 64])
    let grid = try CostGrid(
      inputs: inputs, outputs: outputs,
      values: inputs.map { input in outputs.map { cost(Double(input), Double($0)) } })
    for (input, output) in [(8.0, 8.0), (12.5, 30), (32, 64), (40, 100), (4, 4), (16, 24)] {
      let reading = grid.reading(input: input, output: output)
      #expect(abs(reading.value - cost(input, output)) < 1e-9)
      #expect(abs(reading.byInput - (0.5 + 0.25 * output)) < 1e-9)
      #expect(abs(reading.byOutput - (2 + 0.25 * input)) < 1e-9)
    }
  }

  @Test("Where channels do not change, another number of them costs in proportion; nothing is below zero")
  func edges() throws {
    let one = try CostGrid(inputs: [3], outputs: [10, 20], values: [[6, 8]])
    #expect(one.reading(input: 3, output: 15).value == 7)
    #expect(one.reading(input: 1.5, output: 15).value == 3.5)
    let falling = try CostGrid(inputs: [], outputs: [8, 16], values: [[1, 9]])
    #expect(falling.reading(input: 0, output: 4).value == 0)
    #expect(falling.reading(input: 0, output: 4).byOutput == 0)
  }

  @Test(
    "What is no grid is refused",
    arguments: [
      ([8, 8], [1], [[1.0], [1]]), ([], [], [[]]), ([8], [4, 2], [[1, 1]]), ([8, 16], [8], [[1]]),
      ([8], [8], [[Double.nan]]), ([8], [8], [[-1]]), ([0], [8], [[1]]),
    ] as [([Int], [Int], [[Double]])])
  func refusals(inputs: [Int], outputs: [Int], values: [[Double]]) {
    #expect(throws: UsageFailure.self) { try CostGrid(inputs: inputs, outputs: outputs, values: values) }
  }
}
