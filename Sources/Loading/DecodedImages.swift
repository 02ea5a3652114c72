import Foundation
import ImageFiles
import Support

/// The images of a loader as bytes `[resolution, resolution, channels]`, each decoded and resized when it is first needed.
///
/// For small images of one size: the first epoch decodes, later ones copy. Nothing is allocated for images that have not been asked
/// for. An image that cannot be used is remembered as that.
final class DecodedImages: @unchecked Sendable {
  // `state` and `failures` are touched under `lock` only. The bytes of an image are written once, under `lock`, before its state
  // says that they are there, and are not written again.
  private enum State: UInt8 {
    case absent
    case present
    case bad
  }

  /// More than this is not kept in memory.
  static let largestSize = 1 << 30

  /// The samples of one image.
  let length: Int
  private let source: any ImageSource
  private let indices: [Int]
  private let preparation: ImagePreparation
  private let bytes: UnsafeMutablePointer<UInt8>
  private let lock = NSLock()
  private var state: [State]
  private var failures: [Int: FileFailure] = [:]

  /// Whether so many images are kept.
  static func fits(_ count: Int, _ preparation: ImagePreparation) -> Bool {
    count <= largestSize / (preparation.resolution * preparation.resolution * preparation.channels)
  }

  /// Makes room for the images at `indices`.
  init(_ source: any ImageSource, indices: [Int], preparation: ImagePreparation) {
    self.source = source
    self.indices = indices
    self.preparation = preparation
    length = preparation.resolution * preparation.resolution * preparation.channels
    bytes = .allocate(capacity: max(1, indices.count * length))
    state = [State](repeating: .absent, count: indices.count)
  }

  deinit { bytes.deallocate() }

  /// Makes sure that the images at `places` (of the indices) are there, and calls `body` with each.
  func read(
    _ places: [Int], _ body: (Int, Result<UnsafeBufferPointer<UInt8>, FileFailure>) throws -> Void
  ) throws {
    try fill(places)
    for place in places {
      let failure = lock.withLock { failures[place] }
      if let failure {
        try body(place, .failure(failure))
      } else {
        try body(place, .success(UnsafeBufferPointer(start: bytes + place * length, count: length)))
      }
    }
  }

  private func fill(_ places: [Int]) throws {
    let absent = lock.withLock { places.filter { state[$0] == .absent } }
    guard !absent.isEmpty else { return }
    // Square images of one size go through LibTorch together; any other is made small at once, since it may be of any size.
    let size = source.uniformSize.flatMap { $0.width == $0.height ? $0 : nil }
    var together: [(place: Int, image: PixelImage)] = []
    var prepared: [(place: Int, pixels: [UInt8])] = []
    var bad: [Int: FileFailure] = [:]
    for place in absent {
      do {
        let image = try source.image(at: indices[place]).converted(toChannels: preparation.channels)
        if image.size == size {
          together.append((place, image))
        } else {
          prepared.append((place, try preparation.fitted(image).pixels))
        }
      } catch let failure as FileFailure where failure.kind != .io {
        bad[place] = failure
      }
    }
    if let size, !together.isEmpty {
      let all = try ImageResizing.resized(
        together.flatMap(\.image.pixels), count: together.count, channels: preparation.channels, from: size,
        to: ImageSize(width: preparation.resolution, height: preparation.resolution))
      for (number, one) in together.enumerated() {
        prepared.append((one.place, Array(all[number * length..<(number + 1) * length])))
      }
    }
    lock.withLock {
      for (place, pixels) in prepared where state[place] == .absent {
        pixels.withUnsafeBufferPointer { (bytes + place * length).update(from: $0.baseAddress!, count: length) }
        state[place] = .present
      }
      for (place, failure) in bad {
        state[place] = .bad
        failures[place] = failure
      }
    }
  }
}
