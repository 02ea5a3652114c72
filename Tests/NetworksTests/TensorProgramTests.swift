import Foundation
import Support
import Testing

@testable import Networks

@Suite struct TensorProgramTests {
  private typealias Step = TensorProgram.Step

  /// Attention between the places of a map of 8 channels, in two heads, with a learnt table of positions.
  static func attention(height: Int = 2, width: Int = 3) -> TensorProgram {
    let places = height * width
    return TensorProgram(
      inputs: [Shape(channels: 24, height: height, width: width)],
      learnables: [.init("table", .shift, [2, places, places])], constants: [.init([], [0.5])],
      steps: [
        Step(.reshape, [0], [-1, 3, 2, 4, places]),  // 3
        Step(.permute, [3], [1, 0, 2, 4, 3]),
        Step(.slice, [4], [0, 0, 1, 1]), Step(.reshape, [5], [-1, 2, places, 4]),
        Step(.slice, [4], [0, 1, 2, 1]), Step(.reshape, [7], [-1, 2, places, 4]),
        Step(.slice, [4], [0, 2, 3, 1]), Step(.reshape, [9], [-1, 2, places, 4]),
        Step(.permute, [8], [0, 1, 3, 2]), Step(.matmul, [6, 11]), Step(.multiply, [12, 2]), Step(.add, [13, 1]),
        Step(.softmax, [14], [3]), Step(.matmul, [15, 10]), Step(.permute, [16], [0, 1, 3, 2]),
        Step(.reshape, [17], [-1, 8, height, width]),
      ])
  }

  private func network(_ program: TensorProgram) -> Network {
    Network(
      name: "attentive", input: Shape(channels: 3, height: 2, width: 3),
      layers: [
        Layer(name: "stem", operation: .convolution(Convolution(outputChannels: 16, kernelSize: 1)), inputs: ["input"]),
        Layer(name: "qkv", operation: .convolution(Convolution(outputChannels: 24, kernelSize: 1)), inputs: ["stem"]),
        Layer(name: "attention", operation: .other(program), inputs: ["qkv"]),
        Layer(
          name: "out", operation: .convolution(Convolution(outputChannels: 16, kernelSize: 1)), inputs: ["attention"]),
        Layer(name: "sum", operation: .add, inputs: ["stem", "out"]),
        Layer(name: "mean", operation: .globalAveragePool, inputs: ["sum"]),
        Layer(name: "classes", operation: .linear(Linear(outputFeatures: 5)), inputs: ["mean"]),
      ])
  }

  @Test(
    "The widths around it are fixed, others are free; it has its matrix products and parameters, and its file is read again"
  )
  func attention() throws {
    let network = network(Self.attention())
    let resolved = try network.resolved()
    #expect(resolved.widthGroups.map(\.id) == ["stem"])
    let layer = resolved.layers[2]
    #expect(layer.output == Shape(channels: 8, height: 2, width: 3))
    // Two heads: queries by keys, shares by values.
    #expect(layer.cost.macs == 2 * (6 * 4 * 6) * 2 && layer.cost.parameters == 2 * 6 * 6)
    #expect(resolved.cost == (try resolved.network(with: ["stem": 16]).cost()))
    #expect(try resolved.network(with: ["stem": 4]).resolved().cost.parameters < resolved.cost.parameters)
    #expect(throws: NetworkFailure.self) { try resolved.network(with: ["qkv": 12]) }
    #expect(try Network(json: network.json(), file: "test") == network)
    for model in [CostModel.macs, .parameters] {
      let narrow = try resolved.network(with: ["stem": 4]).resolved().cost
      #expect(CostCounter(resolved, model).count([4]) == (model == .macs ? narrow.macs : narrow.parameters))
    }
    // Another image would need another program.
    var larger = network
    larger.input.height = 4
    let refused = #expect(throws: NetworkFailure.self) { try larger.resolved() }
    #expect(refused?.description.contains("fixed size") == true)
  }

