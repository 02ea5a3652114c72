import Foundation
import Support
import Testing

@testable import ImageFiles
@testable import Loading

@Suite("Colour transforms")
struct ColorTransformTests {
  private func image(_ width: Int, _ height: Int, _ channels: Int, _ pixels: [UInt8]) -> PixelImage {
    PixelImage(width: width, height: height, channels: channels, pixels: pixels)
  }

  @Test("make the bytes of Pillow and torchvision, whatever the strength and the image")
  func equalReferences() throws {
    let references = try TransformReferences.read()
    let images = try references.images.map { try #require(TransformReferences.image($0)) }
    #expect(images.map(\.crc) == references.input)
    #expect(references.operations.count == 14)
    for (name, cases) in references.operations {
      #expect(!cases.isEmpty)
      for reference in cases {
        #expect(reference.crc.count == images.count)
        for (index, expected) in reference.crc.enumerated() {
          let found = try #require(TransformReferences.apply(name, reference.strength, to: images[index]))
          #expect(found.crc == expected, "\(name) \(reference.strength) of \(references.images[index])")
          #expect(found.size == images[index].size && found.channels == images[index].channels)
        }
      }
    }
  }

  @Test("make the bytes of Pillow and torchvision, byte by byte")
  func equalWholeReferences() throws {
    let references = try TransformReferences.read()
    #expect(references.whole.count == 28)
    for reference in references.whole {
      let image = try #require(TransformReferences.image("noise\(reference.channels)"))
      let found = try #require(TransformReferences.apply(reference.operation, reference.strength, to: image))
      let name = "\(reference.operation) \(reference.strength), \(reference.channels) channels"
      #expect(found.pixels == [UInt8](reference.bytes), "\(name)")
    }
  }

  @Test("adjust one after another like torchvision, in every order")
  func equalJitterReferences() throws {
    let references = try TransformReferences.read()
    let image = try #require(TransformReferences.image("large3"))
    #expect(references.jitters.count == 3)
    for reference in references.jitters {
      let factors = reference.factors
      let adjustments: [ColorAdjustment] = [
        .brightness(factors[0]), .contrast(factors[1]), .saturation(factors[2]), .hue(factors[3]),
      ]
      let orders = (0..<256).map { [$0 / 64, $0 / 16 % 4, $0 / 4 % 4, $0 % 4] }.filter { Set($0).count == 4 }
      #expect(orders.count == 24 && reference.crc.count == 24)
      for (order, expected) in zip(orders, reference.crc) {
        let found = order.reduce(image) { adjustments[$1].apply(to: $0) }
        #expect(found.crc == expected, "\(order) of \(factors)")
      }
    }
  }

  @Test("blend with black, with the mean, with grey and with a smoothed image")
  func blends() {
    let grey = image(4, 1, 1, [0, 10, 101, 255])
    #expect(grey.adjustingBrightness(by: 0.5).pixels == [0, 5, 50, 127])
    #expect(grey.adjustingBrightness(by: 3).pixels == [0, 30, 255, 255])
    // The mean is 91.5, rounded to 92.
    #expect(grey.adjustingContrast(by: 0).pixels == [92, 92, 92, 92])
    #expect(grey.adjustingContrast(by: 2).pixels == [0, 0, 110, 255])
    #expect(grey.adjustingSaturation(by: 0) == grey)
    // 0.299 · 200 + 0.587 · 100 + 0.114 · 50 = 124.2
    let colour = image(1, 1, 3, [200, 100, 50])
    #expect(colour.adjustingSaturation(by: 0).pixels == [124, 124, 124])
    #expect(colour.adjustingSaturation(by: 2).pixels == [255, 76, 0])
    // (5 · 130 + 8 · 0) / 13
    let point = image(3, 3, 1, [0, 0, 0, 0, 130, 0, 0, 0, 0])
    #expect(point.adjustingSharpness(by: 0).pixels == [0, 0, 0, 0, 50, 0, 0, 0, 0])
    #expect(point.adjustingSharpness(by: 2).pixels == [0, 0, 0, 0, 210, 0, 0, 0, 0])
  }

  @Test("turn the hue: a third of the circle makes red green, and green blue")
  func hue() {
    let colours = image(5, 1, 3, [255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9, 0, 0, 0])
    #expect(
      colours.adjustingHue(by: 1.0 / 3).pixels == [0, 255, 0, 0, 0, 255, 255, 0, 0, 9, 9, 9, 0, 0, 0])
    let grey = image(2, 1, 1, [3, 200])
    #expect(grey.adjustingHue(by: 0.3) == grey)
  }

