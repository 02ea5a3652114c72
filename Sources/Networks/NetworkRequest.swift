import Support

/// A network as users ask for it.
public struct NetworkRequest {
  /// A name of the zoo, or a file `*.json`.
  public var name: String
  /// Every layer's channels are scaled by this.
  public var width: Double?
  /// Every stage's blocks are scaled by this.
  public var depth: Double?
  /// Classes; nil for the default.
  public var classes: Int?
  /// Channels of the images; nil for the default.
  public var inputChannels: Int?
  /// Side of the images in pixels; nil for the default.
  public var resolution: Int?
  /// Channel counts are multiples of this.
  public var divisor = 8

  /// Reads a network that a file describes, given what is asked for of its images.
  public typealias Reader = (_ path: String, _ resolution: Int?, _ inputChannels: Int?) throws -> Network
  /// What reads `.onnx`; nil where nothing does.
  public var onnx: Reader?

  /// Asks for a network.
  public init(
    name: String, width: Double? = nil, depth: Double? = nil, classes: Int? = nil, inputChannels: Int? = nil,
    resolution: Int? = nil, divisor: Int = 8
  ) {
    self.name = name
    self.width = width
    self.depth = depth
    self.classes = classes
    self.inputChannels = inputChannels
    self.resolution = resolution
    self.divisor = divisor
  }

  /// The network, checked, with what is asked for first, then the given defaults.
  ///
  /// - Throws: `UsageFailure` for a value that makes no sense or an unknown name, `FileFailure` for a file that is no network,
  ///   `NetworkFailure` for a network that does not fit.
  public func build(classes: Int? = nil, inputChannels: Int? = nil, resolution: Int? = nil) throws -> ResolvedNetwork {
    try Self.check("classes", self.classes, upTo: 1 << 28)
    try Self.check("input-channels", self.inputChannels, upTo: 1 << 28)
    try Self.check("resolution", self.resolution, upTo: 1 << 14)
    try Self.check("divisor", divisor, upTo: 1 << 28)
    try Self.check("width", width)
    try Self.check("depth", depth)
    let classes = self.classes ?? classes
    let channels = self.inputChannels ?? inputChannels
    let side = self.resolution ?? resolution
    var network: ResolvedNetwork
    if name.hasSuffix(".json") || name.hasSuffix(".onnx") {
      var described = try file(side, channels)
      if let classes { described = try described.with(classes: classes) }
      if let channels { described = described.with(inputChannels: channels) }
      if let side { described = described.at(resolution: side) }
      network = try described.resolved()
    } else {
      network = try NetworkZoo.resolved(named: name, classes: classes, inputChannels: channels, resolution: side)
    }
    if let depth { network = try network.changingDepth(by: depth, asked: "`depth` \(depth)") }
    if let width { network = try network.scalingWidth(by: width, divisor: divisor) }
    return network
  }

  // One call each: of a loop over tuples of these, the compiler makes other machine code every time, and a release would not be the same twice.
  private static func check(_ flag: String, _ value: Int?, upTo largest: Int) throws {
    if let value, !(1...largest).contains(value) {
      throw UsageFailure("`\(flag)` \(value): it must be from 1 to \(largest)")
    }
  }

  private static func check(_ flag: String, _ factor: Double?) throws {
    if let factor, !(factor > 0 && factor <= 64) {
      throw UsageFailure("`\(flag)` \(factor): it must be above 0, at most 64")
    }
  }

  private func file(_ side: Int?, _ channels: Int?) throws -> Network {
    guard name.hasSuffix(".onnx") else { return try Network(path: name) }
    guard let onnx else { throw UsageFailure("`network` \(name): nothing here reads ONNX") }
    return try onnx(name, side, channels)
  }
}