  @Test("A step that does not fit is refused, with its number, and none can mix images or overflow")
  func faults() throws {
    let map = Shape(channels: 4, height: 2, width: 2)
    func program(
      _ steps: [TensorProgram.Step], _ constants: [TensorProgram.Constant] = [], _ inputs: [Shape]? = nil
    ) -> TensorProgram { TensorProgram(inputs: inputs ?? [map], constants: constants, steps: steps) }
    #expect(try program([Step(.relu, [0])]).checkedShapes().output == map)
    let wrong: [TensorProgram] = [
      program([]), program([Step(.relu, [1])]), program([Step(.relu, [-1])]), program([Step(.relu, [])]),
      program([Step(.add, [0])]), program([Step(.relu, [0, 0])]),
      program([Step(.matmul, [0, 1])], [.init([3, 2], [1])]),
      program([Step(.reshape, [0], [-1, 15])]), program([Step(.reshape, [0], [-1, 4, 2, 0])]),
      program([Step(.reshape, [0], [.min, 4, 2, 2])]), program([Step(.reshape, [0], [-1, .max, 2, 2])]),
      // Images in another order, as one axis, or two times.
      program([Step(.reshape, [0], [4, -1, 2, 2])]), program([Step(.reshape, [0], [16])]),
      program([Step(.reshape, [0], [-1, -4, 2, 2])]),
      program([Step(.softmax, [0], [0])]), program([Step(.mean, [0], [0])]), program([Step(.gather, [0], [0, 0])]),
      program([Step(.slice, [0], [0, 0, 1, 1])]), program([Step(.concatenate, [0, 0], [0])]),
      program([Step(.pad, [0], [1, 0, 0, 0, 0, 0, 0, 0])]),
      program([Step(.permute, [0], [0, 1, 2, 2])]), program([Step(.permute, [0], [0, 1, 2])]),
      program([Step(.slice, [0], [1, 2, 2, 1])]), program([Step(.slice, [0], [1, 0, 2, .max])]),
      program([Step(.slice, [0], [1, 0, 5, 1])]), program([Step(.slice, [0], [9, 0, 1, 1])]),
      program([Step(.gather, [0], [1, 4])]), program([Step(.gather, [0], [1, -1])]),
      program([Step(.pad, [0], [0, 0, -1, 0, 0, 0, 0, 0])]),
      program([Step(.pad, [0], [0, 0, .max, 0, 0, 0, .max, 0])]),
      program([Step(.power, [0])]), program([Step(.power, [0], value: .nan)]),
      program([Step(.clamp, [0], value: 2, second: 1)]),
      program([Step(.mean, [0], [1, 1])]), program([Step(.mean, [0], [])]),
      program([Step(.expand, [0], [-1, 4, 2, 3])]),
      // What comes out must be a map.
      program([Step(.reshape, [0], [-1, 16])]), program([Step(.permute, [0], [1, 0, 2, 3])]),
      program([Step(.relu, [1])], [.init([4, 2], [1, 2])]), program([Step(.add, [0, 1])], [.init([1], [.nan])]),
      program([Step(.add, [0, 1])], [.init([0], [])]),
      program([Step(.relu, [0])], [], [Shape(channels: .max, height: .max, width: 2)]),
      program([Step(.relu, [0])], [], [Shape(channels: -4, height: 2, width: 2)]),
      program(Array(repeating: Step(.relu, [0]), count: TensorProgram.mostSteps + 1)),
    ]
    for (number, program) in wrong.enumerated() {
      #expect(throws: TensorProgram.Fault.self, "\(number)") { try program.checkedShapes() }
      // And with all that is asked of an operation, without a trap.
      #expect(program.multiplyAccumulates == .total(0))
    }
    // Each product is possible, their sum is not counted in 64 bits.
    let large = [TensorProgram.Constant([1 << 20, 1 << 20], [1])]
    let products = program(
      [Step(.matmul, [1, 1])] + Array(repeating: Step(.matmul, [1, 2]), count: 16) + [Step(.relu, [0])], large)
    #expect(throws: TensorProgram.Fault.self) { try products.checkedShapes() }
    let named = program([Step(.relu, [0]), Step(.softmax, [1], [7])])
    let fault = #expect(throws: TensorProgram.Fault.self) { try named.checkedShapes() }
    #expect(fault?.description.contains("step 2 (softmax)") == true)
  }

