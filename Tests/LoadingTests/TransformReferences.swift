import Foundation

@testable import ImageFiles
@testable import Loading

/// What Pillow and torchvision made of the images below, written by scripts/python/transform_references.py.
struct TransformReferences: Decodable {
  struct Operation: Decodable {
    let strength: Double
    let crc: [UInt32]
  }

  struct Whole: Decodable {
    let operation: String
    let strength: Double
    let channels: Int
    let bytes: Data
  }

  struct Jitter: Decodable {
    let factors: [Double]
    let crc: [UInt32]
  }

  struct RandAugmentReferences: Decodable {
    struct Operation: Decodable {
      let operation: String
      let bin: Int
      let sign: Double
      let crc: [UInt32]
    }

    let images: [String]
    let names: [String]
    let signed: [String]
    let magnitudes: [String: [Double]]
    let shifts: [String: [Int]]
    let crc: [Operation]
  }

  let images: [String]
  let input: [UInt32]
  let operations: [String: [Operation]]
  let whole: [Whole]
  let jitters: [Jitter]
  let randAugment: RandAugmentReferences

  static func read() throws -> TransformReferences {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/transforms.json")
    return try JSONDecoder().decode(TransformReferences.self, from: Data(contentsOf: file))
  }

  /// The image of a name such as `noise3`, whose last letter is the number of channels, by the formulas of the script.
  static func image(_ name: String) -> PixelImage? {
    let channels = name.hasSuffix("3") ? 3 : 1
    var state: UInt32 = 12345
    func noise() -> Int {
      state = state &* 1_664_525 &+ 1_013_904_223
      return Int(state >> 24)
    }
    func make(_ width: Int, _ height: Int, _ value: (_ x: Int, _ y: Int, _ channel: Int) -> Int) -> PixelImage {
      var pixels: [UInt8] = []
      for y in 0..<height {
        for x in 0..<width {
          for channel in 0..<channels { pixels.append(UInt8(value(x, y, channel))) }
        }
      }
      return PixelImage(width: width, height: height, channels: channels, pixels: pixels)
    }
    switch name.dropLast() {
    case "noise": return make(13, 9) { _, _, _ in noise() }
    case "large": return make(32, 32) { _, _, _ in noise() }
    case "wide": return make(41, 26) { _, _, _ in noise() }
    case "ramp": return make(31, 33) { x, y, channel in (7 * x + 3 * y + 50 * channel) % 256 }
    case "dim": return make(24, 24) { _, _, channel in 60 + 10 * channel + noise() % 50 }
    case "stark": return make(23, 17) { _, _, _ in noise() > 150 ? 255 : 0 }
    case "flat": return make(12, 10) { _, _, channel in 77 + channel }
    case "strip": return make(2, 40) { _, _, _ in noise() }
    case "dot": return make(1, 1) { _, _, _ in noise() }
    default: return nil
    }
  }

  /// The operation of a name with a strength, as the script calls it.
  static func apply(_ name: String, _ strength: Double, to image: PixelImage) -> PixelImage? {
    switch name {
    case "brightness": image.adjustingBrightness(by: strength)
    case "contrast": image.adjustingContrast(by: strength)
    case "saturation": image.adjustingSaturation(by: strength)
    case "sharpness": image.adjustingSharpness(by: strength)
    case "hue": image.adjustingHue(by: strength)
    case "posterize": image.posterized(bits: Int(strength))
    case "solarize": image.solarized(threshold: strength)
    case "autocontrast": image.autocontrasted()
    case "equalize": image.equalized()
    case "rotate": image.transformed(by: .rotation(degrees: strength, size: image.size))
    case "shearX": image.transformed(by: .shear(x: strength))
    case "shearY": image.transformed(by: .shear(y: strength))
    case "translateX": image.transformed(by: .translation(x: Int(strength), y: 0))
    case "translateY": image.transformed(by: .translation(x: 0, y: Int(strength)))
    default: nil
    }
  }
}

extension PixelImage {
  /// The CRC-32 of the samples, as zlib computes it.
  var crc: UInt32 {
    ~pixels.reduce(~UInt32(0)) { sum, byte in Self.crcTable[Int((sum ^ UInt32(byte)) & 0xFF)] ^ sum >> 8 }
  }

  private static let crcTable: [UInt32] = (0..<256).map { byte in
    var sum = UInt32(byte)
    for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
    return sum
  }
}
