import Foundation
import Support

/// Decodes every image of a data set, to find out before a training what would end it.
public struct DatasetVerification: Sendable {
  /// An image that cannot be used.
  public struct Fault: Codable, Sendable, Equatable {
    /// The file, or the archive and its member.
    public var file: String
    /// Why not.
    public var reason: String

    /// Describes a fault.
    public init(file: String, reason: String) {
      self.file = file
      self.reason = reason
    }
  }

  /// Images looked at.
  public private(set) var images = 0
  /// Images that cannot be used, in the order of the data set.
  public private(set) var faults: [Fault] = []
  /// Images that are read although they are damaged, as Pillow reads them: some of their pixels may be wrong.
  public private(set) var damaged: [Fault] = []

  /// Images of one piece of work: enough to make the exchange between threads cheap.
  private static let piece = 32

  /// Decodes all images of both splits.
  ///
  /// - Parameters:
  ///   - threads: How many decode at a time.
  ///   - progress: Called now and then with the images done so far and all; may throw to end the work.
  /// - Throws: What `progress` throws, and what is no fault of an image.
  public init(_ dataset: Dataset, threads: Int, progress: (Int, Int) throws -> Void = { _, _ in }) throws {
    let all = dataset.training.count + dataset.heldOut.count
    for source in [dataset.training, dataset.heldOut] {
      let pieces = (source.count + Self.piece - 1) / Self.piece
      let stream = OrderedPrefetch(0..<pieces, threads: max(1, threads), depth: 4 * max(1, threads)) { number in
        try Self.faults(source, number * Self.piece..<min(source.count, (number + 1) * Self.piece))
      }
      while let found = try stream.next() {
        faults += found.faults
        damaged += found.damaged
        images += found.count
        try progress(images, all)
      }
    }
  }

  private static func faults(
    _ source: any ImageSource, _ range: Range<Int>
  ) throws -> (faults: [Fault], damaged: [Fault], count: Int) {
    var (faults, damaged): ([Fault], [Fault]) = ([], [])
    for index in range {
      do {
        if let damage = try source.damage(at: index) {
          damaged.append(Fault(file: source.place(at: index), reason: damage))
        }
      } catch let failure as FileFailure where failure.kind != .io {
        faults.append(Fault(file: failure.path, reason: failure.reason))
      }
    }
    return (faults, damaged, range.count)
  }
}
