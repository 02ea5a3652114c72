import Testing

@testable import ImageFiles
@testable import Loading

/// Expected values: torch 2.13.0 on x86-64, `F.interpolate(x, size, mode="bilinear", antialias=True)` of channels-last
/// uint8 images with the samples of ``ResizingTests/image(_:_:_:)``.
/// One image that is taken for a photograph.
private struct Photographs: ImageSource {
  let photograph: PixelImage
  let name = "photographs"
  let count = 1
  let channels = 3
  let classNames = ["only"]
  let uniformSize: ImageSize? = nil
  func label(at index: Int) -> Int { 0 }
  func place(at index: Int) -> String { name }
  func image(at index: Int, as request: (ImageSize) -> ImageRequest) -> PixelImage {
    photograph.cropped(to: request(photograph.size).region)
  }
}

@Suite("Resizing")
struct ResizingTests {
  private func image(_ channels: Int, _ height: Int, _ width: Int) -> PixelImage {
    var pixels: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width {
        for channel in 0..<channels {
          pixels.append(UInt8((y * 37 + x * 11 + channel * 53 + (x * y) % 7 * 19) % 256))
        }
      }
    }
    return PixelImage(width: width, height: height, channels: channels, pixels: pixels)
  }

  @Test("equals PyTorch's antialiased interpolation, shrinking and growing, grey and colour")
  func equalsPyTorch() throws {
    #expect(
      try image(1, 8, 8).resized(to: ImageSize(width: 5, height: 5)).pixels == [
        22, 51, 81, 110, 107, 91, 158, 176, 194, 183, 157, 187, 170, 146, 171, 147, 85, 125, 62, 47, 73, 49, 54, 59, 64,
      ])
    #expect(
      try image(3, 6, 6).resized(to: ImageSize(width: 4, height: 4)).pixels == [
        21, 74, 127, 46, 99, 152, 72, 125, 146, 98, 151, 108, 82, 135, 178, 144, 165, 126, 173, 134, 127, 175, 218, 79,
        147, 168, 167, 200, 143, 69, 175, 120, 82, 176, 144, 90, 149, 166, 119, 96, 99, 99, 142, 74, 116, 90, 107, 160,
      ])
    #expect(
      try image(1, 4, 4).resized(to: ImageSize(width: 7, height: 7)).pixels == [
        0, 4, 10, 17, 23, 29, 33, 13, 20, 30, 40, 50, 60, 67, 34, 45, 61, 77, 94, 110, 120, 56, 70, 93, 115, 137, 160,
        174, 77, 94, 124, 153, 180, 204, 218, 98, 119, 155, 190, 218, 205, 196, 111, 135, 174, 213, 242, 205, 182,
      ])
  }

  @Test("gives many images at once what it gives each")
  func batches() throws {
    let images = (2..<7).map { gradient(width: 12, height: 12, phase: $0) }
    let target = ImageSize(width: 7, height: 7)
    let together = try ImageResizing.resized(
      images.flatMap(\.pixels), count: images.count, channels: 3, from: images[0].size, to: target)
    #expect(try together == images.flatMap { try $0.resized(to: target).pixels })
  }

  @Test("for evaluation keeps the middle of the image resized to 8/7 of the resolution")
  func evaluation() throws {
    let photograph = gradient(width: 90, height: 60)
    for (resolution, side) in [(224, 256), (320, 366), (160, 183), (64, 73)] {
      let source = Photographs(photograph: photograph)
      #expect(ImagePreparation(resolution: resolution, channels: 3, source: source).shortSide == side)
    }
    let preparation = ImagePreparation(resolution: 21, channels: 3, source: Photographs(photograph: photograph))
    let resized = try photograph.resized(to: ImageSize(width: 36, height: 24))
    // torchvision's CenterCrop: round((36 - 21) / 2) = 8, round((24 - 21) / 2) = 2, halves to even.
    #expect(
      try preparation.plain(0, of: Photographs(photograph: photograph))
        == resized.cropped(to: PixelRectangle(left: 8, top: 2, width: 21, height: 21)))
  }

  @Test("for evaluation puts a long image's pixels where resizing the whole image puts them", arguments: [true, false])
  func long(isWide: Bool) throws {
    let (width, height) = isWide ? (613, 17) : (17, 613)
    let strip = gradient(width: width, height: height)
    let source = Photographs(photograph: strip)
    let preparation = ImagePreparation(resolution: 21, channels: 3, source: source)
    let resized = try strip.resized(to: strip.size.scaled(toShortSide: 24))
    #expect(max(resized.width, resized.height) == 24 * 613 / 17)
    #expect(try preparation.plain(0, of: source) == resized.centerCropped(to: 21))
  }

  @Test(
    "for evaluation of an image far longer than wide takes its middle, and little memory", arguments: [true, false])
  func extremes(isWide: Bool) throws {
    // Resized as a whole this would have 24 million columns.
    let length = 1_000_000
    let pixels = (0..<length).flatMap { [UInt8](repeating: UInt8($0 * 200 / length), count: 3) }
    let line = PixelImage(width: isWide ? length : 1, height: isWide ? 1 : length, channels: 3, pixels: pixels)
    let source = Photographs(photograph: line)
    let image = try ImagePreparation(resolution: 21, channels: 3, source: source).plain(0, of: source)
    #expect(image.size == ImageSize(width: 21, height: 21))
    #expect(image.pixels.allSatisfy { (99...100).contains($0) })
  }
}
