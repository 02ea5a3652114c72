import Foundation
import Testing

@testable import ImageFiles
@testable import Loading

@Suite("Sampling")
struct SamplingTests {
  /// Classes of 100, 33 and 1 images.
  private var uneven: InMemoryImages {
    let labels = (0..<134).map { $0 == 77 ? 2 : ($0 % 4 == 0 && $0 < 132 ? 1 : 0) }
    return InMemoryImages(
      name: "uneven", size: ImageSize(width: 1, height: 1), channels: 1, classNames: ["a", "b", "c"], labels: labels,
      pixels: [UInt8](repeating: 0, count: 134))
  }

  @Test("keeps max(1, round(f · n)) of every class", arguments: [0, 0.05, 0.1, 0.2, 0.5, 0.999, 1])
  func counts(fraction: Double) {
    let source = uneven
    let chosen = source.classBalancedIndices(fraction: fraction, seed: 5)
    for (label, size) in [100, 33, 1].enumerated() {
      let expected = max(1, Int((fraction * Double(size)).rounded()))
      #expect(chosen.count { source.label(at: $0) == label } == expected)
    }
    #expect(chosen == chosen.sorted() && Set(chosen).count == chosen.count)
  }

  @Test("nests smaller samples in larger ones of the same seed, and differs between seeds")
  func nests() {
    let source = uneven
    let samples = [0.05, 0.1, 0.2, 0.4, 0.8, 1].map { Set(source.classBalancedIndices(fraction: $0, seed: 9)) }
    for (small, large) in zip(samples, samples.dropFirst()) { #expect(small.isSubset(of: large)) }
    #expect(samples.last?.count == 134)
    #expect(Set(source.classBalancedIndices(fraction: 0.4, seed: 10)) != samples[3])
  }

  @Test("leaves out a class that has no image")
  func emptyClass() {
    let source = InMemoryImages(
      name: "gap", size: ImageSize(width: 1, height: 1), channels: 1, classNames: ["a", "b", "c"],
      labels: [0, 2, 0, 2],
      pixels: [0, 0, 0, 0])
    #expect(source.classBalancedIndices(fraction: 0.5, seed: 1).count == 2)
  }

  @Test("visits every sample once an epoch, in an order of its own")
  func orders() {
    let order = EpochOrder(indices: Array(10..<60), seed: 3)
    #expect(order.order(ofEpoch: 0).sorted() == Array(10..<60))
    #expect(order.order(ofEpoch: 0) == EpochOrder(indices: Array(10..<60), seed: 3).order(ofEpoch: 0))
    #expect(order.order(ofEpoch: 0) != order.order(ofEpoch: 1))
    #expect(order.order(ofEpoch: 0) != EpochOrder(indices: Array(10..<60), seed: 4).order(ofEpoch: 0))
    // Fixed so that runs resumed by a later version keep their order; computed by a second implementation, in Python.
    #expect(EpochOrder(indices: Array(0..<8), seed: 1).order(ofEpoch: 2) == [5, 7, 6, 3, 2, 4, 1, 0])
  }

  @Test("codes augmentations as words and keys")
  func codesAugmentation() throws {
    let cases: [(Augmentation, String)] = [
      (.none, #""none""#),
      (.padCropFlip(padding: 4, flip: true), #"{"padCropFlip":{"flip":true,"padding":4}}"#),
      (
        .randomResizedCrop(minimumScale: 0.25, flip: false),
        #"{"randomResizedCrop":{"flip":false,"minimumScale":0.25}}"#
      ),
    ]
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    for (augmentation, text) in cases {
      #expect(String(decoding: try encoder.encode(augmentation), as: UTF8.self) == text)
      #expect(try JSONDecoder().decode(Augmentation.self, from: Data(text.utf8)) == augmentation)
    }
    func read(_ text: String) throws -> Augmentation {
      try JSONDecoder().decode(Augmentation.self, from: Data(text.utf8))
    }
    #expect(try read(#""padCropFlip""#) == .padCropFlip(padding: 4, flip: true))
    #expect(try read(#"{"randomResizedCrop":{}}"#) == .randomResizedCrop(minimumScale: 0.08, flip: true))
    for wrong in [
      #""mixup""#, "{}", "3", #"{"padCropFlip":{"padding":-1}}"#, #"{"randomResizedCrop":{"minimumScale":0}}"#,
      #"{"padCropFlip":{},"randomResizedCrop":{}}"#,
    ] {
      #expect(throws: DecodingError.self) { try read(wrong) }
    }
  }

  @Test("draws every offset and crops that lie within the image")
  func draws() {
    let size = ImageSize(width: 30, height: 50)
    var offsets = Set<Int>()
    var flips = 0
    for sample in 0..<500 {
      let moved = Augmentation.padCropFlip(padding: 2, flip: true).geometry(
        seed: 1, epoch: 0, sample: sample, size: size)
      offsets.insert(moved.offset.x * 10 + moved.offset.y)
      flips += moved.isFlipped ? 1 : 0
      let cut = Augmentation.randomResizedCrop(minimumScale: 0.08, flip: false)
        .geometry(seed: 1, epoch: 0, sample: sample, size: size)
      let crop = cut.crop ?? PixelRectangle(left: -1, top: 0, width: 0, height: 0)
      #expect(crop.left >= 0 && crop.top >= 0 && crop.width > 0 && crop.height > 0)
      #expect(crop.left + crop.width <= 30 && crop.top + crop.height <= 50 && !cut.isFlipped)
      #expect(crop.width * crop.height >= Int(0.08 * 1500 * 0.8))
    }
    #expect(offsets.count == 25)
    #expect((200...300).contains(flips))
    // Too long for any crop of the wanted aspect: the middle.
    let strip = Augmentation.randomResizedCrop(minimumScale: 1, flip: false)
      .geometry(seed: 1, epoch: 0, sample: 0, size: ImageSize(width: 100, height: 10))
    #expect(strip.crop == PixelRectangle(left: 43, top: 0, width: 13, height: 10))
  }

  @Test("reads and checks normalizations, and converts their channels")
  func normalizations() throws {
    #expect(Normalization.grey.converted(toChannels: 3) == Normalization(mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]))
    #expect(Normalization.grey.table()[255] == 1 && Normalization.grey.table()[0] == -1)
    let coded = try JSONDecoder().decode(Normalization.self, from: JSONEncoder().encode(Normalization.cifar10))
    #expect(coded == .cifar10)
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(Normalization.self, from: Data(#"{"mean":[0],"std":[0]}"#.utf8))
    }
  }
}
