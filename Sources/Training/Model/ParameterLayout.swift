import Networks

/// Which parameters a network has, in PyTorch's order and under PyTorch's names.
struct ParameterLayout {
  struct Entry {
    var name: String
    var role: ParameterRole
    var shape: [Int]
    var layer: Int
  }

  var entries: [Entry] = []
  /// The position of each layer's first parameter.
  var first: [Int] = []

  init(_ resolved: ResolvedNetwork) {
    for (index, layer) in resolved.layers.enumerated() {
      first.append(entries.count)
      for form in layer.layer.operation.definition.parameters {
        entries.append(
          Entry(
            name: form.name(in: layer.layer.name), role: form.role,
            shape: form.shape(input: layer.inputs.first?.channels ?? 0, output: layer.output.channels), layer: index))
      }
    }
  }
}
