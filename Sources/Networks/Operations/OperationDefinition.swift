/// Everything that this package knows of an operation but how to compute it: the one place where it is defined.
///
/// Shape inference, ties between channels, cost, parameters, slicing and files follow from it. There is no default for anything
/// that counts: what is forgotten does not compile. How an operation is computed stands with the tensors, in `Training`.
///
/// An operation of another package conforms too, and stands in a network as `Operation.other`; a file that holds it is read with
/// its type in ``Network/init(json:file:operations:)``.
public protocol OperationDefinition: Hashable, Sendable {
  /// The names in files of the operations that this type stands for.
  static var kinds: [String] { get }
  /// The name of this operation in files and tables.
  var kind: String { get }
  /// The names of the settings in a file; any other is refused there.
  static var settingNames: [String] { get }
  /// Reads the settings, which stand beside `kind`.
  ///
  /// - Parameter kind: One of ``kinds``.
  init(kind: String, settingsFrom decoder: any Decoder) throws
  /// Writes the settings beside `kind`.
  func encodeSettings(to encoder: any Encoder) throws
  /// How many inputs it has.
  var arity: Arity { get }
  /// The shape that it puts out.
  ///
  /// - Throws: ``NetworkFailure`` that names the layer, when settings or inputs do not fit; see ``OperationSite``.
  func output(at site: OperationSite) throws -> Shape
  /// How channels flow from its inputs to its output.
  var channels: ChannelFlow { get }
  /// The same operation with so many output channels; itself when their number is not a setting of it.
  func with(outputChannels: Int) -> Self
  /// The same operation with another range of its input's channels; itself unless its flow is ``ChannelFlow/slices(_:)``.
  func with(slice: Range<Int>) -> Self
  /// Its learnable tensors, in PyTorch's order.
  var parameters: [ParameterForm] { get }
  /// The multiply-accumulates of each output position.
  var multiplyAccumulates: MultiplyAccumulates { get }
}

extension OperationDefinition {
  /// Itself: few operations cut channels out.
  public func with(slice: Range<Int>) -> Self { self }
}

/// How many inputs an operation has.
public enum Arity: Sendable, Hashable {
  /// One.
  case one
  /// Two.
  case two
  /// One or more.
  case several
}

/// How channels flow through an operation: what decides which channel counts must be equal.
public enum ChannelFlow: Sendable, Hashable {
  /// The output has the channels of the only input.
  case passes
  /// The output has the channels of the first input; what the others have stays as it is.
  case passesFirst
  /// The channels of the only input, so many times one after the other.
  case repeats(Int)
  /// As ``passes``, by one filter a channel: the layer counts among those that put these channels out.
  case filters
  /// Both inputs have the same channels, and so has the output.
  case ties
  /// The inputs' channels one after the other.
  case joins
  /// Every channel becomes as many entries as it has positions.
  case spreads
  /// Some of the input's channels, by their present places: ``OperationDefinition/with(slice:)`` moves these with the widths.
  case slices(Range<Int>)
  /// The channels fall into so many equal parts, and the output takes one of each in turn.
  case shuffles(Int)
  /// As ``passes``; their number is a multiple of this.
  case groups(Int)
  /// Channels of its own, whose number does not change, and those of the inputs must not change either.
  case fixes
  /// Channels of its own. Their number, and that of the input's, is a multiple of `multiplesOf`; it may follow another layer's.
  case produces(multiplesOf: Int = 1, follows: Convolution.DerivedChannels? = nil)
}

/// The multiply-accumulates of an operation, for each position of the output unless a case says otherwise.
public enum MultiplyAccumulates: Sendable, Hashable {
  /// None that count: the convention of ``Cost``.
  case none
  /// `window` for each pair of an output channel and an input channel of its group.
  case dense(window: Extent, groups: Int = 1)
  /// `window` for each output channel.
  case depthwise(window: Extent)
  /// So many for the whole output, whatever the widths around it are.
  case total(Int)
}

/// A learnable tensor of an operation.
public struct ParameterForm: Sendable, Hashable {
  /// One dimension of the tensor.
  public enum Dimension: Sendable, Hashable {
    /// As long as there are output channels.
    case output
    /// As long as there are input channels, or a part of them.
    case input(dividedBy: Int = 1)
    /// Of a length that no width changes.
    case fixed(Int)
  }

  /// The last part of its name in a state dict, for example `weight`; empty for a tensor that has the layer's name.
  public var name: String
  /// What it is for.
  public var role: ParameterRole
  /// Its dimensions.
  public var dimensions: [Dimension]

  /// Describes a tensor.
  public init(_ name: String, _ role: ParameterRole, _ dimensions: [Dimension]) {
    self.name = name
    self.role = role
    self.dimensions = dimensions
  }

  /// Its name in the state dict of a network; the layer's own for a tensor without a name, which is no module's.
  public func name(in layer: String) -> String { name.isEmpty ? layer : "\(layer).\(name)" }

  /// The lengths of the dimensions.
  public func shape(input: Int, output: Int) -> [Int] {
    dimensions.map { dimension in
      switch dimension {
      case .output: output
      case .input(let divisor): input / max(1, divisor)
      case .fixed(let length): length
      }
    }
  }
}

/// What a parameter is for; weight decay and initialization depend on it.
public enum ParameterRole: Sendable, Hashable {
  /// The weight of a convolution or a linear layer.
  case weight
  /// The bias of a convolution or a linear layer.
  case bias
  /// Scale (gamma) of a normalization.
  case normScale
  /// Shift (beta) of a normalization.
  case normShift
  /// A factor on a channel, with what it starts from.
  case factor(initially: Double)
}
