import Diagnosis
import Support
import Torch

extension ChannelSlice {
  /// The entries of each channel as a matrix of `width` rows.
  ///
  /// - Throws: `UsageFailure` when the tensor is too small for the slice; `TorchError`.
  func rows(of weight: Tensor, width: Int) throws -> Tensor {
    let matrix = try laidOut(weight)
    guard offset + width * positions <= matrix.shape[0] else {
      throw UsageFailure(
        "\(tensor) has \(matrix.shape[0]) entries along axis \(axis), and \(width) channels from \(offset) do not fit; "
          + "was it made at other widths?")
    }
    return try matrix.slice(0, offset..<offset + width * positions).reshaped([width, -1])
  }

  // All entries along the axis as rows; the input axis of a grouped convolution is as long as all of its groups together.
  private func laidOut(_ weight: Tensor) throws -> Tensor {
    let shape = weight.shape
    guard axis < shape.count else {
      throw UsageFailure("\(tensor) has \(shape.count) axes; \(axis + 1) are needed")
    }
    guard blocks > 1, axis == 1 else {
      let order = [axis] + shape.indices.filter { $0 != axis }
      return try weight.permuted(order).reshaped([shape[axis], -1])
    }
    return try weight.reshaped([blocks, shape[0] / blocks, shape[1], -1]).permuted([0, 2, 1, 3])
      .reshaped([blocks * shape[1], -1])
  }
}
