import CZlib
import Foundation

extension Workplace {
  /// Class folders of PNG images whose class shows as a bright band: `folder/train/…` and `folder/val/…`.
  ///
  /// - Returns: The paths of the training images, relative to the workplace.
  @discardableResult
  func writePictures(to folder: String, side: Int = 8, count: Int = 32) throws -> [String] {
    var paths: [String] = []
    var state: UInt32 = 7
    for (split, count) in [("train", count), ("val", 8)] {
      for index in 0..<count {
        let kind = ["cat", "dog"][index % 2]
        let name = "\(folder)/\(split)/\(kind)/\(index).png"
        var samples: [UInt8] = []
        for pixel in 0..<side * side {
          state = state &* 1_664_525 &+ 1_013_904_223
          let isBright = (pixel / side < side / 2) == (index % 2 == 0)
          for channel in 0..<3 { samples.append((isBright ? 130 : 20) + UInt8(state >> 24) % 100 / UInt8(channel + 1)) }
        }
        try FileManager.default.createDirectory(
          atPath: file("\(folder)/\(split)/\(kind)"), withIntermediateDirectories: true)
        try write(Self.png(samples, side: side), to: name)
        if split == "train" { paths.append(name) }
      }
    }
    return paths
  }

  private static func png(_ samples: [UInt8], side: Int) -> Data {
    func number(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
    func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
      let body = Array(name.utf8) + content
      return number(content.count) + body + number(Int(crc32(0, body, UInt32(body.count))))
    }
    var rows: [UInt8] = []
    for row in 0..<side {
      rows.append(0)
      rows += samples[row * side * 3..<(row + 1) * side * 3]
    }
    var size = compressBound(UInt(rows.count))
    var packed = [UInt8](repeating: 0, count: Int(size))
    compress(&packed, &size, rows, UInt(rows.count))
    let header: [UInt8] = number(side) + number(side) + [8, 2, 0, 0, 0]
    var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    file += chunk("IHDR", header)
    file += chunk("IDAT", Array(packed.prefix(Int(size))))
    file += chunk("IEND", [])
    return Data(file)
  }
}
