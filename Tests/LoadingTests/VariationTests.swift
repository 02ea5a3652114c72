import Support
import Testing
import Torch

@testable import ImageFiles
@testable import Loading

@Suite("Batches with varied colours")
struct VariationTests {
  private static let color = ColorTransforms(
    colorJitter: ColorJitter(brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1),
    randAugment: RandAugment(operations: 2, magnitude: 9), lighting: LightingNoise(std: 0.1))

  private func pictures() -> InMemoryImages {
    InMemoryImages(
      name: "pictures", size: ImageSize(width: 12, height: 12), channels: 3, classNames: ["a", "b"],
      labels: (0..<20).map { $0 % 2 },
      pixels: (0..<20).flatMap { gradient(width: 12, height: 12, phase: $0).pixels })
  }

  private func images(
    _ color: ColorTransforms, _ augmentation: Augmentation, threads: Int = 1, from start: Int = 0, epoch: Int = 1,
    onDevice: Bool? = nil, channelsLast: Bool = true
  ) throws -> [[Float]] {
    let stream = try BatchLoader(
      source: pictures(), batchSize: 6, resolution: 9, normalization: .imageNet, augmentation: augmentation,
      color: color, mixing: Mixing(mixup: 0.2, cutmix: 1), seed: 2, shuffles: true, channelsLast: channelsLast,
      threads: threads, normalizesOnDevice: onDevice
    ).epoch(epoch, startingAt: start)
    var all: [[Float]] = []
    while let batch = try stream.next() { all.append(try batch.images.array()) }
    return all
  }

  private static let augmentations: [Augmentation] = [
    .padCropFlip(padding: 2, flip: true), .randomResizedCrop(minimumScale: 0.3, flip: true),
  ]

  @Test("are the same for any number of threads, and when an epoch is begun in its middle", arguments: augmentations)
  func deterministic(augmentation: Augmentation) throws {
    let whole = try images(Self.color, augmentation)
    #expect(whole.count == 4)
    #expect(try images(Self.color, augmentation, threads: 3) == whole)
    #expect(try images(Self.color, augmentation, from: 2) == Array(whole[2...]))
    #expect(try images(Self.color, augmentation, epoch: 2) != whole)
    #expect(try images(ColorTransforms(), augmentation) != whole)
  }

  @Test("are normalized to the same bits on the device as on the host", arguments: augmentations)
  func deviceNormalization(augmentation: Augmentation) throws {
    for color in [ColorTransforms(), Self.color, ColorTransforms(lighting: LightingNoise(std: 0.3))] {
      let host = try images(color, augmentation)
      #expect(try images(color, augmentation, onDevice: true) == host)
      #expect(try images(color, augmentation, onDevice: true, channelsLast: false) == host)
    }
  }

  @Test("are moved and mirrored before their colours are varied, as in torchvision's order")
  func order() throws {
    // Equalizing counts the black margin, so it tells the orders apart.
    let reader = SampleReader(
      source: pictures(), preparation: ImagePreparation(resolution: 12, channels: 3, source: pictures()),
      augmentation: .padCropFlip(padding: 4, flip: true),
      color: ColorTransforms(randAugment: RandAugment(operations: 3, magnitude: 9)), seed: 7)
    let sample = try reader.sample(3, epoch: 0)
    let colored = reader.colored(sample, index: 3, epoch: 0)
    #expect(colored.geometry == .plain && colored.shift.isEmpty)
    var moved = [UInt8](repeating: 0, count: 12 * 12 * 3)
    let writer = SampleWriter(resolution: 12, channels: 3, channelsLast: true)
    let same = [UInt8](0...255) + [UInt8](0...255) + [UInt8](0...255)
    sample.pixels.pixels.withUnsafeBufferPointer { pixels in
      moved.withUnsafeMutableBufferPointer { writer.write(pixels, sample.geometry, same, to: $0) }
    }
    var generator = SeededGenerator(seed: 7, .color, at: 0, 3)
    let expected = reader.color.apply(to: PixelImage(width: 12, height: 12, channels: 3, pixels: moved), &generator)
    #expect(colored.pixels == expected.0)
  }
}
