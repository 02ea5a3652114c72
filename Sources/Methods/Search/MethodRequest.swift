import Support

/// A method with settings of its own, as a comparison names it: `network-slimming:width=2,epochs=30%,direct`.
///
/// So one comparison can have a method several times, as figure 9 of the width-transfer paper has network slimming.
public struct MethodRequest: Hashable, Sendable {
  /// As it is written, which is also what its arm is called.
  public var text: String
  /// The method.
  public var name: String
  /// Settings of the method.
  public var settings: [String: String]
  /// Epochs of its search; nil for the comparison's.
  public var epochs: Epochs?
  /// The learning rate of its search; nil for the comparison's.
  public var learningRate: Double?
  /// Where it searches.
  public var place = Place.everywhere

  /// Where a method of a comparison searches.
  public enum Place: String, Hashable, Sendable {
    /// On the network itself and on its projections.
    case everywhere
    /// On the network itself alone, whatever is projected.
    case direct
    /// On the projections alone.
    case transferred
  }

  /// How long a search is.
  public enum Epochs: Hashable, Sendable {
    /// So many epochs.
    case number(Int)
    /// A part of the training's epochs, at least one.
    case part(Double)

    /// The epochs of a search beside trainings of so many.
    public func count(of training: Int) -> Int {
      switch self {
      case .number(let count): count
      case .part(let part): max(1, Int((part * Double(training)).rounded()))
      }
    }
  }

  /// Reads a request.
  ///
  /// - Throws: `UsageFailure` for a method that is none, and for a setting without a value or one that is given twice. Settings themselves are
  ///   checked where the method is made (``WidthOptimizers/named(_:settings:)``).
  public init(parsing text: String) throws {
    self.text = text
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    name = String(parts[0])
    settings = [:]
    let isControl = try WidthOptimizers.named(name).isControl
    guard parts.count == 2 else { return }
    func wrong(_ reason: String) -> UsageFailure {
      UsageFailure(
        "`algorithm` \(text): \(reason), for example dmcp:epochs=40 or network-slimming:width=2,epochs=30%,direct")
    }
    guard !isControl else { throw wrong("\(name) does not search and has no settings; they are for methods") }
    var seen: Set<Substring> = []
    for part in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard seen.insert(pair[0]).inserted else { throw wrong("\(pair[0]) is given twice") }
      if let place = Place(rawValue: String(part)), place != .everywhere {
        guard self.place == .everywhere else { throw wrong("direct and transferred leave nothing to search on") }
        self.place = place
        continue
      }
      guard pair.count == 2, !pair[0].isEmpty, !pair[1].isEmpty else {
        throw wrong("expected NAME=VALUE, direct or transferred, not \"\(part)\"")
      }
      switch pair[0] {
      case "epochs":
        guard let epochs = Self.epochs(pair[1]) else {
          throw wrong("epochs are a number from 1 to 1000000 or a part of the training's, not \(pair[1])")
        }
        self.epochs = epochs
      case "learning-rate":
        guard let rate = Double(pair[1]), rate > 0, rate.isFinite else {
          throw wrong("a learning rate is a positive number, not \(pair[1])")
        }
        learningRate = rate
      default: settings[String(pair[0])] = String(pair[1])
      }
    }
  }

  /// A request's text without the epochs of its search.
  public static func withoutEpochs(_ text: String) -> String {
    let parts = text.split(separator: ":", maxSplits: 1)
    guard parts.count == 2 else { return text }
    let left = parts[1].split(separator: ",").filter { !$0.hasPrefix("epochs=") }
    return left.isEmpty ? String(parts[0]) : "\(parts[0]):\(left.joined(separator: ","))"
  }

  private static func epochs(_ text: Substring) -> Epochs? {
    if text.hasSuffix("%") {
      return Double(text.dropLast()).flatMap { $0 > 0 && $0 <= 10_000 ? .part($0 / 100) : nil }
    }
    return Int(text).flatMap { (1...1_000_000).contains($0) ? .number($0) : nil }
  }

  /// How the search trains: what suits the method, made from the training's recipe, with these epochs and this rate.
  ///
  /// - Parameters:
  ///   - epochs: What the comparison asks of all its searches.
  ///   - learningRate: Likewise.
  /// - Throws: `UsageFailure` for a recipe that makes no sense.
  public func searchRecipe(
    for optimizer: any WidthOptimizer, from recipe: Recipe, epochs: Int? = nil, learningRate: Double? = nil
  ) throws -> Recipe {
    try optimizer.searchRecipe(
      from: recipe, epochs: self.epochs?.count(of: recipe.epochs) ?? epochs,
      learningRate: self.learningRate ?? learningRate)
  }
}
