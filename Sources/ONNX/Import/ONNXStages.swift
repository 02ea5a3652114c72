import Networks

/// Stages and blocks of a network.
///
/// Where layers are called as modules inside of modules, `layer1.0.conv1` or `features.3.conv.0`, modules that are numbered under one name
/// are candidates for blocks; where the graph itself shows more of them (``ONNXBlocks``), those are. Neighbours whose maps have one size and as many channels make a stage
/// when all but the first are alike: the same operations in the same order, whatever their widths.
struct ONNXStages {
  private let network: ResolvedNetwork
  /// The layers that read each.
  private let readers: [[Int]]
  /// How many layers are called something below a module.
  private let below: [Substring: Int]

  /// A network with more of them is none that was made of stages; each is tried.
  private static let most = 64

  init(_ network: ResolvedNetwork) {
    self.network = network
    var readers = Array(repeating: [Int](), count: network.layers.count)
    var below: [Substring: Int] = [:]
    for (index, layer) in network.layers.enumerated() {
      for input in layer.inputIndices where input >= 0 { readers[input].append(index) }
      let name = layer.layer.name
      for dot in name.indices.filter({ name[$0] == "." }).prefix(16) { below[name[..<dot], default: 0] += 1 }
    }
    (self.readers, self.below) = (readers, below)
  }

  /// The stages that were found, in network order; none for a network that repeats nothing.
  func stages() -> [Stage] {
    let (named, shown) = (stages(in: Array(network.layers.indices), under: "", depth: 0), unnamed())
    func blocks(_ stages: [Stage]) -> Int { stages.reduce(0) { $0 + $1.blocks.count } }
    let found = blocks(shown) > blocks(named) ? shown : named
    return found.count > Self.most ? [] : found
  }

  /// By the graph alone.
  func unnamed() -> [Stage] {
    var finder = ONNXBlocks(network)
    let units = finder.blocks().enumerated().map { Unit(name: "block\($0)", layers: Array($1)) }
    var stages: [Stage] = []
    var place = 0
    while place < units.count {
      let run = run(units, from: place, isNamed: false)
      if run > 1 {
        let blocks = units[place..<place + run].map { unit in
          Block(name: prefix(of: unit) ?? unit.name, layers: unit.layers.map { network.layers[$0].layer.name })
        }
        stages.append(Stage(name: "stage\(stages.count + 1)", blocks: blocks))
      }
      place += run
    }
    return stages
  }

  private struct Unit {
    var name: String
    var layers: [Int]
  }

  private func stages(in members: [Int], under prefix: String, depth: Int) -> [Stage] {
    guard depth < 16 else { return [] }
    let units = units(of: members, under: prefix)
    guard units.count > 1 || units.first.map({ $0.name != prefix }) ?? false else { return [] }
    var stages: [Stage] = []
    var place = 0
    while place < units.count {
      let run = stem(units[place]) != nil ? run(units, from: place) : 1
      if run > 1 {
        let blocks = units[place..<place + run].map { unit in
          Block(name: unit.name, layers: unit.layers.map { network.layers[$0].layer.name })
        }
        let name = prefix.isEmpty ? "stage" : prefix
        let isAlone = run == units.count
        stages.append(
          Stage(name: isAlone ? name : "\(name).\(blocks[0].name.split(separator: ".").last ?? "")", blocks: blocks))
      } else {
        stages += self.stages(in: units[place].layers, under: units[place].name, depth: depth + 1)
      }
      place += run
    }
    return stages
  }

  /// What lies directly under a name, each with the layers below it; only what is contiguous is one.
  private func units(of members: [Int], under prefix: String) -> [Unit] {
    var units: [Unit] = []
    for index in members {
      let name = network.layers[index].layer.name
      guard
        let rest = prefix.isEmpty
          ? Substring(name) : name.hasPrefix(prefix + ".") ? name.dropFirst(prefix.count + 1) : nil
      else { continue }
      let first = rest.prefix { $0 != "." }
      let own = prefix.isEmpty ? String(first) : "\(prefix).\(first)"
      if units.last?.name == own {
        units[units.count - 1].layers.append(index)
      } else {
        units.append(Unit(name: own, layers: [index]))
      }
    }
    return units
  }

