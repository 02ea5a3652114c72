import Support

/// A graph with its functions written out where they are called, and with the branch that a constant condition takes in place of an If.
///
/// What cannot be written out stays as it is, and is refused by its name later.
struct ONNXInlining {
  /// The nodes, in the file's order.
  private(set) var nodes: [PBNodeProto] = []
  /// Weights of the branches that were taken, under names of their own.
  private(set) var initializers: [PBTensorProto] = []

  private static let mostLevels = 8
  /// Bytes that all nodes written out may have: functions that call each other, and long names, multiply.
  private static let mostBytes = 1 << 26

  private struct Key: Hashable {
    var domain: String
    var name: String
  }

  private var functions: [Key: PBFunctionProto] = [:]
  /// What is known of names that hold one truth value.
  private var truths: [String: Bool] = [:]
  private var inserted = 0
  private var bytes = 0

  /// Writes out a model's graph.
  ///
  /// - Throws: ``ONNXFault`` when functions call each other too deeply, or become too many nodes.
  init(_ model: PBModelProto) throws {
    functions = Dictionary(
      model.functions.map { (Key(domain: $0.domain, name: $0.name), $0) }, uniquingKeysWith: { first, _ in first })
    for tensor in model.graph.initializer { note(tensor, as: tensor.name) }
    for node in model.graph.node { try add(node, level: 0) }
  }

  /// A model with its functions and branches written out.
  static func applied(to model: PBModelProto) throws -> PBModelProto {
    guard !model.functions.isEmpty || model.graph.node.contains(where: { $0.opType == "If" }) else { return model }
    let inlining = try ONNXInlining(model)
    var result = model
    result.functions = []
    result.graph.node = inlining.nodes
    result.graph.initializer += inlining.initializers
    return result
  }

  /// Notes that a node is about to be written out, before any of it is copied.
  private mutating func count(_ node: PBNodeProto, prefix: Int) throws {
    func size(_ node: PBNodeProto) -> Int {
      let names = node.input + node.output
      let own = names.reduce(64 + node.name.utf8.count + prefix) { $0 + $1.utf8.count + prefix }
      return node.attribute.reduce(own) { total, attribute in
        guard attribute.hasG else { return total + 16 }
        return attribute.g.node.reduce(total + 64 * attribute.g.initializer.count) { $0 + size($1) }
      }
    }
    bytes += size(node)
    guard bytes <= Self.mostBytes else {
      throw ONNXFault("its functions and branches become more than \(Self.mostBytes >> 20) MB of nodes")
    }
  }

  private mutating func add(_ node: PBNodeProto, level: Int) throws {
    if let function = functions[Key(domain: node.domain, name: node.opType)] {
      try count(node, prefix: 0)
      guard level < Self.mostLevels else {
        throw ONNXFault("\(ONNXFile.describe(node)): functions call each other more than \(Self.mostLevels) deep")
      }
      return try call(function, by: node, level: level)
    }
    if node.opType == "If", node.domain.isEmpty, let truth = node.input.first.flatMap({ truths[$0] }),
      let branch = node.attribute.first(where: { $0.name == (truth ? "then_branch" : "else_branch") })?.g
    {
      guard level < Self.mostLevels else {
        throw ONNXFault("\(ONNXFile.describe(node)): branches lie more than \(Self.mostLevels) deep in each other")
      }
      return try take(branch, of: node, level: level)
    }
    switch node.opType {
    case "Constant":
      if let tensor = node.attribute.first(where: { $0.name == "value" })?.t, let name = node.output.first {
        note(tensor, as: name)
      }
    case "Identity":
      if let name = node.output.first, let source = node.input.first { truths[name] = truths[source] }
    case "Not":
      if let name = node.output.first, let source = node.input.first { truths[name] = truths[source].map { !$0 } }
    default: break
    }
    nodes.append(node)
  }

