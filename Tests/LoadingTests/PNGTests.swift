import CSPNG
import Support
import Testing

@testable import ImageFiles
@testable import Loading

@Suite("PNG images")
struct PNGTests {
  private func decode(_ bytes: [UInt8], channels: Int = 3) throws -> PixelImage {
    try PixelImage.decode(bytes: bytes, path: "test.png", channels: channels)
  }

  @Test("in colour and grey come back exactly, interlaced or not")
  func decodesExactly() throws {
    let color = gradient(width: 13, height: 9)
    #expect(try decode(png(color)) == color)
    let interlaced = try png(color.pixels, width: 13, height: 9, colorType: SPNG_COLOR_TYPE_TRUECOLOR, interlaced: true)
    #expect(try decode(interlaced) == color)
    let grey = gradient(width: 13, height: 9, channels: 1)
    #expect(try decode(png(grey), channels: 1) == grey)
    #expect(try decode(png(grey)) == grey.converted(toChannels: 3))
  }

  @Test("with a palette get its colours")
  func decodesPalette() throws {
    let file = try png(
      [0, 1, 2, 1], width: 2, height: 2, colorType: SPNG_COLOR_TYPE_INDEXED,
      palette: [(1, 2, 3), (40, 50, 60), (255, 0, 9)])
    #expect(try decode(file).pixels == [1, 2, 3, 40, 50, 60, 255, 0, 9, 40, 50, 60])
  }

  @Test("with 16 bits a sample keep the upper 8")
  func decodes16Bits() throws {
    // The encoder takes samples in the order of the host.
    let samples: [UInt16] = [0x1234, 0xABCD, 0xFF00]
    let file = try png(
      samples.withUnsafeBytes(Array.init), width: 1, height: 1, colorType: SPNG_COLOR_TYPE_TRUECOLOR, bitDepth: 16)
    #expect(try decode(file).pixels == [0x12, 0xAB, 0xFF])
  }

  @Test("with few bits a sample are spread to 0…255")
  func decodesOneBit() throws {
    let file = try png([0b1010_0000], width: 3, height: 1, colorType: SPNG_COLOR_TYPE_GRAYSCALE, bitDepth: 1)
    #expect(try decode(file, channels: 1).pixels == [255, 0, 255])
  }

  @Test("lose their alpha, and what is transparent keeps its colour")
  func dropsAlpha() throws {
    let file = try png(
      [10, 20, 30, 0, 40, 50, 60, 128], width: 2, height: 1, colorType: SPNG_COLOR_TYPE_TRUECOLOR_ALPHA)
    #expect(try decode(file).pixels == [10, 20, 30, 40, 50, 60])
    let grey = try png([77, 0], width: 1, height: 1, colorType: SPNG_COLOR_TYPE_GRAYSCALE_ALPHA)
    #expect(try decode(grey, channels: 1).pixels == [77])
  }

  @Test("that are cut off are refused")
  func refusesTruncated() throws {
    // Without its last chunk (12 bytes), the image itself is still whole.
    let file = try png(gradient(width: 16, height: 16))
    for length in 8..<file.count - 16 {
      expectFailure(.badData, path: "test.png", "PNG") { try decode(Array(file.prefix(length))) }
    }
  }

  @Test("with a wrong checksum are refused")
  func refusesChecksum() throws {
    var file = try png(gradient(width: 4, height: 4))
    file[20] ^= 1
    expectFailure(nil, path: "test.png") { try decode(file) }
  }

  @Test(
    "that declare more pixels than is sensible are refused before memory is taken",
    arguments: [(60000, 60000), (16384, 16384), (1, 16385), (8000, 8000), (0x7FFF_FFFF, 1), (0, 5)])
  func refusesHuge(width: Int, height: Int) throws {
    let file = pngDeclaring(width: width, height: height, try png(gradient(width: 16, height: 16)))
    expectFailure(nil, path: "test.png") { try decode(file) }
  }

  @Test("are told by their content when they bear another codec's name")
  func toldByContent() throws {
    try withTemporaryFolder { folder in
      let image = gradient(width: 8, height: 8)
      let path = try write(png(image), to: folder + "/image.JPEG")
      #expect(try PixelImage.decode(path: path, channels: 3) == image)
    }
  }
}