  @Test("A file's program is read strictly")
  func file() throws {
    let good = #"{"kind": "passed", "inputShapes": [[4, 2, 2]], "steps": [{"function": "relu", "operands": [0]}]}"#
    func read(_ text: String) throws -> Networks.Operation {
      try JSONDecoder().decode(Networks.Operation.self, from: Data(text.utf8))
    }
    #expect(try read(good).kind == "passed")
    // JSON has no numbers without end.
    let endless = TensorProgram(
      inputs: [Shape(channels: 4, height: 2, width: 2)], constants: [.init([2], [-.infinity, .infinity])],
      steps: [
        Step(.pad, [0], [0, 0, 1, 0, 0, 0, 0, 0], value: -.infinity), Step(.clamp, [2], value: 0, second: .infinity),
      ])
    let text = String(decoding: try JSONEncoder().encode(Networks.Operation.other(endless)), as: UTF8.self)
    #expect(try read(text) == .other(endless))
    #expect(throws: (any Error).self) { try read(text.replacing("\"inf\"", with: "\"nan\"")) }
    for (from, to) in [
      ("relu", "explode"), ("operands\": [0]", "operands\": [0.5]"), ("[4, 2, 2]", "[4, 2]"),
      ("\"function\"", "\"more\": 1, \"function\""),
      ("\"steps\"", "\"widths\": 3, \"steps\""),
    ] {
      #expect(throws: (any Error).self, "\(to)") { try read(good.replacing(from, with: to)) }
    }
  }

  @Test("Python statements have their parameters by name, and a variable for each step")
  func python() throws {
    let text = try PyTorchSource(network(Self.attention()).resolved()).text()
    #expect(text.contains("\"attention.table\": nn.Parameter(torch.zeros((2, 6, 6, )))"))
    #expect(text.contains(".softmax(3)") && text.contains("self.get_parameter(\"attention.table\")"))
    #expect(text.contains("attention = attention_"))
  }

  @Test("Two layers cannot have one name in a state dict, and variables of Python none twice")
  func names() throws {
    var network = network(Self.attention())
    network.layers[1].name = "attention.table"
    network.layers[2].inputs = ["attention.table"]
    // `attention.table.weight` beside `attention.table`: no tensor of the same name.
    _ = try network.resolved()
    var program = Self.attention()
    program.learnables[0].name = "table.weight"
    network.layers[2].operation = .other(program)
    let refused = #expect(throws: NetworkFailure.self) { try network.resolved() }
    #expect(refused?.message.contains("attention.table.weight") == true)
    // Steps are called after their layer, which others are called like.
    var other = self.network(Self.attention())
    other.layers[0].name = "attention_3"
    other.layers[1].inputs = ["attention_3"]
    other.layers[4].inputs[0] = "attention_3"
    let text = try PyTorchSource(other.resolved()).text()
    let set = text.split(separator: "\n").compactMap { line in
      line.hasPrefix("        attention")
        ? line.split(separator: "=").first.map { $0.trimmingCharacters(in: .whitespaces) } : nil
    }
    #expect(set.count > 15 && Set(set).count == set.count, "\(set)")
  }

  @Test("What follows another layer's width cannot lead into a part that stays, and large constants are bounded")
  func derivedInputs() throws {
    let map = Shape(channels: 4, height: 2, width: 2)
    let program = TensorProgram(inputs: [map], steps: [Step(.relu, [0])])
    var follower = Convolution(outputChannels: 4, kernelSize: 1)
    follower.derivedChannels = .init(source: "conv", divisor: 2)
    let network = Network(
      name: "derived", input: Shape(channels: 3, height: 2, width: 2),
      layers: [
        Layer(name: "conv", operation: .convolution(Convolution(outputChannels: 8, kernelSize: 1)), inputs: ["input"]),
        Layer(name: "follower", operation: .convolution(follower), inputs: ["conv"]),
        Layer(name: "part", operation: .other(program), inputs: ["follower"]),
        Layer(name: "mean", operation: .globalAveragePool, inputs: ["part"]),
        Layer(name: "classes", operation: .linear(Linear(outputFeatures: 2)), inputs: ["mean"]),
      ])
    #expect(throws: NetworkFailure.self) { try network.resolved() }
    let large = TensorProgram(
      inputs: [map], constants: [.init([1 << 20, 1 << 20], [0])],
      steps: [Step(.slice, [1], [0, 0, 1, 1]), Step(.slice, [2], [1, 0, 1, 1]), Step(.add, [0, 3])])
    #expect(throws: TensorProgram.Fault.self) { try large.checkedShapes() }
  }
}
