import Foundation
import Interchange
import Networks
import Support
import Torch

extension Model {
  /// Every tensor that a PyTorch state dict of this network holds, by name: parameters, running statistics and counts.
  public func stateDict() throws -> [(name: String, tensor: Tensor)] {
    var result = parameters.map { ($0.name, $0.tensor) }
    for (position, layer) in plan.normalizations.enumerated() {
      let name = plan.resolved.layers[layer].layer.name
      result.append(("\(name).running_mean", statistics.means[position]))
      result.append(("\(name).running_var", statistics.variances[position]))
      let tracked = try Tensor([Int64(statistics.batchesTracked[position])], shape: [])
      result.append(("\(name).num_batches_tracked", tracked))
    }
    return result
  }

  /// Writes the weights as safetensors, with what is needed to rebuild the network from the file alone.
  ///
  /// - Parameters:
  ///   - path: Where to write.
  ///   - metadata: More to keep in the file's header.
  /// - Throws: `FileFailure` when the file cannot be written; a former file stays as it was then.
  public func save(to path: String, metadata: [String: String] = [:]) throws {
    let widths = try JSONEncoder.compact.encode(try network.widths)
    let described = [
      "network": network.name, "widths": String(decoding: widths, as: UTF8.self),
      "architecture": String(decoding: try JSONEncoder.compact.encode(network), as: UTF8.self),
    ]
    try SafetensorsWriter.write(
      try stateDict().map { try .init(name: $0.name, $0.tensor) },
      metadata: described.merging(metadata) { own, _ in own }, to: path)
  }

  /// Reads weights that fit this network exactly, or changes nothing.
  ///
  /// What wrappers put in front of every name is passed over: `module.`, `_orig_mod.`, `model.`, `backbone.`.
  ///
  /// - Throws: `FileFailure` that names the first tensor which is missing, unknown or of another shape.
  public func load(_ file: WeightsFile) throws {
    let expected = try stateDict()
    let prefix = file.prefix(of: expected.map(\.name))
    let names = Set(expected.map { prefix + $0.name })
    for (name, tensor) in expected {
      guard let entry = file.entries[prefix + name] else {
        if name.hasSuffix(".num_batches_tracked") { continue }
        throw FileFailure(
          .badData, path: file.path,
          reason: "\(name) is missing, which \(network.name) needs (the file holds \(file.entries.count) tensors); "
            + "was it written for another network?")
      }
      guard entry.shape == tensor.shape else {
        throw FileFailure(
          .badData, path: file.path,
          reason: "\(name): file has \(entry.shape), network expects \(tensor.shape). "
            + "The file was written for other widths or classes: name its widths with `widths` widths.json")
      }
      guard entry.type.scalarType != nil else {
        throw FileFailure(
          .badData, path: file.path, reason: "\(name): elements of type \(entry.type.rawValue) are not read")
      }
    }
    if let unknown = file.names.first(where: { !names.contains($0) }) {
      throw FileFailure(
        .badData, path: file.path,
        reason: "\(unknown) is not part of \(network.name); was the file written for another network?")
    }
    // Decoded in full before the first assignment, so that a file that cannot be read changes nothing.
    let values = try Dictionary(
      uniqueKeysWithValues: expected.compactMap { entry in
        try file.entries[prefix + entry.name].map { _ in (entry.name, try file.tensor(prefix + entry.name)) }
      })
    try withoutGradients {
      for (name, tensor) in expected where !name.hasSuffix(".num_batches_tracked") {
        if let value = values[name] { try tensor.copy(from: value) }
      }
    }
    for (position, layer) in plan.normalizations.enumerated() {
      let name = plan.resolved.layers[layer].layer.name + ".num_batches_tracked"
      statistics.batchesTracked[position] = try values[name]?.integerItem() ?? 0
    }
  }
}

extension WeightsFile {
  private static let wrappers = ["module.", "_orig_mod.", "model.", "backbone."]

  /// What stands in front of every name in the file: nothing, or what one or two wrappers put there.
  func prefix(of names: [String]) -> String {
    let wrappers = Self.wrappers
    let candidates = [""] + wrappers + wrappers.flatMap { outer in wrappers.map { outer + $0 } }
    return candidates.first { prefix in
      names.allSatisfy { $0.hasSuffix(".num_batches_tracked") || entries[prefix + $0] != nil }
    } ?? ""
  }
}

extension SafetensorsFile {
  /// One tensor of the file, in the file's own element type.
  public func tensor(_ name: String) throws -> Tensor {
    guard let entry = entries[name] else {
      throw FileFailure(.badData, path: path, reason: "there is no tensor named \(name)")
    }
    guard let type = entry.type.scalarType else {
      throw FileFailure(.badData, path: path, reason: "\(name): elements of type \(entry.type.rawValue) are not read")
    }
    return try withBytes(of: name) { try Tensor(bytes: $0, shape: entry.shape, scalarType: type) }
  }
}

extension WeightsFile {
  /// One tensor of the file, in the file's own element type.
  public func tensor(_ name: String) throws -> Tensor {
    guard let entry = entries[name] else {
      throw FileFailure(.badData, path: path, reason: "there is no tensor named \(name)")
    }
    guard let type = entry.type.scalarType else {
      throw FileFailure(.badData, path: path, reason: "\(name): elements of type \(entry.type.rawValue) are not read")
    }
    return try withBytes(of: name) { try Tensor(bytes: $0, shape: entry.shape, scalarType: type) }
  }

  /// The network that the metadata describes, when this program wrote the file.
  public func network() throws -> Network? {
    guard let text = metadata["architecture"] else { return nil }
    do {
      return try Network(json: Data(text.utf8))
    } catch {
      throw FileFailure(.badData, path: path, reason: "the network in its metadata cannot be read: \(error)")
    }
  }
}

extension SafetensorsWriter.Tensor {
  /// Describes a tensor of LibTorch, row-major.
  public init(name: String, _ tensor: Tensor) throws {
    guard let type = SafetensorsType(tensor.scalarType) else {
      throw TorchError(operation: "save \(name)", reason: "elements of type \(tensor.scalarType) cannot be written")
    }
    self.init(name: name, type: type, shape: tensor.shape) { body in try tensor.withBytes { try body($0) } }
  }
}

extension SafetensorsType {
  /// LibTorch's name of this element type, where it has one that is used here.
  public var scalarType: ScalarType? {
    switch self {
    case .uint8: .uint8
    case .int8: .int8
    case .int16: .int16
    case .int32: .int32
    case .int64: .int64
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .float32: .float32
    case .float64: .float64
    case .bool: .bool
    default: nil
    }
  }

  init?(_ type: ScalarType) {
    guard let match = SafetensorsType.allCases.first(where: { $0.scalarType == type }) else { return nil }
    self = match
  }
}
