extension Network {
  /// The same network for square images of `resolution` pixels.
  public func at(resolution: Int) -> Network {
    var changed = self
    changed.input.height = resolution
    changed.input.width = resolution
    return changed
  }

  /// The same network for images with another number of channels.
  public func with(inputChannels: Int) -> Network {
    var changed = self
    changed.input.channels = inputChannels
    return changed
  }

  /// How many classes the network tells apart: the channels of its output.
  ///
  /// - Throws: ``NetworkFailure`` when the network is invalid.
  public var classes: Int { get throws { try resolved().output.channels } }

  /// The same network with another number of classes.
  ///
  /// Activations and pools may follow the classifier, and its scores may be the sum of several, as the mean of two heads that were trained for
  /// distillation is: the last layers with widths of their own are the classifiers.
  ///
  /// - Throws: ``NetworkFailure`` when no such layers decide it.
  public func with(classes: Int) throws -> Network {
    guard (1...Limits.channels).contains(classes) else { throw NetworkFailure("a network needs 1 class at least") }
    let resolved = try resolved()
    var changed = self
    var heads: [Int] = []
    var open = [layers.count - 1]
    var seen = Set(open)
    while let index = open.popLast() {
      let definition = layers[index].operation.definition
      if definition.channels == .produces() {
        changed.layers[index].operation = Operation(definition.with(outputChannels: classes))
        heads.append(index)
        continue
      }
      let inputs = resolved.layers[index].inputIndices
      switch definition.channels {
      case .fixes:
        throw NetworkFailure(
          layer: layers[index].name,
          "the number of classes is part of what is passed as it is; give the network with as many classes as the data")
      case _ where inputs.count > 1 && definition.channels != .ties, _ where inputs.contains { $0 < 0 }:
        throw NetworkFailure(layer: layers[index].name, "the number of classes is not decided by layers before it")
      default: open += inputs.filter { seen.insert($0).inserted }
      }
    }
    // Heads lie side by side. What lies one behind the other is a stream of a network that has none, whose width the classes would become.
    var before = heads.flatMap { resolved.layers[$0].inputIndices }
    var passed = Set(before)
    while let index = before.popLast() {
      guard index >= 0 else { continue }
      guard !heads.contains(index) else {
        throw NetworkFailure(
          layer: layers.last?.name,
          "the number of classes is not decided by layers before it alone: \(layers[index].name) is read elsewhere, too"
        )
      }
      before += resolved.layers[index].inputIndices.filter { passed.insert($0).inserted }
    }
    return changed
  }
}
