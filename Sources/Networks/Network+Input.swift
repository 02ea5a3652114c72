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
  /// - Throws: ``NetworkFailure`` when no single layer decides it.
  public func with(classes: Int) throws -> Network {
    guard (1...Limits.channels).contains(classes) else { throw NetworkFailure("a network needs 1 class at least") }
    let resolved = try resolved()
    var index = layers.count - 1
    // Activations and pools may follow the classifier; the last layer with a width of its own is the classifier.
    while true {
      let definition = layers[index].operation.definition
      if definition.channels == .produces() {
        return replacing(index, by: Operation(definition.with(outputChannels: classes)))
      }
      let inputs = resolved.layers[index].inputIndices
      guard definition.channels != .fixes else {
        throw NetworkFailure(
          layer: layers[index].name,
          "the number of classes is part of what is passed as it is; give the network with as many classes as the data")
      }
      guard inputs.count == 1, inputs[0] >= 0 else {
        throw NetworkFailure(layer: layers[index].name, "the number of classes is not decided by one layer before it")
      }
      index = inputs[0]
    }
  }

  private func replacing(_ index: Int, by operation: Operation) -> Network {
    var changed = self
    changed.layers[index].operation = operation
    return changed
  }
}
