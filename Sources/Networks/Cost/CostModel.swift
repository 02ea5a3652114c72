import Support

/// What a network is to cost: a count that a budget can be set on.
///
/// A model lists the terms that a network's cost is the sum of, each a product of channel counts or a table over them. The exact count at whole widths
/// (``CostCounter``), the real-valued form with its gradient (``RelaxedCost``), and scaling to a target follow from that.
public struct CostModel: Sendable {
  /// The name in records, for example `macs`.
  public let name: String
  /// The setting that budgets of this model are given by, for example `flops`.
  public let setting: String
  /// What is counted, for people: `MACs`, `parameters`, `ns`.
  public let unit: String
  private let list: @Sendable (ResolvedNetwork) -> [CostTerm]

  /// Describes a model.
  ///
  /// - Parameter terms: The terms of one layer, given by its position. They must not depend on widths that can be chosen but through
  ///   the layers that they name.
  public init(
    name: String, setting: String, unit: String, terms: @escaping @Sendable (ResolvedNetwork, Int) -> [CostTerm]
  ) {
    self.init(
      name: name, setting: setting, unit: unit,
      termsOfNetwork: { network in
        network.layers.indices.flatMap { terms(network, $0) }
      })
  }

  /// Describes a model whose terms are not those of single layers.
  ///
  /// - Parameter terms: The terms of a network. They must not depend on widths that can be chosen but through the layers that they
  ///   name.
  public init(
    name: String, setting: String, unit: String,
    termsOfNetwork terms: @escaping @Sendable (ResolvedNetwork) -> [CostTerm]
  ) {
    self.name = name
    self.setting = setting
    self.unit = unit
    list = terms
  }

  /// The terms of a network, in the order of its layers.
  func terms(of network: ResolvedNetwork) -> [CostTerm] {
    list(network)
  }

  /// The cost of a network for one image; `Int.max` when the number does not fit.
  public func count(_ network: ResolvedNetwork) -> Int {
    let counter = CostCounter(network, self)
    return counter.count(network.widthGroups.map(\.width))
  }
}

extension CostModel: Hashable {
  /// Models are told apart by their names.
  public static func == (a: CostModel, b: CostModel) -> Bool { a.name == b.name }
  /// Models are told apart by their names.
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// One term of a cost: `factor · (input channels / divisor) · output channels`, or `factor` times what a grid says of the two.
public struct CostTerm: Sendable, Hashable {
  /// What the product is multiplied by.
  public var factor: Int
  /// The layer whose output channels are the first factor, -1 for the image; nil leaves it out.
  public var input: Int?
  /// What the first factor is divided by, rounded down: the groups of a grouped convolution.
  public var divisor: Int
  /// The layer whose output channels are the second factor; nil leaves it out.
  public var output: Int?
  /// Whether the term is a depthwise layer's, of which MorphNet's regularizer has an opinion of its own.
  public var isDepthwise: Bool
  /// What the channels cost, where it is not their product.
  public var grid: CostGrid?

  /// Describes a term.
  public init(
    factor: Int, input: Int? = nil, divisor: Int = 1, output: Int?, isDepthwise: Bool = false, grid: CostGrid? = nil
  ) {
    self.factor = factor
    self.input = input
    self.divisor = divisor
    self.output = output
    self.isDepthwise = isDepthwise
    self.grid = grid
  }
}

extension CostModel {
  /// Multiply-accumulates of one image, which the literature on widths calls FLOPs; see ``Cost/macs``.
  public static let macs = CostModel(name: "macs", setting: "flops", unit: "MACs") { network, index in
    let layer = network.layers[index]
    // Within the limits of sizes this product fits; the sum is checked where it is taken.
    let positions = layer.output.height * layer.output.width
    switch layer.layer.operation.definition.multiplyAccumulates {
    case .none: return []
    case .dense(let window, let groups):
      return [
        CostTerm(
          factor: window.height * window.width * positions, input: layer.inputIndices[0], divisor: groups, output: index
        )
      ]
    case .depthwise(let window):
      return [CostTerm(factor: window.height * window.width * positions, output: index, isDepthwise: true)]
    case .total(let count): return [CostTerm(factor: count, output: nil)]
    }
  }

  /// Learnable numbers; see ``Cost/parameters``.
  public static let parameters = CostModel(name: "parameters", setting: "parameters", unit: "parameters") {
    network, index in
    let layer = network.layers[index]
    return layer.layer.operation.definition.parameters.map { form in
      var term = CostTerm(factor: 1, output: nil)
      for dimension in form.dimensions {
        switch dimension {
        case .output: term.output = index
        case .input(let divisor): (term.input, term.divisor) = (layer.inputIndices[0], divisor)
        case .fixed(let length): term.factor *= length
        }
      }
      return term
    }
  }

  /// The time of one image by a table, in nanoseconds.
  ///
  /// Its name holds what the table says, so that a search by one table is not taken for a search by another.
  public static func latency(_ table: LatencyTable) -> CostModel {
    CostModel(name: "latency-\(table.identity)", setting: latencySetting, unit: "ns") { network in
      // Of a network of which forms are missing, those that are there count: `LatencyTable.requireForms(of:)` comes first.
      network.latencySteps.compactMap { step in
        table.corrected(step.form).map { seconds in
          CostTerm(
            factor: 1, input: step.form.hasOwnChannels ? step.input : nil, output: step.output,
            grid: seconds.scaled(by: 1e9))
        }
      }
    }
  }

  /// The setting that budgets of time are given by.
  public static let latencySetting = "latency"
  /// The settings that budgets can be given by.
  public static let settings = [macs.setting, parameters.setting, latencySetting]

  /// An amount of what is counted, in words: `41.23 M MACs`, `3.21 ms`.
  public func words(_ amount: Int) -> String {
    isTime ? Format.milliseconds(Double(amount) / 1e9) : "\(Format.amount(amount)) \(unit)"
  }

  /// Whether times are counted.
  public var isTime: Bool { setting == Self.latencySetting }
}
