import Foundation
import Support
import Synchronization

/// Tells data of equal names apart, and cheaply: a hash of class names, labels, names and sizes of images, and of what some of
/// them hold.
///
/// The folder or archive may have been moved or copied. Exchanged labels, renamed classes, added, removed, renamed and replaced images
/// show; of more than ``sizes`` images the sizes of as many are looked at, and the content of ``contents``.
struct DatasetFingerprint {
  /// Images whose sizes are looked at.
  static let sizes = 100_000
  /// Images that are read.
  static let contents = 64

  // FNV-1a.
  private var state: UInt64 = 0xCBF2_9CE4_8422_2325

  init(_ dataset: Dataset) throws {
    mix(dataset.classNames.count)
    for name in dataset.classNames { mix(name) }
    for value in dataset.normalization.mean + dataset.normalization.std { mix(Int(value.bitPattern)) }
    for source in [dataset.training, dataset.heldOut] { try mix(source) }
  }

  /// Sixteen hexadecimal digits.
  var text: String { String(format: "%016llx", state) }

  private mutating func mix(_ source: any ImageSource) throws {
    mix(source.count)
    mix(source.channels)
    for index in source.indices { mix(source.label(at: index)) }
    if let checksum = source.contentChecksum {
      mix(Int(truncatingIfNeeded: checksum))
      return
    }
    let step = max(1, source.count / Self.sizes)
    for index in source.indices {
      mix(source.relativeName(at: index))
      if index % step == 0 { mix(source.byteCount(at: index) ?? -1) }
    }
    for number in 0..<min(Self.contents, source.count) {
      let index = number * source.count / min(Self.contents, source.count)
      // One that cannot be read is reported when it is needed.
      mix(((try? source.file(at: index)) ?? nil).map { Int(Checksum.crc32($0)) } ?? -1)
    }
  }

  private mutating func mix(_ value: Int) {
    for shift in stride(from: 0, to: 64, by: 8) { mix(byte: UInt8(truncatingIfNeeded: value >> shift)) }
  }

  private mutating func mix(_ text: String) {
    mix(text.utf8.count)
    for byte in text.utf8 { mix(byte: byte) }
  }

  private mutating func mix(byte: UInt8) { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
}

/// A fingerprint that is taken once, when it is first asked for.
final class FingerprintOnce: Sendable {
  private let known = Mutex<String?>(nil)

  func text(of dataset: Dataset) throws -> String {
    try known.withLock { known in
      if let known { return known }
      let text = try DatasetFingerprint(dataset).text
      known = text
      return text
    }
  }
}
