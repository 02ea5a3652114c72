import Foundation

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
  private let limits: ImageLimits

  init(
    name: String, classNames: [String], shards: [ArchiveShard], samples: [Sample], limits: ImageLimits,
    uniformSize: ImageSize?? = nil
  ) {
    self.name = name
    self.classNames = classNames
    self.shards = shards
    self.samples = samples
    self.limits = limits
    self.uniformSize =
      uniformSize
      ?? ImageFolder.commonSize(
        of: ImageFolder.probes(samples.count).map { index in
          {
            let sample = samples[index]
            let shard = shards[sample.shard]
            return try shard.withBytes(of: sample.member) {
              try PixelImage.declaredSize(bytes: $0, path: shard.name(of: sample.member), limits: limits)
            }
          }
        })
  }

  /// The number of images.
  public var count: Int { samples.count }

  /// 3: grey images are repeated, as torchvision does.
  public var channels: Int { 3 }

  /// The class of image `index`.
  public func label(at index: Int) -> Int { samples[index].label }

  /// The archive and the member of image `index`.
  public func place(at index: Int) -> String { shards[samples[index].shard].name(of: samples[index].member) }

  /// The member's name.
  public func relativeName(at index: Int) -> String { shards[samples[index].shard].members[samples[index].member].name }

  /// The member's size.
  public func byteCount(at index: Int) -> Int? { shards[samples[index].shard].members[samples[index].member].size }

  /// A part of image `index`, in colour; JPEG at 1/2, 1/4 or 1/8 of its size where that is enough.
  public func image(at index: Int, as request: (ImageSize) -> ImageRequest) throws -> PixelImage {
    let sample = samples[index]
    return try shards[sample.shard].withBytes(of: sample.member) {
      try PixelImage.decode(bytes: $0, path: place(at: index), channels: channels, limits: limits, as: request)
    }
  }

  /// Reads image `index`'s member whole, to find out what is wrong with it.
  public func damage(at index: Int) throws -> String? {
    try shards[samples[index].shard].withBytes(of: samples[index].member) {
      try PixelImage.damage(bytes: $0, path: place(at: index), limits: limits)
    }
  }

  /// The content of image `index`'s member.
  public func file(at index: Int) throws -> [UInt8]? {
    try shards[samples[index].shard].bytes(of: samples[index].member)
  }

  /// The images at `indices` as a source of their own.
  func subset(_ indices: [Int], name: String) -> ArchiveImages {
    ArchiveImages(
      name: name, classNames: classNames, shards: shards, samples: indices.map { samples[$0] },
      limits: limits, uniformSize: .some(uniformSize))
  }
}
