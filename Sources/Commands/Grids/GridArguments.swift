import Methods
import Records
import Support

/// `experiment NAME` of a grid, and `experiment FILE.yaml`: the flags of `compare` that they stand for.
package enum GridArguments {
  /// Replaces `experiment GRID` by `compare` and the grid's flags; what is typed wins. Other arguments stay as they are.
  ///
  /// - Throws: `UsageFailure` for a scale that the grid does not have, and for a figure or table that is none; `FileFailure` for a file that is no configuration.
  package static func expand(_ arguments: [String], _ vocabulary: @autoclosure () throws -> Vocabulary) throws
    -> [String]
  {
    guard arguments.count >= 2, arguments[0] == "experiment" else { return arguments }
    // A flag may stand before the name.
    guard
      let place = try arguments[1].hasPrefix("-") ? namePlace(in: arguments, vocabulary()) : 1
    else { return arguments }
    let name = arguments[place]
    var rest = Array(arguments[1..<place] + arguments[(place + 1)...])
    var configuration: Configuration
    if let grid = ExperimentGrid.named(name) {
      // Help is that of `experiment`.
      guard !rest.contains("--help"), !rest.contains("-h") else { return arguments }
      let scale = try takeScale(from: &rest)
      guard let text = grid.yaml(scale) else {
        let known = GridScale.allCases.filter { grid.networks[$0] != nil }.map(\.rawValue)
        throw UsageFailure("\(name) has no scale \(scale.rawValue); give --scale \(known.joined(separator: " or "))")
      }
      configuration = try Configuration(text: text, name: name)
    } else if name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
      configuration = try Configuration(path: name)
    } else if name.hasPrefix("fig") || name.hasPrefix("tab") {
      // Before its flags, which are those of `compare`, are found to be unknown.
      throw UsageFailure(ExperimentCommand.unknown(name))
    } else {
      return arguments
    }
    if rest.contains(where: { $0 == "--search-epochs" || $0.hasPrefix("--search-epochs=") }) {
      // What is typed wins over how long each of the grid's methods searches.
      switch configuration.values["algorithm"] {
      case .list(let methods)?:
        var kept: [String] = []
        for method in methods.map(MethodRequest.withoutEpochs) where !kept.contains(method) { kept.append(method) }
        configuration.values["algorithm"] = .list(kept)
      case .text(let method)?: configuration.values["algorithm"] = .text(MethodRequest.withoutEpochs(method))
      default: break
      }
    }
    return try ["compare"]
      + ConfigurationFile.flags(of: configuration, name, ["compare"], said: rest, vocabulary(), isOwn: true)
      + rest
  }

  /// Whether a word names a grid: a figure of the width-transfer paper, or a file of one's own.
  static func isGrid(_ word: String) -> Bool {
    ExperimentGrid.named(word) != nil || !word.hasPrefix("-") && (word.hasSuffix(".yaml") || word.hasSuffix(".yml"))
  }

  private static func namePlace(in arguments: [String], _ vocabulary: Vocabulary) -> Int? {
    var place = 1
    while place < arguments.count, arguments[place].hasPrefix("-") {
      let flag = arguments[place].hasPrefix("--") ? String(arguments[place].dropFirst(2)) : ""
      let kind = vocabulary.kind(of: flag, in: "compare") ?? vocabulary.kind(of: flag, in: "experiment")
      place += kind == .one || kind == .several ? 2 : 1
    }
    return place < arguments.count ? place : nil
  }

  private static func takeScale(from rest: inout [String]) throws -> GridScale {
    guard let place = rest.firstIndex(where: { $0 == "--scale" || $0.hasPrefix("--scale=") }) else { return .smoke }
    let text: String
    if rest[place] == "--scale" {
      guard place + 1 < rest.count else { throw UsageFailure("--scale needs a value") }
      text = rest[place + 1]
      rest.removeSubrange(place...place + 1)
    } else {
      text = String(rest[place].dropFirst("--scale=".count))
      rest.remove(at: place)
    }
    guard let scale = GridScale(rawValue: text) else {
      throw UsageFailure(
        "--scale \(text): a figure of the width-transfer paper has \(GridScale.allCases.map(\.rawValue).joined(separator: ", "))"
      )
    }
    return scale
  }
}
