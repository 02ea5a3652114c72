import Networks
import Support

/// GELU's approximation by tanh, as files of before opset 20 have it: nine nodes, which are one layer.
extension ONNXTranslation {
  mutating func gatherApproximations() {
    var places: [String: Int] = [:]
    for (index, layer) in layers.enumerated() { places[layer.name] = index }
    var uses: [String: Int] = [:]
    for layer in layers { for input in layer.inputs { uses[input, default: 0] += 1 } }
    var parts: Set<String> = []
    for index in layers.indices {
      guard let found = approximation(endingAt: index, places),
        // Nothing else may read what is between: each is read as often as the function does.
        found.between.allSatisfy({ uses[$0.name] == $0.count })
      else { continue }
      layers[index].operation = .other(ElementFunction.geluTanh)
      layers[index].inputs = [found.source]
      parts.formUnion(found.between.map(\.name))
    }
    layers.removeAll { parts.contains($0.name) }
  }

  private typealias Part = (name: String, count: Int)

  /// What a layer is the function of, and the layers between; nil when it is no such function's last.
  private func approximation(endingAt last: Int, _ places: [String: Int]) -> (source: String, between: [Part])? {
    func layer(_ name: String) -> Layer? { places[name].map { layers[$0] } }
    func rescaled(_ layer: Layer?, _ factor: Double, _ shift: Double) -> String? {
      guard let layer, case .other(let other) = layer.operation, let rescaling = other.definition as? Rescaling,
        abs(rescaling.factor - factor) < 1e-4 * abs(factor), abs(rescaling.shift - shift) < 1e-4
      else { return nil }
      return layer.inputs[0]
    }
    func pair(_ layer: Layer?, _ operation: Networks.Operation) -> (String, String)? {
      guard let layer, layer.operation == operation, layer.inputs.count == 2 else { return nil }
      return (layer.inputs[0], layer.inputs[1])
    }
    /// The input beside `one`.
    func beside(_ one: String, _ layer: Layer?, _ operation: Networks.Operation) -> String? {
      pair(layer, operation).flatMap { $0.0 == one ? $0.1 : $0.1 == one ? $0.0 : nil }
    }
    // (x · (1 + tanh)) · ½, or (x · ½) · (1 + tanh).
    var forms: [(source: String, shifted: String, parts: [Part])] = []
    if let product = rescaled(layers[last], 0.5, 0), let factors = pair(layer(product), .multiply) {
      forms = [factors, (factors.1, factors.0)].map { ($0.0, $0.1, [(product, 1)]) }
    } else if let factors = pair(layers[last], .multiply) {
      forms = [factors, (factors.1, factors.0)].compactMap { half, shifted in
        rescaled(layer(half), 0.5, 0).map { ($0, shifted, [(half, 1)]) }
      }
    }
    for (source, shifted, parts) in forms {
      guard let tanh = rescaled(layer(shifted), 1, 1), let function = layer(tanh),
        case .other(let other) = function.operation, other.definition as? ElementFunction == .tanh,
        let sum = rescaled(layer(function.inputs[0]), (2 / Double.pi).squareRoot(), 0),
        let part = beside(source, layer(sum), .add), let cube = rescaled(layer(part), 0.044715, 0),
        let square = beside(source, layer(cube), .multiply), let same = pair(layer(square), .multiply),
        same == (source, source)
      else { continue }
      let between =
        parts + [(shifted, 1), (tanh, 1), (function.inputs[0], 1), (sum, 1), (part, 1), (cube, 1), (square, 1)]
      return (source, between)
    }
    return nil
  }
}
