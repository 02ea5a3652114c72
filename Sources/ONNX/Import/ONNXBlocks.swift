import Networks

/// Blocks of a network, found in its graph alone: where its layers have no names that say anything.
///
/// A layer that everything goes through is a cut. What lies between two cuts and ends where branches meet, with a convolution or a linear
/// layer inside, is a block; and so is a stretch without a shortcut that computes what the longest branch of another block does, as the first
/// block of a stage of MobileNetV2. Widths and strides say nothing about what a block is.
struct ONNXBlocks {
  private let network: ResolvedNetwork
  private var elements: [Element] = []
  /// One number for each form of computation: an operation and the forms that it reads.
  private var forms: [Form: Int] = [:]

  /// What lies behind one cut, up to and with the next.
  private struct Element {
    /// The cut before; -1 for the image.
    var entry: Int
    var layers: Range<Int>
    var isBlock: Bool
    var exit: Int { layers.upperBound - 1 }
  }

  private struct Form: Hashable {
    var operation: String
    var inputs: [Int]
  }

  private struct Found {
    /// The elements that it is made of.
    var elements: Range<Int>
    var layers: Range<Int>
    /// What its longest branch computes.
    var main: Int
  }

  /// The most elements that a block without a shortcut may have.
  private static let longest = 40

  init(_ network: ResolvedNetwork) {
    self.network = network
    elements = Self.elements(of: network)
  }

  /// The blocks, in network order, each as its layers, which are neighbours.
  mutating func blocks() -> [Range<Int>] {
    var found = merging()
    if found.isEmpty { return plain() }
    absorb(&found)
    absorbMixers(&found)
    found = join(found)
    return found.map { trailing($0.layers, behind: $0.elements.upperBound) }
  }

  // MARK: - Cuts

  private static func elements(of network: ResolvedNetwork) -> [Element] {
    let count = network.layers.count
    // The last layer that reads each; an edge that leads over a layer goes past it.
    var last = Array(repeating: -1, count: count)
    var ofImage = -1
    for (index, layer) in network.layers.enumerated() {
      for input in layer.inputIndices { if input < 0 { ofImage = index } else { last[input] = index } }
    }
    var elements: [Element] = []
    var (reach, begin) = (ofImage, 0)
    for index in 0..<count {
      if reach <= index {
        let inside = begin..<index
        let merges =
          switch network.layers[index].layer.operation {
          case .add, .concatenate: true
          default: false
          }
        elements.append(
          Element(
            entry: begin - 1, layers: begin..<index + 1,
            isBlock: merges && inside.contains { isHeavy(network.layers[$0]) }))
        begin = index + 1
      }
      reach = max(reach, last[index])
    }
    return elements
  }

  private static func isHeavy(_ layer: ResolvedLayer) -> Bool {
    switch layer.layer.operation {
    case .convolution, .linear: true
    case .other(let other): other.definition is PointwiseLinear
    default: false
    }
  }

  // MARK: - Forms

  private func operation(_ index: Int) -> String? {
    let operation = network.layers[index].layer.operation
    switch operation {
    case .dropout, .stochasticDepth: return nil
    case .convolution(let convolution): return convolution.formWithoutWidths
    case .other(let other):
      // Branches may begin with a share of the channels, or with all.
      return other.definition is Padding || other.definition is ChannelPart ? nil : operation.kind
    default: return operation.kind
    }
  }

  /// What a layer computes of the layer `entry`, without widths and strides; -1 is that layer itself, and -2 anything before it.
  private mutating func form(_ index: Int, from entry: Int) -> Int {
    forms(from: entry, through: index).last ?? -2
  }

  /// The same of all layers behind `entry`, in one pass.
  private mutating func forms(from entry: Int, through end: Int) -> [Int] {
    var known: [Int] = []
    for layer in entry + 1..<max(entry, end) + 1 {
      var inputs = network.layers[layer].inputIndices.map {
        $0 == entry ? -1 : $0 < entry ? -2 : known[$0 - entry - 1]
      }
      guard let operation = operation(layer) else {
        known.append(inputs.first ?? -2)
        continue
      }
      switch network.layers[layer].layer.operation {
      case .add, .multiply: inputs.sort()
      default: break
      }
      let form = Form(operation: operation, inputs: inputs)
      let number = forms[form] ?? forms.count
      forms[form] = number
      known.append(number)
    }
    return known
  }

