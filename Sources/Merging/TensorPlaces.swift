import Networks
import Support
import Torch
import Training

/// The tensors of a model by name, whose entries along an axis can be taken out and put back, in any number.
struct TensorPlaces {
  private(set) var tensors: [String: Tensor]
  private let name: String

  /// Takes over named tensors.
  ///
  /// - Parameter name: What the network is called, for messages.
  init(_ tensors: [String: Tensor], of name: String) {
    self.tensors = tensors
    self.name = name
  }

  /// Double-precision copies of a model's parameters and running statistics.
  init(_ model: Model) throws {
    var values: [String: Tensor] = [:]
    for (name, tensor) in try model.stateDict() where !name.hasSuffix(".num_batches_tracked") {
      values[name] = try withoutGradients { try tensor.to(.cpu).to(.float64).contiguous() }
    }
    self.init(values, of: model.network.name)
  }

  /// The tensor of a name.
  func tensor(_ name: String) throws -> Tensor {
    guard let tensor = tensors[name] else { throw UsageFailure("\(self.name): the weights hold no \(name)") }
    return tensor
  }

  /// The entries of each channel of a place as a row.
  func rows(_ place: AxisLayout.Place, _ layout: AxisLayout) throws -> Tensor {
    let (range, positions) = layout.entries(of: place)
    return try matrix(place).slice(0, range).reshaped([range.count / positions, -1])
  }

  /// Puts other rows in place of those of a place.
  mutating func replace(_ place: AxisLayout.Place, _ layout: AxisLayout, with rows: Tensor) throws {
    let (range, positions) = layout.entries(of: place)
    let changed = try rows.reshaped([rows.shape[0] * positions, -1])
    let whole = try matrix(place)
    let parts = try [0..<range.lowerBound, range.upperBound..<whole.shape[0]].map {
      $0.isEmpty ? nil : try whole.slice(0, $0)
    }
    let joined = try Tensor.concatenate([parts[0], changed, parts[1]].compactMap { $0 })
    let old = try tensor(place.tensor).shape
    let others = old.indices.filter { $0 != place.axis }
    let ordered = try joined.reshaped([joined.shape[0]] + others.map { old[$0] })
    // The axis goes back to its place.
    var back = Array(1..<max(old.count, 1))
    back.insert(0, at: place.axis)
    tensors[place.tensor] = try ordered.permuted(back).contiguous()
  }

  /// A model of a network of these tensors' shapes, with these values.
  func model(of network: ResolvedNetwork, on device: Device = .cpu) throws -> Model {
    let model = try Model(network, seed: 0, device: device)
    try withoutGradients {
      for (name, target) in try model.stateDict() where !name.hasSuffix(".num_batches_tracked") {
        try target.copy(from: tensor(name).to(target.scalarType).to(device))
      }
    }
    return model
  }

  // One tensor with an axis in front and the others flattened.
  private func matrix(_ place: AxisLayout.Place) throws -> Tensor {
    let tensor = try tensor(place.tensor)
    let order = [place.axis] + tensor.shape.indices.filter { $0 != place.axis }
    return try tensor.permuted(order).reshaped([tensor.shape[place.axis], -1])
  }
}