  /// A tensor of one truth value is remembered.
  private mutating func note(_ tensor: PBTensorProto, as name: String) {
    guard tensor.dataType == 9, tensor.dims.allSatisfy({ $0 == 1 }), tensor.dims.count <= 8 else { return }
    if let byte = tensor.rawData.first {
      truths[name] = byte != 0
    } else if let value = tensor.int32Data.first {
      truths[name] = value != 0
    }
  }

  private mutating func call(_ function: PBFunctionProto, by node: PBNodeProto, level: Int) throws {
    var names: [String: String] = [:]
    for (place, name) in function.input.enumerated() {
      names[name] = node.input.indices.contains(place) ? node.input[place] : ""
    }
    for (place, name) in function.output.enumerated() where node.output.indices.contains(place) {
      names[name] = node.output[place]
    }
    let prefix = prefix(node)
    let given = Dictionary(node.attribute.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let defaults = Dictionary(function.attributeProto.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    for inner in function.node {
      try count(inner, prefix: prefix.utf8.count)
      var copy = renamed(inner, names, everythingElse: prefix)
      copy.name = prefix + inner.name
      copy.attribute = copy.attribute.compactMap { attribute in
        guard !attribute.refAttrName.isEmpty else { return attribute }
        guard var value = given[attribute.refAttrName] ?? defaults[attribute.refAttrName] else { return nil }
        value.name = attribute.name
        return value
      }
      try add(copy, level: level + 1)
    }
  }

  private mutating func take(_ branch: PBGraphProto, of node: PBNodeProto, level: Int) throws {
    let prefix = prefix(node)
    var names: [String: String] = [:]
    bytes += branch.initializer.reduce(0) { $0 + 64 + $1.name.utf8.count + prefix.utf8.count }
    for tensor in branch.initializer {
      names[tensor.name] = prefix + tensor.name
      var copy = tensor
      copy.name = prefix + tensor.name
      note(copy, as: copy.name)
      initializers.append(copy)
    }
    for inner in branch.node { for name in inner.output where !name.isEmpty { names[name] = prefix + name } }
    for inner in branch.node {
      try count(inner, prefix: prefix.utf8.count)
      var copy = renamed(inner, names, everythingElse: nil)
      copy.name = prefix + inner.name
      try add(copy, level: level + 1)
    }
    for (place, output) in branch.output.enumerated() where node.output.indices.contains(place) {
      var end = PBNodeProto()
      (end.opType, end.name) = ("Identity", "\(prefix)\(output.name)")
      (end.input, end.output) = ([names[output.name] ?? output.name], [node.output[place]])
      try add(end, level: level + 1)
    }
  }

  /// What stands before the names of what is written out: nothing else has it.
  private mutating func prefix(_ node: PBNodeProto) -> String {
    inserted += 1
    // Short, whatever the name is: names inside of names grow.
    return "\((node.name.isEmpty ? node.output.first ?? "" : node.name).suffix(80))#\(inserted)/"
  }

  /// A node that reads and writes other names; names that are not among them get a prefix, or stay.
  private func renamed(
    _ node: PBNodeProto, _ names: [String: String], everythingElse prefix: String?
  ) -> PBNodeProto {
    func new(_ name: String) -> String { name.isEmpty ? name : names[name] ?? (prefix ?? "") + name }
    var copy = node
    copy.input = node.input.map(new)
    copy.output = node.output.map(new)
    // A branch inside of a function reads the function's names.
    copy.attribute = node.attribute.map { attribute in
      guard attribute.hasG else { return attribute }
      var changed = attribute
      let own = Set(attribute.g.node.flatMap(\.output)).union(attribute.g.initializer.map(\.name))
      changed.g.node = attribute.g.node.map { inner in
        var copy = inner
        copy.input = inner.input.map { own.contains($0) ? $0 : new($0) }
        return copy
      }
      changed.g.output = attribute.g.output.map { output in
        var copy = output
        if !own.contains(output.name) { copy.name = new(output.name) }
        return copy
      }
      return changed
    }
    return copy
  }
}
