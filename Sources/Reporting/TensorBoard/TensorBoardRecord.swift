import Foundation
import SwiftProtobuf

/// The framing of an event file: length, checksum of the length, message, checksum of the message.
enum TensorBoardRecord {
  /// The bytes of one record that carries `event`.
  static func data(_ event: TBEvent) throws -> Data {
    framed(try event.serializedData())
  }

  /// `message` with its length and checksums, all little-endian.
  static func framed(_ message: Data) -> Data {
    let length = bytes(UInt64(message.count))
    return length + bytes(CRC32C.masked(length)) + message + bytes(CRC32C.masked(message))
  }

  /// The first record of every file.
  static func version(time: Double) throws -> Data {
    try data(
      .with {
        $0.wallTime = time; $0.fileVersion = "brain.Event:2"
      })
  }

  /// Named numbers at one step.
  static func scalars(_ scalars: [(tag: String, value: Double)], step: Int, time: Double) throws -> Data {
    try data(
      .with { event in
        event.wallTime = time
        event.step = Int64(step)
        event.summary = .with { summary in
          summary.value = scalars.map { scalar in
            .with {
              $0.tag = scalar.tag; $0.simpleValue = Float(scalar.value)
            }
          }
        }
      })
  }

  /// Tells readers to drop what earlier files say of `step` and later.
  static func sessionStart(step: Int, time: Double) throws -> Data {
    try data(
      .with { event in
        event.wallTime = time
        event.step = Int64(step)
        event.sessionLog = .with { $0.status = .start }
      })
  }

  private static func bytes(_ value: some FixedWidthInteger) -> Data {
    withUnsafeBytes(of: value.littleEndian) { Data($0) }
  }
}
