import Networks
import Support

/// How a configuration (network and data) is made smaller before its widths are optimized.
///
/// All but the resolution are factors relative to the configuration that is projected.
public struct Projection: Codable, Hashable, Sendable {
  /// Width multiplier of every layer.
  public var width: Double
  /// Multiplier of the number of blocks of every stage.
  public var depth: Double
  /// Side of the training images in pixels; nil leaves it.
  public var resolution: Int?
  /// Fraction of the training images, taken from every class.
  public var data: Double

  /// Creates a projection; by default nothing is made smaller.
  public init(width: Double = 1, depth: Double = 1, resolution: Int? = nil, data: Double = 1) {
    self.width = width
    self.depth = depth
    self.resolution = resolution
    self.data = data
  }

  /// Leaves everything as it is: direct optimization.
  public static let identity = Projection()

  /// The projection with the resolution of the network that it led to, as records keep it.
  public func resolved(to source: ResolvedNetwork) -> Projection {
    var result = self
    result.resolution = source.input.height
    return result
  }

  /// The projected network, at the projected resolution.
  ///
  /// - Parameters:
  ///   - network: The target of the transfer.
  ///   - divisor: What the projected widths are rounded to.
  /// - Throws: `UsageFailure` for impossible factors, `NetworkFailure` when the network does not suit them.
  public func applied(to network: ResolvedNetwork, divisor: Int = 8) throws -> ResolvedNetwork {
    let deep = try network.changingDepth(by: depth, asked: "`project` depth=\(Self.plain(depth))")
    let projected = try deep.scalingWidth(by: width, divisor: divisor)
    return try resolution.map { try projected.at(resolution: $0) } ?? projected
  }

  /// The projected network, at the projected resolution; as for a checked one.
  public func applied(to network: Network, divisor: Int = 8) throws -> Network {
    try applied(to: network.resolved(), divisor: divisor).network
  }
}

extension Projection {
  /// Reads `width=0.707,depth=0.5,resolution=160,data=20%`: any of the four, in any order.
  ///
  /// - Throws: `UsageFailure` that says which part is wrong and shows an example.
  public init(parsing text: String) throws {
    self.init()
    var seen: Set<String> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let words = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(Self.trimmed)
      guard words.count == 2, !words[0].isEmpty, !words[1].isEmpty else {
        throw Self.failure("\"\(part)\" is not of the form name=value")
      }
      guard seen.insert(words[0]).inserted else { throw Self.failure("\(words[0]) is given twice") }
      switch words[0] {
      case "width": width = try Self.factor(words[1], named: "width")
      case "depth": depth = try Self.factor(words[1], named: "depth")
      case "resolution":
        guard let side = Int(words[1]), (1...1 << 16).contains(side) else {
          throw Self.failure("resolution is a side in pixels, for example 160, not \"\(words[1])\"")
        }
        resolution = side
      case "data": data = try Self.fraction(words[1])
      default: throw Self.failure("there is no \"\(words[0])\" to project")
      }
    }
  }

  private static func factor(_ text: String, named name: String) throws -> Double {
    guard let value = Double(text), value.isFinite, value > 0, value <= 100 else {
      throw failure("\(name) is a positive multiplier, for example 0.5, not \"\(text)\"")
    }
    return value
  }

  private static func fraction(_ text: String) throws -> Double {
    guard let value = Fraction.parse(text) else {
      throw failure("data is a share above 0 and up to 100%, not \"\(text)\"; write 20% or 0.2 for a fifth")
    }
    return value
  }

  private static func trimmed(_ text: Substring) -> String {
    let start = text.drop { $0 == " " }
    return String(start.reversed().drop { $0 == " " }.reversed())
  }

  private static func failure(_ reason: String) -> UsageFailure {
    UsageFailure(
      "projection: \(reason). Give any of width, depth, resolution and data, as in "
        + "width=0.707,depth=0.5,resolution=160,data=20%")
  }
}

extension Projection: CustomStringConvertible {
  /// The projection as it is written on the command line; what is left as it is is left out.
  public var description: String {
    var parts: [String] = []
    if width != 1 { parts.append("width=\(Self.plain(width))") }
    if depth != 1 { parts.append("depth=\(Self.plain(depth))") }
    if let resolution { parts.append("resolution=\(resolution)") }
    if data != 1 {
      // A percentage only where it reads back as the same number.
      let percent = (data * 1e8).rounded() / 1e6
      parts.append(percent / 100 == data ? "data=\(Self.plain(percent))%" : "data=\(data)")
    }
    return parts.isEmpty ? "width=1" : parts.joined(separator: ",")
  }

  private static func plain(_ value: Double) -> String {
    value.rounded() == value && abs(value) < 1e9 ? String(Int(value)) : String(value)
  }
}
