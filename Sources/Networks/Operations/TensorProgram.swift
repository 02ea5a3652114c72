import Support

/// A part of a network that is passed as it is, at fixed widths and a fixed size: what other operations have no words for, such as attention between
/// places, tables of positions or normalizations of an unusual kind.
///
/// It is a list of steps on tensors of any number of axes. The values are numbered: the inputs first, then the parameters, the constants, and the result of
/// each step; the last one is what the layer puts out. In sizes, a negative number is so many times the number of images.
public struct TensorProgram: OperationDefinition {
  /// What a step computes.
  public enum Function: String, Codable, CaseIterable, Sendable {
    // Of two tensors, one of which may be repeated along axes.
    case add, subtract, multiply, divide, maximum, minimum
    /// The matrix product over the last two axes.
    case matmul
    // Of each number.
    case negative, exp, log, sqrt, reciprocal, abs, erf, tanh, sigmoid, relu, softplus, hardSwish, hardSigmoid
    /// To the power of ``Step/value``.
    case power
    /// Between ``Step/value`` and ``Step/second``.
    case clamp
    /// To the sizes ``Step/numbers``.
    case reshape
    /// The axes in the order ``Step/numbers``.
    case permute
    /// Repeated along axes of length 1 to the sizes ``Step/numbers``.
    case expand
    /// Along the axis, from the start to the end, each so many: ``Step/numbers``.
    case slice
    /// Along the axis, the places behind it in ``Step/numbers``.
    case gather
    /// One behind the other along the axis ``Step/numbers``.
    case concatenate
    /// So many of ``Step/value`` before and behind each axis: first all numbers before, then all behind.
    case pad
    /// Shares along the axis ``Step/numbers``.
    case softmax
    // Over the axes `numbers`, which stay with length 1.
    case mean, sum, largest
    /// The root of the sum of squares, over the axes `numbers`, which stay with length 1.
    case norm
  }

  /// One step.
  public struct Step: Hashable, Codable, Sendable {
    /// What it computes.
    public var function: Function
    /// The numbers of the values that it reads.
    public var operands: [Int]
    /// Sizes, axes or places, by the function.
    public var numbers: [Int]
    /// A number of the function.
    public var value: Double?
    /// Another one.
    public var second: Double?

    /// Describes a step.
    public init(
      _ function: Function, _ operands: [Int], _ numbers: [Int] = [], value: Double? = nil, second: Double? = nil
    ) {
      self.function = function
      self.operands = operands
      self.numbers = numbers
      self.value = value
      self.second = second
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case function, operands, numbers, value, second }

    /// Reads a step.
    public init(from decoder: any Decoder) throws {
      try decoder.refuseKeys(besides: CodingKeys.allCases.map(\.rawValue), of: "the step")
      let values = try decoder.container(keyedBy: CodingKeys.self)
      self.init(
        try values.decode(Function.self, forKey: .function), try values.decode([Int].self, forKey: .operands),
        try values.decodeIfPresent([Int].self, forKey: .numbers) ?? [],
        value: try values.decodeIfPresent(JSONNumber.self, forKey: .value)?.value,
        second: try values.decodeIfPresent(JSONNumber.self, forKey: .second)?.value)
    }

