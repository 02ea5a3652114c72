import Foundation
import Support

/// The hyperparameters of a search method, open to the command line by name.
public protocol SearchSettings: Codable, Sendable, Hashable {
  /// The defaults.
  init()
  /// Makes sure that every value makes sense.
  ///
  /// - Throws: `UsageFailure` that names the first value which does not.
  func validate() throws
}

extension SearchSettings {
  /// The names of all settings; those of a group are joined by a dot, as in `range.maximum`.
  public static var names: [String] { names(of: Self(), "") }

  private static func names(of value: Any, _ prefix: String) -> [String] { leaves(of: value, prefix).map(\.name) }

  /// All settings with their defaults, as `name=value`, and what else can be chosen: `residual=branch|sum`. The name alone has no default.
  public static var described: [String] {
    leaves(of: Self(), "").map { name, value in
      if Mirror(reflecting: value).displayStyle == .optional { return name }
      let others = choices(of: value).filter { $0 != "\(value)" }
      return "\(name)=" + (["\(value)"] + others).joined(separator: "|")
    }
  }

  private static func leaves(of value: Any, _ prefix: String) -> [(name: String, value: Any)] {
    Mirror(reflecting: value).children.flatMap { child -> [(name: String, value: Any)] in
      guard let label = child.label else { return [] }
      let isGroup = Mirror(reflecting: child.value).displayStyle == .struct && !(child.value is any Numeric)
      let inner = isGroup ? leaves(of: child.value, "\(prefix)\(label).") : []
      return inner.isEmpty ? [(prefix + label, child.value)] : inner
    }
  }

  // The names of an enumeration's cases; none of anything else.
  private static func choices(of value: Any) -> [String] {
    func all<Choice: CaseIterable>(_ type: Choice.Type) -> [String] { type.allCases.map { "\($0)" } }
    guard let type = Swift.type(of: value) as? any CaseIterable.Type else { return [] }
    return all(type)
  }

  /// The settings with some values replaced, as a command line gives them: name → text.
  ///
  /// - Throws: `UsageFailure` for an unknown name, a value of the wrong kind or out of its range.
  public func with(_ values: [String: String]) throws -> Self {
    guard !values.isEmpty else { return self }
    let known = Self.names
    guard var object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(self)) as? [String: Any] else {
      return self
    }
    for (name, text) in values.sorted(by: { $0.key < $1.key }) {
      guard known.contains(name) else {
        let near = known.isEmpty ? "" : "; nearest: \(nearestNames(to: name, in: known).joined(separator: ", "))"
        throw UsageFailure("`search-option` \(name): there is no such setting\(near)")
      }
      var candidate = object
      Self.set(Self.value(text), at: name.split(separator: ".").map(String.init), in: &candidate)
      guard (try? JSONDecoder().decode(Self.self, from: JSONSerialization.data(withJSONObject: candidate))) != nil
      else {
        let choices = Self.leaves(of: Self(), "").first { $0.name == name }.map { Self.choices(of: $0.value) } ?? []
        throw UsageFailure(
          "`search-option` \(name)=\(text): not a value of this setting"
            + (choices.isEmpty ? "" : "; it is one of \(choices.joined(separator: ", "))"))
      }
      object = candidate
    }
    let result = try JSONDecoder().decode(Self.self, from: JSONSerialization.data(withJSONObject: object))
    try result.validate()
    return result
  }

  private static func value(_ text: String) -> Any {
    if let number = Int(text) { return number }
    if let number = Double(text), number.isFinite { return number }
    return ["true": true, "false": false][text] ?? text
  }

  private static func set(_ value: Any, at path: [String], in object: inout [String: Any]) {
    guard let first = path.first else { return }
    guard path.count > 1 else {
      object[first] = value
      return
    }
    var inner = object[first] as? [String: Any] ?? [:]
    set(value, at: Array(path.dropFirst()), in: &inner)
    object[first] = inner
  }

  /// Refuses a setting with a sentence.
  public func require(_ condition: Bool, _ what: @autoclosure () -> String, of method: String) throws {
    if !condition { throw UsageFailure("\(method): \(what())") }
  }
}
