import Support
import Testing

@testable import ImageFiles
@testable import Loading

@Suite("JPEG images")
struct JPEGTests {
  private func decode(
    _ bytes: [UInt8], channels: Int = 3, as request: (ImageSize) -> ImageRequest = { .whole($0) }
  ) throws -> PixelImage {
    try PixelImage.decode(bytes: bytes, path: "test.jpg", channels: channels, as: request)
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
    let file = try jpeg(samples, width: 16, height: 16, channels: 4)
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
        return .whole(size, divisor: allowed)
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
    arguments: [(60000, 60000), (16384, 16384), (65500, 1025)])
  func refusesHuge(width: Int, height: Int) throws {
    let file = try jpegDeclaring(width: width, height: height, jpeg(gradient(width: 16, height: 16)))
    expectFailure(.beyondLimit, path: "test.jpg", "\(width)×\(height)") { try decode(file) }
  }

  @Test("that are only a signature are refused")
  func refusesEmpty() {
    expectFailure(.badData, path: "test.jpg") { try decode([0xFF, 0xD8, 0xFF]) }
    expectFailure(.unsupported, path: "test.jpg", "GIF") { try decode(Array("GIF89a".utf8)) }
    expectFailure(.unsupported, path: "test.jpg", "is empty") { try decode([]) }
  }

  @Test("that cannot fit into their file are refused, as is what a raised limit still does not allow")
  func refusesForged() throws {
    let file = try jpegDeclaring(width: 8000, height: 8000, jpeg(gradient(width: 16, height: 16)))
    expectFailure(.badData, path: "test.jpg", "8000×8000") { try decode(file) }
    let huge = try jpegDeclaring(width: 16384, height: 16384, jpeg(gradient(width: 16, height: 16)))
    expectFailure(.badData, path: "test.jpg", "do not fit") {
      try PixelImage.decode(bytes: huge, path: "test.jpg", channels: 3, limits: ImageLimits(pixels: 1 << 30))
    }
  }