    /// Writes a step without what it has not.
    public func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: CodingKeys.self)
      try values.encode(function, forKey: .function)
      try values.encode(operands, forKey: .operands)
      if !numbers.isEmpty { try values.encode(numbers, forKey: .numbers) }
      try values.encodeIfPresent(value.map(JSONNumber.init), forKey: .value)
      try values.encodeIfPresent(second.map(JSONNumber.init), forKey: .second)
    }
  }

  /// A learnable tensor.
  public struct Parameter: Hashable, Codable, Sendable {
    /// What it is for, from which it starts.
    public enum Use: String, Codable, Sendable {
      /// A matrix that multiplies: as the weight of a linear layer.
      case weight
      /// Starts at 1.
      case factor
      /// Starts at 0.
      case shift
    }

    /// The last part of its name in the state dict.
    public var name: String
    /// What it is for.
    public var use: Use
    /// Its sizes.
    public var sizes: [Int]

    /// Describes a parameter.
    public init(_ name: String, _ use: Use, _ sizes: [Int]) {
      self.name = name
      self.use = use
      self.sizes = sizes
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case name, use, sizes }

    /// Reads a parameter.
    public init(from decoder: any Decoder) throws {
      try decoder.refuseKeys(besides: CodingKeys.allCases.map(\.rawValue), of: "the parameter")
      let values = try decoder.container(keyedBy: CodingKeys.self)
      self.init(
        try values.decode(String.self, forKey: .name), try values.decode(Use.self, forKey: .use),
        try values.decode([Int].self, forKey: .sizes))
    }
  }

  /// A number as JSON has it, which knows none without end: these are the texts `inf` and `-inf`.
  private struct JSONNumber: Codable {
    var value: Double

    init(_ value: Double) { self.value = value }

    init(from decoder: any Decoder) throws {
      let single = try decoder.singleValueContainer()
      if let text = try? single.decode(String.self) {
        guard text == "inf" || text == "-inf" else {
          throw DecodingError.dataCorruptedError(in: single, debugDescription: "\"\(text)\" is no number")
        }
        value = text == "inf" ? .infinity : -.infinity
      } else {
        value = try single.decode(Double.self)
      }
    }

    func encode(to encoder: any Encoder) throws {
      var single = encoder.singleValueContainer()
      if value.isFinite { try single.encode(value) } else { try single.encode(value > 0 ? "inf" : "-inf") }
    }
  }

  /// Numbers that are not learnt.
  public struct Constant: Hashable, Codable, Sendable {
    /// Its sizes.
    public var sizes: [Int]
    /// Its numbers in row-major order, or one for all.
    public var numbers: [Float]

    /// Describes a constant.
    public init(_ sizes: [Int], _ numbers: [Float]) {
      self.sizes = sizes
      self.numbers = numbers
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case sizes, numbers }

    /// Reads a constant.
    public init(from decoder: any Decoder) throws {
      try decoder.refuseKeys(besides: CodingKeys.allCases.map(\.rawValue), of: "the constant")
      let values = try decoder.container(keyedBy: CodingKeys.self)
      self.init(
        try values.decode([Int].self, forKey: .sizes),
        try values.decode([JSONNumber].self, forKey: .numbers).map { Float($0.value) })
    }

    /// Writes a constant.
    public func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: CodingKeys.self)
      try values.encode(sizes, forKey: .sizes)
      try values.encode(numbers.map { JSONNumber(Double($0)) }, forKey: .numbers)
    }
  }

  /// The shapes of the maps that it reads.
  public var inputs: [Shape]
  /// What is learnt.
  public var learnables: [Parameter]
  /// What is not.
  public var constants: [Constant]
  /// What is computed.
  public var steps: [Step]

  /// Describes a part.
  public init(inputs: [Shape], learnables: [Parameter] = [], constants: [Constant] = [], steps: [Step]) {
    self.inputs = inputs
    self.learnables = learnables
    self.constants = constants
    self.steps = steps
  }

  /// The most steps, the most numbers in constants, and the most places of tensors that these fill.
  package static let mostSteps = 4096, mostConstants = 1 << 20, mostFilled = 1 << 24

  private enum CodingKeys: String, CodingKey { case inputShapes, parameters, constants, steps }

  /// `passed`.
  public static let kinds = ["passed"]
  /// `passed`.
  public var kind: String { "passed" }
  /// Its settings.
  public static let settingNames: [String] = ["inputShapes", "parameters", "constants", "steps"]

  /// Reads the settings.
  public init(kind: String, settingsFrom decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let shapes = try values.decode([[Int]].self, forKey: .inputShapes)
    guard shapes.allSatisfy({ $0.count == 3 }) else {
      throw DecodingError.dataCorruptedError(
        forKey: .inputShapes, in: values, debugDescription: "each shape is channels, height and width")
    }
    self.init(
      inputs: shapes.map { Shape(channels: $0[0], height: $0[1], width: $0[2]) },
      learnables: try values.decodeIfPresent([Parameter].self, forKey: .parameters) ?? [],
      constants: try values.decodeIfPresent([Constant].self, forKey: .constants) ?? [],
      steps: try values.decode([Step].self, forKey: .steps))
  }

  /// Writes the settings.
  public func encodeSettings(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(inputs.map { [$0.channels, $0.height, $0.width] }, forKey: .inputShapes)
    if !learnables.isEmpty { try values.encode(learnables, forKey: .parameters) }
    if !constants.isEmpty { try values.encode(constants, forKey: .constants) }
    try values.encode(steps, forKey: .steps)
  }

  /// One or more.
  public var arity: Arity { .several }

  /// What the last step gives, where the inputs are those that it was made for.
  public func output(at site: OperationSite) throws -> Shape {
    guard site.inputs == inputs else {
      func text(_ shapes: [Shape]) -> String { shapes.map { "\($0)" }.joined(separator: " and ") }
      throw site.failure(
        "it is passed at a fixed size, for inputs of \(text(inputs)), and these are \(text(site.inputs)); give the network at the resolution that is wanted"
      )
    }
    do {
      return try checkedShapes().output
    } catch {
      throw site.failure("\(error)")
    }
  }

  /// Neither may change.
  public var channels: ChannelFlow { .fixes }
  /// Itself.
  public func with(outputChannels: Int) -> TensorProgram { self }

  /// What is learnt.
  public var parameters: [ParameterForm] {
    learnables.map { parameter in
      let role: ParameterRole =
        switch parameter.use {
        case .weight: .weight
        case .factor: .normScale
        case .shift: .normShift
        }
      return ParameterForm(parameter.name, role, parameter.sizes.map { .fixed($0) })
    }
  }

  /// Those of the matrix products of one image.
  public var multiplyAccumulates: MultiplyAccumulates { .total((try? checkedShapes().macs) ?? 0) }
}
