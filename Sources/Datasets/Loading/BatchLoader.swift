import Support
import Torch

/// Makes batches out of the images of a source, on threads of its own.
///
/// What a batch holds depends on the arguments, the epoch and the batch's number alone: not on the number of threads, nor
/// on where in an epoch a stream began. Small images of one size are decoded and resized once, when the loader is made,
/// and kept as bytes; other images are decoded for every epoch.
public final class BatchLoader: Sendable {
  /// Where the images come from.
  public let source: any ImageSource
  /// The indices of the samples of an epoch, in the order of the source.
  public let indices: [Int]
  /// The number of samples in a batch.
  public let batchSize: Int
  /// The side of the square images.
  public let resolution: Int
  /// The channels of the images: 1 or 3.
  public let channels: Int
  /// How training images are varied.
  public let augmentation: Augmentation
  /// The number of batches in an epoch.
  public let batchesPerEpoch: Int

  /// The number of samples that an epoch's batches hold.
  public let imagesPerEpoch: Int

  private let seed: UInt64
  private let shuffles: Bool
  private let device: Device
  private let channelsLast: Bool
  private let threads: Int
  private let preparation: ImagePreparation
  private let prepared: PreparedImages?
  private let writer: SampleWriter

  /// Creates a loader; for small images this decodes and resizes all of them.
  ///
  /// - Parameters:
  ///   - source: where the images come from.
  ///   - indices: the samples to use; nil for all.
  ///   - batchSize: samples in a batch.
  ///   - resolution: the side of the square images.
  ///   - channels: 1 or 3, nil for those of the source; images are converted.
  ///   - normalization: turns samples into the numbers that a network sees; converted to `channels` when needed.
  ///   - augmentation: how images are varied.
  ///   - seed: chooses orders and variations.
  ///   - shuffles: whether every epoch has an order of its own.
  ///   - dropsLast: whether the last batch is left out when it is not full.
  ///   - device: where the tensors of the batches live.
  ///   - channelsLast: whether the images lie as `[N, H, W, C]` in memory, which convolutions on the CPU prefer.
  ///   - threads: how many threads make batches.
  /// - Throws: ``Support/UsageFailure`` for arguments that cannot work, ``Support/FileFailure`` for a damaged image.
  public init(
    source: any ImageSource, indices: [Int]? = nil, batchSize: Int, resolution: Int, channels: Int? = nil,
    normalization: Normalization, augmentation: Augmentation = .none, seed: UInt64 = 0, shuffles: Bool = false,
    dropsLast: Bool = false, device: Device = .cpu, channelsLast: Bool = true, threads: Int = 1
  ) throws {
    let indices = indices ?? Array(source.indices)
    let channels = channels ?? source.channels
    guard batchSize > 0 else { throw UsageFailure("the batch size is \(batchSize); it must be at least 1") }
    guard (1...ImageLimits.side).contains(resolution) else {
      throw UsageFailure("the resolution is \(resolution); it lies in 1...\(ImageLimits.side)")
    }
    guard channels == 1 || channels == 3 else {
      throw UsageFailure("images have 1 or 3 channels, not \(channels)")
    }
    try augmentation.validate()
    precondition(indices.allSatisfy(source.indices.contains), "an index is not in \(source.name)")
    batchesPerEpoch = dropsLast ? indices.count / batchSize : (indices.count + batchSize - 1) / batchSize
    guard indices.isEmpty || batchesPerEpoch > 0 else {
      throw UsageFailure(
        "\(source.name): a batch of \(batchSize) is never full with \(indices.count) samples; "
          + "choose a smaller batch size or more samples")
    }
    imagesPerEpoch = dropsLast ? indices.count / batchSize * batchSize : indices.count
    self.source = source
    self.indices = indices
    self.batchSize = batchSize
    self.resolution = resolution
    self.channels = channels
    self.augmentation = augmentation
    self.seed = seed
    self.shuffles = shuffles
    self.device = device
    self.channelsLast = channelsLast
    self.threads = max(1, threads)
    writer = SampleWriter(
      resolution: resolution, normalization: normalization.converted(toChannels: channels), channelsLast: channelsLast)
    preparation = ImagePreparation(resolution: resolution, channels: channels, source: source)
    let fitsInMemory = indices.count <= PreparedImages.largestSize / (resolution * resolution * channels)
    prepared =
      source.uniformSize != nil && augmentation.keepsWholeImages && fitsInMemory
      ? try PreparedImages(source, indices: indices, preparation: preparation, threads: self.threads) : nil
  }

