import Foundation

/// What of JSON Schema the project's files in `docs/schema` use: enough to say where a document is not of its form.
struct JSONSchema {
  private let files: [String: [String: Any]]

  /// Reads the schemas of the repository.
  init() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("docs/schema")
    var files: [String: [String: Any]] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name.hasSuffix(".schema.json") {
      let data = try Data(contentsOf: folder.appendingPathComponent(name))
      files[name] = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    }
    self.files = files
  }

  /// Where a document is not what a definition of a file says, in words; empty where it is.
  func faults(_ document: Any, _ file: String, definition: String? = nil) -> [String] {
    faults(document, ["$ref": file + (definition.map { "#/$defs/\($0)" } ?? "")], in: file, at: "")
  }

  private func faults(_ value: Any, _ schema: [String: Any], in file: String, at place: String) -> [String] {
    if let reference = schema["$ref"] as? String { return follow(value, reference, in: file, at: place) }
    if let choices = schema["anyOf"] as? [[String: Any]] ?? schema["oneOf"] as? [[String: Any]] {
      return choices.contains { faults(value, $0, in: file, at: place).isEmpty }
        ? [] : ["\(place): none of \(choices.count) forms"]
    }
    var found: [String] = []
    if let types = (schema["type"] as? String).map({ [$0] }) ?? schema["type"] as? [String],
      !types.contains(where: { Self.isOf(value, $0) })
    {
      return ["\(place): no \(types.joined(separator: " or "))"]
    }
    if let values = schema["enum"] as? [String], !values.contains(value as? String ?? "") {
      found.append("\(place): \(value) is none of \(values)")
    }
    if let constant = schema["const"] as? String, constant != value as? String {
      found.append("\(place): not \(constant)")
    }
    if let least = schema["minimum"] as? NSNumber, let number = value as? NSNumber,
      number.doubleValue < least.doubleValue
    {
      found.append("\(place): \(number) is below \(least)")
    }
    if let items = schema["items"] as? [String: Any], let values = value as? [Any] {
      for (index, item) in values.enumerated() { found += faults(item, items, in: file, at: "\(place)/\(index)") }
    }
    guard let object = value as? [String: Any] else { return found }
    let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
    for name in schema["required"] as? [String] ?? [] where object[name] == nil { found.append("\(place): no \(name)") }
    for (name, item) in object {
      if let own = properties[name] {
        found += faults(item, own, in: file, at: "\(place)/\(name)")
      } else if let others = schema["additionalProperties"] as? [String: Any] {
        found += faults(item, others, in: file, at: "\(place)/\(name)")
      } else if schema["additionalProperties"] as? Bool == false {
        found.append("\(place): \(name) is not in the schema")
      }
    }
    return found
  }

  private func follow(_ value: Any, _ reference: String, in file: String, at place: String) -> [String] {
    let parts = reference.split(separator: "#", omittingEmptySubsequences: false).map(String.init)
    let name = parts[0].isEmpty ? file : parts[0]
    guard var schema = files[name] else { return ["\(place): there is no schema \(name)"] }
    for step in (parts.count > 1 ? parts[1] : "").split(separator: "/") {
      guard let next = schema[String(step)] as? [String: Any] else { return ["\(place): \(reference) leads nowhere"] }
      schema = next
    }
    return faults(value, schema, in: name, at: place)
  }

  private static func isOf(_ value: Any, _ type: String) -> Bool {
    switch type {
    case "object": value is [String: Any]
    case "array": value is [Any]
    case "string": value is String
    case "null": value is NSNull
    case "boolean": value is Bool
    case "integer": (value as? NSNumber).map { $0.doubleValue == $0.doubleValue.rounded() } ?? false
    case "number": value is NSNumber
    default: false
    }
  }
}