  /// What a numbered unit of several layers is called but for its number: `features.` of `features.3`, `block1-` of `block1-0`.
  private func stem(_ unit: Unit) -> String? {
    let digits = unit.name.reversed().prefix { $0.isASCII && $0.isNumber }.count
    return digits > 0 && unit.layers.count > 1 ? String(unit.name.dropLast(digits)) : nil
  }

  /// How many units from one on make a stage.
  private func run(_ units: [Unit], from start: Int, isNamed: Bool = true) -> Int {
    guard let shape = output(of: units[start]) else { return 1 }
    var count = 1
    while start + count < units.count {
      let (before, next) = (units[start + count - 1], units[start + count])
      // One behind the other: branches side by side are numbered, too.
      guard !isNamed || stem(next) == stem(units[start]), entrance(next) == before.layers.last,
        isWhole(next), let (first, last) = input(of: next).flatMap({ input in output(of: next).map { (input, $0) } })
      else { break }
      // Branches side by side may add up to any number of channels.
      guard !isNamed && joins(next) ? (last.height, last.width) == (shape.height, shape.width) : last == shape,
        isNamed || !joins(next) ? first == shape : (first.height, first.width) == (shape.height, shape.width)
      else { break }
      if count > 1, signature(next) != signature(units[start + 1]) { break }
      count += 1
    }
    guard count > 1, isWhole(units[start]) else { return 1 }
    // The first may have a projection beside, and no addition; it has the others' convolutions.
    let (first, others) = (convolutions(units[start]), convolutions(units[start + 1]))
    guard !others.isEmpty, others.allSatisfy({ kind, number in first[kind, default: 0] >= number }) else { return 1 }
    return count
  }

  /// The module that all layers of a unit, and no others, are in, by their names.
  private func prefix(of unit: Unit) -> String? {
    let names = unit.layers.map {
      network.layers[$0].layer.name.split(separator: ".", omittingEmptySubsequences: false)
    }
    guard var common = names.first?.dropLast() else { return nil }
    for name in names { common = common.prefix(zip(common, name).prefix { $0 == $1 }.count) }
    let prefix = common.joined(separator: ".")
    return below[prefix[...]] == unit.layers.count ? prefix : nil
  }

  /// Whether a unit ends where maps are put side by side.
  private func joins(_ unit: Unit) -> Bool {
    unit.layers.contains { index in
      guard case .concatenate = network.layers[index].layer.operation else { return false }
      return network.layers[index].output.channels == output(of: unit)?.channels
    }
  }

  private func output(of unit: Unit) -> Shape? { unit.layers.last.map { network.layers[$0].output } }

  private func input(of unit: Unit) -> Shape? {
    guard let outer = entrance(unit) else { return nil }
    return outer < 0 ? network.input : network.layers[outer].output
  }

  /// The one layer outside that a unit reads; nil when there are several.
  private func entrance(_ unit: Unit) -> Int? {
    let own = Set(unit.layers)
    let outside = Set(unit.layers.flatMap { network.layers[$0].inputIndices }.filter { !own.contains($0) })
    return outside.count == 1 ? outside.first : nil
  }

  /// Whether a unit has one entrance, and nothing but its last layer is read elsewhere.
  private func isWhole(_ unit: Unit) -> Bool {
    guard entrance(unit) != nil, let last = unit.layers.last else { return false }
    let own = Set(unit.layers)
    return unit.layers.allSatisfy { $0 == last || readers[$0].allSatisfy(own.contains) }
  }

  // What is done, without widths.
  private func signature(_ unit: Unit) -> String { unit.layers.map(kind).joined(separator: ", ") }

  private func convolutions(_ unit: Unit) -> [String: Int] {
    unit.layers.map(kind).filter { $0.hasPrefix("convolution") }.reduce(into: [:]) { $0[$1, default: 0] += 1 }
  }

  private func kind(_ index: Int) -> String {
    let layer = network.layers[index].layer
    guard case .convolution(let convolution) = layer.operation else { return layer.operation.definition.kind }
    return convolution.formWithoutWidths
  }
}

extension Convolution {
  /// What it does, without widths and strides: blocks are alike by that.
  var formWithoutWidths: String {
    let kind =
      switch grouping {
      case .dense: "dense"
      case .depthwise: "depthwise"
      case .grouped: "grouped"
      }
    return "convolution \(kernelSize.height)x\(kernelSize.width) \(kind)"
  }
}