  private func heavies(_ index: Int, from entry: Int) -> Int {
    var (seen, open, count) = (Set<Int>(), [index], 0)
    while let layer = open.popLast() {
      guard layer > entry, seen.insert(layer).inserted else { continue }
      if Self.isHeavy(network.layers[layer]) { count += 1 }
      open += network.layers[layer].inputIndices
    }
    return count
  }

  /// What the longest branch of a block computes; of branches that are equally long, all of it.
  private mutating func main(_ element: Element) -> Int {
    let inputs = network.layers[element.exit].inputIndices
    let lengths = inputs.map { heavies($0, from: element.entry) }
    guard let longest = lengths.max(), let place = lengths.firstIndex(of: longest) else { return -2 }
    if case .concatenate = network.layers[element.exit].layer.operation, inputs.count != 2 || lengths.min() == longest {
      return form(element.exit, from: element.entry)
    }
    return inputs[place] > element.entry ? form(inputs[place], from: element.entry) : -1
  }

  // MARK: - Blocks

  /// Blocks that end where branches meet, and those without a shortcut that compute the same.
  private mutating func merging() -> [Found] {
    var mains: [Int: Int] = [:]
    var ofSums: Set<Int> = []
    for (index, element) in elements.enumerated() where element.isBlock {
      let main = main(element)
      mains[index] = main
      if case .add = network.layers[element.exit].layer.operation { ofSums.insert(main) }
    }
    var found: [Found] = []
    var index = 0
    while index < elements.count {
      defer { index += 1 }
      if let main = mains[index] {
        found.append(Found(elements: index..<index + 1, layers: elements[index].layers, main: main))
        continue
      }
      let entry = elements[index].entry
      // Not of the image: that is where a stem begins.
      guard entry >= 0, !ofSums.isEmpty else { continue }
      var hit: (end: Int, main: Int)?
      let those = elements[index..<min(index + Self.longest, elements.count)].prefix { !$0.isBlock }
      let forms = forms(from: entry, through: those.last?.exit ?? entry)
      for (end, element) in zip(index..., those) where ofSums.contains(forms[element.exit - entry - 1]) {
        hit = (end, forms[element.exit - entry - 1])
      }
      if let hit {
        found.append(
          Found(
            elements: index..<hit.end + 1,
            layers: elements[index].layers.lowerBound..<elements[hit.end].layers.upperBound,
            main: hit.main))
        index = hit.end
      }
    }
    return found
  }

  /// Convolutions before every block of one kind belong to it, as SqueezeNet's.
  private mutating func absorb(_ found: inout [Found]) {
    let gaps = found.indices.map { place -> Range<Int> in
      let end = found[place].elements.lowerBound
      var begin = place > 0 ? found[place - 1].elements.upperBound : 0
      for index in begin..<max(begin, end) where elements[index].entry < 0 || isPool(elements[index].exit) {
        begin = index + 1
      }
      return min(begin, end)..<end
    }
    let heavies = gaps.map { gap in gap.filter { Self.isHeavy(network.layers[elements[$0].exit]) } }
    let kinds = heavies.map { $0.map { operation(elements[$0].exit) ?? "" } }
    for alike in Dictionary(grouping: found.indices, by: { found[$0].main }).values where alike.count > 1 {
      guard alike.allSatisfy({ kinds[$0] == kinds[alike[0]] }) else { continue }
      for place in alike {
        guard let first = heavies[place].first else { continue }
        found[place].elements = first..<found[place].elements.upperBound
        found[place].layers = elements[first].layers.lowerBound..<found[place].layers.upperBound
      }
    }
  }

  // MARK: - Blocks of several sums

  /// A part that looks at one position at a time and the parts before it that do not are one block where they are repeated: attention and
  /// what is between two of them.
  private func join(_ found: [Found]) -> [Found] {
    let isPositionwise = found.map { $0.layers.allSatisfy { Self.isPositionwise(network.layers[$0]) } }
    // What the block from each part on computes, part by part; nil where it is alone.
    let patterns = found.indices.map { place -> [Int]? in
      var end = place
      while !isPositionwise[end] {
        guard end + 1 < min(place + Self.mostParts, found.count),
          found[end].elements.upperBound == found[end + 1].elements.lowerBound
        else { return nil }
        end += 1
      }
      return end > place ? found[place...end].map(\.main) : nil
    }
    // Those that follow themselves somewhere: what ends in such a part only once a stage is no block of it.
    let repeated = Set(
      patterns.enumerated().compactMap { place, pattern -> [Int]? in
        guard let pattern, place + pattern.count < found.count, patterns[place + pattern.count] == pattern,
          found[place + pattern.count - 1].elements.upperBound == found[place + pattern.count].elements.lowerBound
        else { return nil }
        return pattern
      })
    var joined: [Found] = []
    var place = 0
    while place < found.count {
      var block = found[place]
      var length = 1
      if let pattern = patterns[place], repeated.contains(pattern) {
        length = pattern.count
        let last = found[place + length - 1]
        block.elements = block.elements.lowerBound..<last.elements.upperBound
        block.layers = block.layers.lowerBound..<last.layers.upperBound
      }
      joined.append(block)
      place += length
    }
    return joined
  }

