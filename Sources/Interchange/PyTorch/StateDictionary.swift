/// Finds the state dict in what a file of `torch.save` holds.
struct StateDictionary {
  /// The tensors by their names.
  private(set) var tensors: [String: Pickle.TensorView] = [:]

  /// Where training scripts put the state dict in a checkpoint, the most usual first.
  private static let usual = ["state_dict", "model_state_dict", "model", "module", "net", "network", "weights"]

  /// - Throws: A text that says what is there instead.
  init(_ value: Pickle, in reader: PickleReader) throws(Absence) {
    guard case .dictionary(let place) = value else {
      if case .opaque(let name) = value {
        throw Absence(
          reason: "it holds an object of \(name), whose code would have to be run; save its state_dict() instead")
      }
      throw Absence(reason: "it holds no state dict")
    }
    var parts: [String: [String: Pickle.TensorView]] = [:]
    var keys: [String] = []
    for (key, value) in reader.dictionaries[place] {
      guard case .text(let name) = key else { continue }
      keys.append(name)
      guard case .dictionary(let inner) = value else { continue }
      let found = Self.tensors(of: inner, in: reader)
      if !found.isEmpty { parts[name] = found }
    }
    // A checkpoint may hold single tensors too, such as the state of a generator: what has a usual name goes first.
    if let part = Self.usual.lazy.compactMap({ parts[$0] }).first {
      tensors = part
      return
    }
    tensors = Self.tensors(of: place, in: reader)
    guard tensors.isEmpty else { return }
    guard parts.count == 1, let part = parts.values.first else {
      let shown = keys.prefix(8).map { "'\($0.prefix(40))'" }.joined(separator: ", ")
      throw Absence(
        reason: keys.isEmpty
          ? "it holds no tensors" : "no state dict is found under its keys \(shown); save the state dict alone")
    }
    tensors = part
  }

  /// No state dict is there.
  struct Absence: Error {
    var reason: String
  }

  private static func tensors(of place: Int, in reader: PickleReader) -> [String: Pickle.TensorView] {
    var result: [String: Pickle.TensorView] = [:]
    for case (.text(let name), .tensor(let view)) in reader.dictionaries[place] { result[name] = view }
    return result
  }
}