  /// The batches of epoch `epoch`, from batch number `batch` on.
  ///
  /// - Parameters:
  ///   - epoch: counts from 0; chooses the order and the variations.
  ///   - batch: where to begin, to go on in the middle of an epoch.
  public func epoch(_ epoch: Int, startingAt batch: Int = 0) -> BatchStream {
    precondition((0...batchesPerEpoch).contains(batch), "an epoch has \(batchesPerEpoch) batches, none is \(batch)")
    // Places in `indices`, so that the prepared bytes are found without a search.
    let places = Array(indices.indices)
    let order = shuffles ? EpochOrder(indices: places, seed: seed).order(ofEpoch: epoch) : places
    let prefetch = OrderedPrefetch(batch..<batchesPerEpoch, threads: threads, depth: max(3, threads + 1)) { number in
      let start = number * self.batchSize
      return try self.batch(Array(order[start..<min(order.count, start + self.batchSize)]), epoch: epoch)
    }
    return BatchStream(prefetch)
  }

  private func batch(_ places: [Int], epoch: Int) throws -> Batch {
    let elements = try [Float](unsafeUninitializedCapacity: places.count * writer.length) { buffer, initialized in
      for (position, place) in places.enumerated() {
        let start = position * writer.length
        let output = UnsafeMutableBufferPointer(rebasing: buffer[start..<start + writer.length])
        try write(place, epoch: epoch, to: output)
      }
      initialized = places.count * writer.length
    }
    let shape = [places.count, channels, resolution, resolution]
    let images = try elements.withUnsafeBytes {
      channelsLast
        ? try Tensor(channelsLastBytes: $0, shape: shape, scalarType: .float32)
        : try Tensor(bytes: $0, shape: shape, scalarType: .float32)
    }
    let labels = try Tensor(places.map { Int64(source.label(at: indices[$0])) })
    return Batch(
      images: device == .cpu ? images : try images.to(device),
      labels: device == .cpu ? labels : try labels.to(device), indices: places.map { indices[$0] })
  }

  // One sample: from the prepared bytes, or decoded now.
  private func write(_ place: Int, epoch: Int, to output: UnsafeMutableBufferPointer<Float>) throws {
    let index = indices[place]
    func geometry(_ size: ImageSize) -> SampleGeometry {
      augmentation.geometry(seed: seed, epoch: epoch, sample: index, size: size)
    }
    if let prepared {
      let start = place * prepared.length
      let whole = ImageSize(width: resolution, height: resolution)
      prepared.pixels.withUnsafeBufferPointer {
        writer.write(UnsafeBufferPointer(rebasing: $0[start..<start + prepared.length]), geometry(whole), to: output)
      }
      return
    }
    var drawn = SampleGeometry.plain
    let image: PixelImage
    if augmentation.keepsWholeImages {
      drawn = geometry(ImageSize(width: resolution, height: resolution))
      image = try preparation.plain(index, of: source)
    } else {
      image = try preparation.cropped(index, of: source) { size in
        drawn = geometry(size)
        return drawn.crop ?? PixelRectangle(left: 0, top: 0, width: size.width, height: size.height)
      }
    }
    image.pixels.withUnsafeBufferPointer { writer.write($0, drawn, to: output) }
  }
}

extension Augmentation {
  /// Whether images are resized as a whole, the same in every epoch.
  fileprivate var keepsWholeImages: Bool {
    if case .randomResizedCrop = self { false } else { true }
  }
}