  /// The most parts of one block.
  private static let mostParts = 4

  /// A sum without a convolution that looks around, as one of pooling, belongs to the block behind it where all blocks of its kind have one.
  private func absorbMixers(_ found: inout [Found]) {
    let have = found.indices.map { place -> Bool in
      let index = found[place].elements.lowerBound - 1
      guard index >= (place > 0 ? found[place - 1].elements.upperBound : 1) else { return false }
      let element = elements[index]
      guard element.layers.count > 1, case .add = network.layers[element.exit].layer.operation else { return false }
      return !element.layers.allSatisfy { Self.isPositionwise(network.layers[$0]) }
    }
    for alike in Dictionary(grouping: found.indices, by: { found[$0].main }).values
    where alike.count > 1 && alike.allSatisfy({ have[$0] }) {
      for place in alike {
        let first = found[place].elements.lowerBound - 1
        found[place].elements = first..<found[place].elements.upperBound
        found[place].layers = elements[first].layers.lowerBound..<found[place].layers.upperBound
      }
    }
  }

  /// Whether a layer computes each position of its map from that position alone, normalizations aside.
  private static func isPositionwise(_ layer: ResolvedLayer) -> Bool {
    let operation = layer.layer.operation
    switch operation {
    case .convolution(let convolution): return convolution.kernelSize == Extent(1)
    case .linear, .batchNorm, .stochasticDepth, .add, .multiply: return true
    case .other(let other):
      let definition = other.definition
      return definition is PointwiseLinear || definition is LayerNorm || definition is GroupNorm
        || definition is ChannelScale || operation.isElementwise
    default: return operation.isElementwise
    }
  }

  private func isPool(_ index: Int) -> Bool {
    switch network.layers[index].layer.operation {
    case .maxPool, .averagePool, .adaptiveAveragePool, .globalAveragePool: true
    default: false
    }
  }

  /// What has no weights behind a block, and keeps its map, belongs to it; behind a convolution its normalization, too.
  private func trailing(_ layers: Range<Int>, behind first: Int, withNormalization: Bool = false) -> Range<Int> {
    var end = layers.upperBound
    for element in elements[min(first, elements.count)...] {
      guard element.layers.count == 1 else { break }
      let belongs =
        switch network.layers[element.exit].layer.operation {
        case let operation where operation.isActivation: true
        case .dropout: true
        case .batchNorm: withNormalization
        case .other(let other): other.definition is ChannelShuffle
        default: false
        }
      // The last layer, and what is flat, are the head's.
      guard belongs, network.layers[element.exit].output.height > 1 else { break }
      end = element.layers.upperBound
    }
    return layers.lowerBound..<end
  }

  // MARK: - Networks without branches

  /// Every convolution with what follows it; or several, where they alternate as depthwise and pointwise ones do.
  private func plain() -> [Range<Int>] {
    let places = elements.indices.filter { index in
      if case .convolution = network.layers[elements[index].exit].layer.operation { true } else { false }
    }
    let units = places.map { trailing(elements[$0].layers, behind: $0 + 1, withNormalization: true) }
    let kinds = places.map { operation(elements[$0].exit) ?? "" }
    for period in 2...4 {
      for offset in 0..<4 {
        for tail in 0..<3 where kinds.count - offset - tail >= 4 * period {
          let those = Array(kinds[offset..<kinds.count - tail])
          guard those.count.isMultiple(of: period), Set(those[..<period]).count > 1,
            those.indices.allSatisfy({ those[$0] == those[$0 % period] })
          else { continue }
          return stride(from: offset, to: kinds.count - tail, by: period).map {
            units[$0].lowerBound..<units[$0 + period - 1].upperBound
          }
        }
      }
    }
    return units
  }
}
