import Diagnosis
import Foundation
import Interchange
import Support

extension WeightNormFolder {
  /// The norms of every channel of some groups after so many epochs.
  ///
  /// - Throws: `FileFailure` when there is no such snapshot, or it is of other groups.
  public func norms(epoch: Int, of groups: [ChannelGroup]) throws -> [ChannelNorms] {
    let file = try SafetensorsFile(path: snapshot(epoch: epoch))
    return try groups.map { group in
      let norms = try group.slices.map { slice in
        let name = Self.name(of: slice)
        guard let entry = file.entries[name], entry.type == .float32, entry.shape == [group.width] else {
          throw FileFailure(
            .badData, path: file.path, reason: "it holds no norms of the \(group.width) channels \(name)")
        }
        return try file.withBytes(of: name) { bytes in
          (0..<group.width).map { Double(bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self)) }
        }
      }
      return ChannelNorms(slices: group.slices, norms: norms)
    }
  }

  /// What the norms of a slice are called in a snapshot: the tensor, the axis, and where on it they begin.
  public static func name(of slice: ChannelSlice) -> String {
    "\(slice.tensor):\(slice.axis)" + (slice.offset > 0 ? "+\(slice.offset)" : "")
  }
}
