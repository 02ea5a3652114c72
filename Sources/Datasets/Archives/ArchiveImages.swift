import Foundation
import Support

/// Images in tar archives: WebDataset's shards, or class folders.
public struct ArchiveImages: ImageSource {
  /// One image.
  struct Sample: Sendable {
    var shard: Int
    var member: Int
    var label: Int
  }

  /// What the images are called in messages.
  public let name: String
  /// The names of the classes.
  public let classNames: [String]
  /// The common size, where all images looked at have one size of at most 96 pixels a side.
  public let uniformSize: ImageSize?
  private let shards: [ArchiveShard]
  private let samples: [Sample]

  init(name: String, classNames: [String], shards: [ArchiveShard], samples: [Sample]) {
    self.name = name
    self.classNames = classNames
    self.shards = shards
    self.samples = samples
    uniformSize = ImageFolder.commonSize(
      of: ImageFolder.probes(samples.count).map { index in
        {
          let sample = samples[index]
          let shard = shards[sample.shard]
          return try PixelImage.declaredSize(
            bytes: shard.bytes(of: sample.member), path: shard.name(of: sample.member))
        }
      })
  }

  /// The number of images.
  public var count: Int { samples.count }

  /// 3: grey images are repeated, as torchvision does.
  public var channels: Int { 3 }

  /// The class of image `index`.
  public func label(at index: Int) -> Int { samples[index].label }

  /// Image `index`, in colour.
  public func image(at index: Int) throws -> PixelImage { try image(at: index) { _ in 1 } }

  /// Image `index`, in colour; JPEG at 1/2, 1/4 or 1/8 of its size where `reduction` allows.
  public func image(at index: Int, reducedBy reduction: (ImageSize) -> Int) throws -> PixelImage {
    let sample = samples[index]
    let shard = shards[sample.shard]
    return try PixelImage.decode(
      bytes: shard.bytes(of: sample.member), path: shard.name(of: sample.member), channels: channels,
      reducedBy: reduction)
  }

  /// The images at `indices` as a source of their own.
  func subset(_ indices: [Int], name: String) -> ArchiveImages {
    ArchiveImages(name: name, classNames: classNames, shards: shards, samples: indices.map { samples[$0] })
  }
}
