/// Names of layers from what exporters write: weights are called as in the state dict, nodes by their module's path.
struct ONNXNames {
  private var taken: Set<String> = ["input"]

  /// A name that no layer has yet.
  mutating func unique(_ wanted: String) -> String {
    var name = wanted.isEmpty ? "layer" : wanted
    var count = 1
    while !taken.insert(name).inserted {
      name = "\(wanted)_\(count)"
      count += 1
    }
    return name
  }

  /// The module of a tensor called `layer1.0.conv1.weight`; nil for what an exporter made up, as `onnx::Conv_123`.
  static func module(ofWeight name: String) -> String? {
    guard !name.contains("::"), name.hasSuffix(".weight"), name.count > 7 else { return nil }
    return String(name.dropLast(7))
  }

  /// The module's path of a node: `/layer1/layer1.0/conv1/Conv` is `layer1.0.conv1`.
  static func module(of node: PBNodeProto) -> String { path(of: node) { module, _ in module } }

  /// The same with its operator, lower case, where the module is not called for it: `layer1.0.add`, but `layer1.0.relu`.
  static func path(of node: PBNodeProto) -> String { path(of: node, join) }

  private static func path(of node: PBNodeProto, _ join: (String, String) -> String) -> String {
    let operation = node.opType.lowercased()
    let scopes = node.metadataProps.first { $0.key.hasSuffix("name_scopes") }?.value
    if let scopes {
      // "['', 'layer1', 'layer1.0', 'layer1.0.relu', 'relu']": the last is the function.
      let names = scopes.split(separator: "'", omittingEmptySubsequences: false).enumerated()
        .filter { $0.offset % 2 == 1 }.map { String($0.element) }
      if names.count >= 2, let module = names.dropLast().last, !module.isEmpty { return join(module, operation) }
    }
    guard node.name.contains("/") else { return node.name.isEmpty ? operation : node.name }
    var parts = node.name.split(separator: "/").map(String.init)
    if let last = parts.last, last == node.opType || last.hasPrefix(node.opType + "_") { parts.removeLast() }
    // A container's members repeat its name: `features`, `features.17`, `conv`, `conv.0`, `conv.0.0`.
    var modules: [String] = []
    for part in parts {
      if let last = modules.last, part.hasPrefix(last + ".") {
        modules[modules.count - 1] = part
      } else {
        modules.append(part)
      }
    }
    let path = modules.joined(separator: ".")
    return path.isEmpty ? operation : join(path, operation)
  }

  // A module that does one thing is called for it already.
  private static func join(_ module: String, _ operation: String) -> String {
    let last = module.split(separator: ".").last.map { $0.lowercased() } ?? ""
    if module.isEmpty { return operation }
    return Int(last) == nil && last.hasPrefix(operation.prefix(4)) ? module : "\(module).\(operation)"
  }
}