  @Test("give a part exactly as decoding everything and cutting it out", arguments: [1, 2, 4, 8])
  func decodesParts(divisor: Int) throws {
    var generator = SeededGenerator(seed: UInt64(divisor))
    let samplings: [(Int32, Int32)] = [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (4, 2)]
    for round in 0..<60 {
      let (width, height) = (17 + generator.nextInt(below: 180), 17 + generator.nextInt(below: 180))
      let channels = round % 5 == 0 ? 1 : 3
      let pixels = (0..<width * height * channels).map { _ in UInt8(truncatingIfNeeded: generator.next() >> 7) }
      let file = try jpeg(
        PixelImage(width: width, height: height, channels: channels, pixels: pixels),
        sampling: samplings[round % samplings.count], quality: 80, progressive: round % 4 == 3)
      let full = ImageSize(width: width, height: height)
      let whole = try decode(file) { .whole($0, divisor: divisor) }
      for _ in 0..<8 {
        let part = PixelRectangle(
          left: generator.nextInt(below: width), top: generator.nextInt(below: height), width: 1, height: 1)
        let region = PixelRectangle(
          left: part.left, top: part.top, width: 1 + generator.nextInt(below: width - part.left),
          height: 1 + generator.nextInt(below: height - part.top))
        let request = ImageRequest(region, divisor: divisor)
        let expected = whole.cropped(to: request.region(in: full, reducedTo: whole.size))
        #expect(
          try decode(file) { _ in request } == expected, "\(full), \(region), sampling \(round % 6), round \(round)")
      }
    }
  }

  @Test("that are cut off are refused whichever part is asked for")
  func refusesTruncatedParts() throws {
    let file = try jpeg(gradient(width: 64, height: 64))
    let top = PixelRectangle(left: 0, top: 0, width: 8, height: 8)
    #expect(try decode(file) { _ in ImageRequest(top) }.size == ImageSize(width: 8, height: 8))
    for length in stride(from: 3, to: file.count - 2, by: 7) {
      expectFailure(.badData, path: "test.jpg", "JPEG") {
        try decode(Array(file.prefix(length))) { _ in ImageRequest(top) }
      }
    }
  }

  @Test(
    "with a small preview are refused where they are cut, whichever part is asked for and whatever the preview ends with"
  )
  func refusesTruncatedBesideThumbnail() throws {
    // The preview's own mark of the end lies among the last bytes of a small file.
    let preview = try jpeg(gradient(width: 16, height: 16))
    let file = try jpeg(gradient(width: 64, height: 64), exif: exif(orientation: 1, littleEndian: true) + preview)
    #expect(file.count < 4096)
    #expect(try decode(file).width == 64)
    let start = try #require(file.lastIndex(of: 0xDA))
    for length in stride(from: start + 20, to: file.count - 1, by: 3) {
      for top in [0, 24, 56] {
        expectFailure(.badData, path: "test.jpg", "JPEG") {
          try decode(Array(file.prefix(length))) { _ in
            ImageRequest(PixelRectangle(left: 0, top: top, width: 8, height: 8))
          }
        }
      }
    }
  }

  @Test(
    "with a marker that does not belong there are refused in every part, as Pillow does; stray tables and comments are let pass"
  )
  func refusesStrayMarkers() throws {
    let file = try jpeg(gradient(width: 64, height: 64))
    let middle = file.count - 60
    func with(_ bytes: [UInt8]) -> [UInt8] { Array(file[..<middle]) + bytes + file[middle...] }
    // A second image, a second frame, a scan that a file of one scan has no place for, and two that are reserved.
    for marker: UInt8 in [0xD8, 0xC0, 0xDA, 0xF3, 0x4F] {
      for top in [0, 56] {
        expectFailure(.badData, path: "test.jpg", "JPEG", "marker") {
          try decode(with([0xFF, marker, 0, 2])) { _ in
            ImageRequest(PixelRectangle(left: 0, top: top, width: 8, height: 8))
          }
        }
      }
    }
    for bytes: [UInt8] in [
      [0xFF, 0xFE, 0, 3, 7], [0xFF, 0xE5, 0, 2], [0xFF, 0xD3], [0xFF, 0xEC, 0x7F, 0], [0xFF, 0xD9],
    ] {
      #expect(try decode(with(bytes)).width == 64, "\(bytes)")
    }
  }

  @Test("are turned as their EXIF orientation says, whole and in part", arguments: 1...8)
  func turns(orientation: Int) throws {
    let stored = gradient(width: 40, height: 24)
    let plain = try decode(jpeg(stored))
    let file = try jpeg(stored, exif: exif(orientation: orientation, littleEndian: orientation % 2 == 0))
    // What the eight values mean, written as what Pillow's exif_transpose does, pixel by pixel.
    let (w, h) = (plain.width, plain.height)
    let places: [(Int, Int) -> (Int, Int)] = [
      { x, y in (x, y) }, { x, y in (w - 1 - x, y) }, { x, y in (w - 1 - x, h - 1 - y) }, { x, y in (x, h - 1 - y) },
      { x, y in (y, x) }, { x, y in (y, h - 1 - x) }, { x, y in (w - 1 - y, h - 1 - x) }, { x, y in (w - 1 - y, x) },
    ]
    let size = orientation > 4 ? ImageSize(width: h, height: w) : plain.size
    var pixels: [UInt8] = []
    for y in 0..<size.height {
      for x in 0..<size.width {
        let (column, row) = places[orientation - 1](x, y)
        pixels += plain.pixels[(row * w + column) * 3..<(row * w + column) * 3 + 3]
      }
    }
    let upright = PixelImage(width: size.width, height: size.height, channels: 3, pixels: pixels)
    #expect(try decode(file) == upright)
    let part = PixelRectangle(left: 3, top: 5, width: 9, height: 14)
    #expect(try decode(file) { _ in ImageRequest(part) } == upright.cropped(to: part))
    #expect(
      try decode(file) { .whole($0, divisor: 2) }.size == ImageSize(width: size.width / 2, height: size.height / 2))
  }

  @Test("with a damaged EXIF segment are upright")
  func ignoresDamagedEXIF() throws {
    let image = gradient(width: 16, height: 8)
    let whole = exif(orientation: 6)
    let plain = try decode(jpeg(image))
    for length in 0..<whole.count - 18 {
      #expect(try decode(jpeg(image, exif: Array(whole.prefix(length)))) == plain)
    }
    #expect(try decode(jpeg(image, exif: exif(orientation: 9))) == plain)
    #expect(try decode(jpeg(image, exif: exif(orientation: 0))) == plain)
  }
}