  @Test("replace values: fewer bits, inverted, stretched, equalized")
  func tones() {
    let grey = image(4, 1, 1, [0x00, 0x4F, 0x9C, 0xFF])
    #expect(grey.posterized(bits: 2).pixels == [0x00, 0x40, 0x80, 0xC0])
    #expect(grey.posterized(bits: 8) == grey)
    #expect(grey.solarized(threshold: 0x9C).pixels == [0x00, 0x4F, 0x63, 0x00])
    #expect(image(3, 1, 1, [50, 75, 101]).autocontrasted().pixels == [0, 125, 255])
    // 255 / 50 is a little less than 5.1 in 64 bits.
    #expect(image(3, 1, 1, [50, 75, 100]).autocontrasted().pixels == [0, 127, 254])
    #expect(image(2, 1, 1, [50, 50]).autocontrasted().pixels == [50, 50])
    // 510 samples of 3 and 255 of 200: the step is 2, so that 3 becomes 1/2, and 200 (1 + 510)/2.
    let skewed = image(765, 1, 1, [UInt8](repeating: 3, count: 510) + [UInt8](repeating: 200, count: 255))
    #expect(
      skewed.equalized().pixels == [UInt8](repeating: 0, count: 510) + [UInt8](repeating: 255, count: 255))
  }

  @Test("move images: black comes in, and whole turns change nothing")
  func moves() {
    let grey = image(3, 2, 1, [1, 2, 3, 4, 5, 6])
    #expect(grey.transformed(by: .translation(x: 1, y: 0)).pixels == [0, 1, 2, 0, 4, 5])
    #expect(grey.transformed(by: .translation(x: -2, y: 1)).pixels == [0, 0, 0, 3, 0, 0])
    #expect(grey.transformed(by: .shear(x: 1)).pixels == [2, 3, 0, 6, 0, 0])
    #expect(grey.transformed(by: .rotation(degrees: 180, size: grey.size)).pixels == [6, 5, 4, 3, 2, 1])
    for turn in [-360.0, 0, 360] {
      #expect(grey.transformed(by: .rotation(degrees: turn, size: grey.size)) == grey)
    }
    let square = image(2, 2, 1, [1, 2, 3, 4])
    #expect(square.transformed(by: .rotation(degrees: 90, size: square.size)).pixels == [2, 4, 1, 3])
  }

  @Test("draw jitter factors that fill their ranges evenly, in all orders equally often")
  func jitterStatistics() {
    let jitter = ColorJitter(brightness: 0.4, contrast: 2, saturation: 1, hue: 0.25)
    var factors = [[Double]](repeating: [], count: 4)
    var orders: [[Int]: Int] = [:]
    var generator = SeededGenerator(seed: 11)
    let draws = 24_000
    for _ in 0..<draws {
      let adjustments = jitter.draw(from: &generator)
      orders[adjustments.map(\.index), default: 0] += 1
      for adjustment in adjustments { factors[adjustment.index].append(adjustment.factor) }
    }
    #expect(orders.count == 24)
    // A thousand each, give or take five standard deviations.
    for (_, count) in orders { #expect((840...1160).contains(count)) }
    for (values, range) in zip(factors, [0.6...1.4, 0...3, 0...2, -0.25...0.25]) {
      #expect(values.count == draws)
      let width = range.upperBound - range.lowerBound
      for part in 0..<10 {
        let low = range.lowerBound + width * Double(part) / 10
        let count = values.count { $0 >= low && $0 < low + width / 10 }
        #expect((2160...2640).contains(count), "\(count) of \(draws) in tenth \(part) of \(range)")
      }
      #expect(values.allSatisfy { range.contains($0) })
    }
  }

  @Test("leave alone what has no strength, and draw the others as if it had one")
  func zeroStrength() throws {
    let image = try #require(TransformReferences.image("large3"))
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<20 {
      #expect(ColorJitter().apply(to: image, &generator) == image)
      #expect(RandAugment(operations: 0, magnitude: 30).apply(to: image, &generator) == image)
      #expect(LightingNoise(std: 0).shift(channels: 3, &generator) == [0, 0, 0])
      #expect(LightingNoise(std: 0).shift(channels: 1, &generator) == [0])
    }
    for seed in 0..<20 as Range<UInt64> {
      var (first, second) = (SeededGenerator(seed: seed), SeededGenerator(seed: seed))
      let all = ColorJitter(brightness: 0.1, contrast: 0.2, saturation: 0.3, hue: 0.4).draw(from: &first)
      let some = ColorJitter(contrast: 0.2, hue: 0.4).draw(from: &second)
      #expect(some == all.filter { $0.index == 1 || $0.index == 3 })
      #expect(first.next() == second.next())
    }
  }

  @Test("shift colours along ImageNet's components, with the variances of the components")
  func lightingStatistics() {
    var generator = SeededGenerator(seed: 5)
    let draws = 20_000
    let shifts = (0..<draws).map { _ in LightingNoise(std: 0.1).shift(channels: 3, &generator).map(Double.init) }
    func mean(_ value: ([Double]) -> Double) -> Double { shifts.reduce(0) { $0 + value($1) } / Double(draws) }
    // Back along each eigenvector, which gives 0.1 times the eigenvalue as the standard deviation.
    for (component, variance) in [
      ([-0.5675, -0.5808, -0.5836], 0.2175), ([0.7192, -0.0045, -0.6948], 0.0188), ([0.4009, -0.8140, 0.4203], 0.0045),
    ] {
      let along = { (shift: [Double]) in zip(shift, component).reduce(0) { $0 + $1.0 * $1.1 } }
      #expect(abs(mean(along)) < 5 * 0.1 * variance / Double(draws).squareRoot())
      let deviation = mean { along($0) * along($0) }.squareRoot()
      #expect(abs(deviation / (0.1 * variance) - 1) < 0.03)
    }
    var (colour, grey) = (SeededGenerator(seed: 6), SeededGenerator(seed: 6))
    for _ in 0..<10 {
      let three = LightingNoise().shift(channels: 3, &colour)
      let one = LightingNoise().shift(channels: 1, &grey)
      #expect(one.count == 1 && abs(one[0] - three.reduce(0, +) / 3) < 1e-6)
    }
  }

  @Test("draw normal numbers whose moments and tails are right")
  func normalNumbers() {
    var generator = SeededGenerator(seed: 3)
    let numbers = (0..<100_000).map { _ in generator.nextNormal() }
    func moment(_ power: Double) -> Double { numbers.reduce(0) { $0 + pow($1, power) } / 100_000 }
    #expect(abs(moment(1)) < 0.016)
    #expect(abs(moment(2) - 1) < 0.023)
    #expect(abs(moment(3)) < 0.062)
    #expect(abs(moment(4) - 3) < 0.16)
    // 0.27 % are beyond three.
    #expect((190...350).contains(numbers.count { abs($0) > 3 }))
  }

  @Test("depend on the generator only, and come in a fixed order")
  func orderOfDraws() throws {
    let image = try #require(TransformReferences.image("large3"))
    let transforms = ColorTransforms(
      colorJitter: ColorJitter(brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1),
      randAugment: RandAugment(), lighting: LightingNoise())
    var results = Set<[UInt8]>()
    for sample in 0..<20 {
      var generators = (0..<3).map { _ in SeededGenerator(seed: 1, .augmentation, at: 2, sample) }
      let first = transforms.apply(to: image, &generators[0])
      let second = transforms.apply(to: image, &generators[1])
      #expect(first.0 == second.0 && first.shift == second.shift)
      let augmented = RandAugment().apply(to: image, &generators[2])
      let jittered = try #require(transforms.colorJitter).apply(to: augmented, &generators[2])
      #expect(first.0 == jittered)
      #expect(first.shift == LightingNoise().shift(channels: 3, &generators[2]))
      #expect(Set(generators.indices.map { generators[$0].next() }).count == 1)
      results.insert(first.0.pixels)
    }
    #expect(results.count == 20)
  }

  @Test("without any leave the image and the generator alone")
  func nothing() throws {
    let image = try #require(TransformReferences.image("noise3"))
    var (used, fresh) = (SeededGenerator(seed: 1), SeededGenerator(seed: 1))
    let (same, shift) = ColorTransforms().apply(to: image, &used)
    #expect(same == image && shift.isEmpty && ColorTransforms().isEmpty)
    #expect(used.next() == fresh.next())
    #expect(!ColorTransforms(lighting: LightingNoise()).isEmpty)
  }
}

extension ColorAdjustment {
  fileprivate var index: Int {
    switch self {
    case .brightness: 0
    case .contrast: 1
    case .saturation: 2
    case .hue: 3
    }
  }

  fileprivate var factor: Double {
    switch self {
    case .brightness(let factor), .contrast(let factor), .saturation(let factor), .hue(let factor): factor
    }
  }
}
