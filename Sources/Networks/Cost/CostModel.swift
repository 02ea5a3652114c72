/// What a network is to cost: a count that a budget can be set on.
///
/// A model lists the terms that a network's cost is the sum of, each a product of channel counts. The exact count at whole widths
/// (``CostCounter``), the real-valued form with its gradient (``CostPolynomial``), and scaling to a target follow from that.
public struct CostModel: Sendable {
  /// The name in records, for example `macs`.
  public let name: String
  /// The setting that budgets of this model are given by, for example `flops`.
  public let setting: String
  /// What is counted, for people: `MACs`, `parameters`.
  public let unit: String
  private let list: @Sendable (ResolvedNetwork, Int) -> [CostTerm]

  /// Describes a model.
  ///
  /// - Parameter terms: The terms of one layer, given by its position. They must not depend on widths that can be chosen but through
  ///   the layers that they name.
  public init(
    name: String, setting: String, unit: String, terms: @escaping @Sendable (ResolvedNetwork, Int) -> [CostTerm]
  ) {
    self.name = name
    self.setting = setting
    self.unit = unit
    list = terms
  }

  /// The terms of a network, in the order of its layers.
  func terms(of network: ResolvedNetwork) -> [CostTerm] {
    network.layers.indices.flatMap { list(network, $0) }
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

/// One term of a cost: `factor · (input channels / divisor) · output channels`.
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

  /// Describes a term.
  public init(factor: Int, input: Int? = nil, divisor: Int = 1, output: Int?, isDepthwise: Bool = false) {
    self.factor = factor
    self.input = input
    self.divisor = divisor
    self.output = output
    self.isDepthwise = isDepthwise
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

  /// The models that budgets can be given in.
  public static let all: [CostModel] = [.macs, .parameters]
}
