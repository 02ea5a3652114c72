import CTurboJPEG
import Support
import Testing

@testable import Datasets

@Suite("JPEG images")
struct JPEGTests {
  private func decode(
    _ bytes: [UInt8], channels: Int = 3, reducedBy reduction: (ImageSize) -> Int = { _ in 1 }
  ) throws -> PixelImage {
    try PixelImage.decode(bytes: bytes, path: "test.jpg", channels: channels, reducedBy: reduction)
  }

  private func largestDifference(_ a: PixelImage, _ b: PixelImage) -> Int {
    zip(a.pixels, b.pixels).map { abs(Int($0) - Int($1)) }.max() ?? 0
  }

  @Test("in colour and grey come back close to what was encoded, in the channels asked for")
  func decodesColorAndGrey() throws {
    let color = gradient(width: 40, height: 24)
    #expect(largestDifference(try decode(jpeg(color)), color) <= 8)
    let grey = gradient(width: 40, height: 24, channels: 1)
    #expect(largestDifference(try decode(jpeg(grey), channels: 1), grey) <= 4)
    #expect(try decode(jpeg(grey)) == decode(jpeg(grey), channels: 1).converted(toChannels: 3))
    #expect(largestDifference(try decode(jpeg(color), channels: 1), color.converted(toChannels: 1)) <= 8)
  }

  @Test("in CMYK become RGB by Adobe's convention")
  func decodesCMYK() throws {
    // Inverted CMYK: red = C·K / 255, and so on.
    let samples = [UInt8]((0..<256).flatMap { _ in [200, 100, 50, 128] as [UInt8] })
    let file = try jpeg(samples, width: 16, height: 16, format: TJPF_CMYK)
    let image = try decode(file)
    for (sample, expected) in zip(image.pixels.prefix(3), [100, 50, 25]) { #expect(abs(Int(sample) - expected) <= 3) }
    #expect(try decode(file, channels: 1).channels == 1)
  }

  @Test("are decoded at 1/2, 1/4 or 1/8 when that is enough")
  func decodesReduced() throws {
    let file = try jpeg(gradient(width: 67, height: 40))
    for (allowed, width, height) in [(1, 67, 40), (2, 34, 20), (3, 34, 20), (5, 17, 10), (100, 9, 5)] {
      var seen: ImageSize?
      let image = try decode(file) { size in
        seen = size
        return allowed
      }
      #expect(seen == ImageSize(width: 67, height: 40))
      #expect(image.size == ImageSize(width: width, height: height))
    }
  }

  @Test("that are cut off are refused")
  func refusesTruncated() throws {
    let file = try jpeg(gradient(width: 32, height: 32))
    for length in 3..<file.count - 2 {
      expectFailure(.badData, path: "test.jpg", "JPEG") { try decode(Array(file.prefix(length))) }
    }
  }

  @Test("with a damaged coefficient but an end are decoded, as Pillow does")
  func toleratesDamage() throws {
    let file = try jpeg(gradient(width: 64, height: 64))
    var decoded = 0
    for place in file.count - 120..<file.count - 20 {
      var damaged = file
      damaged[place] = 0x55
      if (try? decode(damaged)) != nil { decoded += 1 }
    }
    #expect(decoded > 90)
  }

  @Test("with stray bytes after the end are decoded")
  func toleratesTrailing() throws {
    let file = try jpeg(gradient(width: 16, height: 16))
    #expect(try decode(file + [1, 2, 3, 4]) == decode(file))
  }

  @Test(
    "that declare more pixels than is sensible are refused before memory is taken",
    arguments: [(60000, 60000), (16384, 16384), (16385, 1), (8000, 8000)])
  func refusesHuge(width: Int, height: Int) throws {
    let file = try jpegDeclaring(width: width, height: height, jpeg(gradient(width: 16, height: 16)))
    expectFailure(.badData, path: "test.jpg", "\(width)×\(height)") { try decode(file) }
  }

  @Test("that are only a signature are refused")
  func refusesEmpty() {
    expectFailure(.badData, path: "test.jpg") { try decode([0xFF, 0xD8, 0xFF]) }
    expectFailure(.badData, path: "test.jpg", "GIF") { try decode(Array("GIF89a".utf8)) }
    expectFailure(.badData, path: "test.jpg", "JPEG and PNG") { try decode([]) }
  }
}
