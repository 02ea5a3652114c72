import ImageFiles
import Support
import Torch

/// Makes batches out of the images of a source, on threads of its own.
///
/// What a batch holds depends on the arguments, the epoch and the batch's number alone: not on the number of threads, nor
/// on where in an epoch a stream began. Small images of one size are decoded and resized once, when they are first needed, and
/// kept as bytes (at most 1 GiB, else they are not kept); other images are decoded for every epoch.
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
  /// The part of every batch that is made here.
  public let share: BatchShare
  /// The number of batches in an epoch.
  public let batchesPerEpoch: Int

  /// The number of samples that an epoch's batches hold.
  public let imagesPerEpoch: Int

  private let seed: UInt64
  private let shuffles: Bool
  private let device: Device
  private let channelsLast: Bool
  private let threads: Int
  private let mixing: Mixing
  private let onBadImage: BadImagePolicy
  private let normalization: Normalization
  private let table: [Float]
  private let reader: SampleReader
  private let decoded: DecodedImages?
  private let writer: SampleWriter
  private let normalizesOnDevice: Bool

  /// Creates a loader. Nothing is decoded yet.
  ///
  /// - Parameters:
  ///   - source: where the images come from.
  ///   - indices: the samples to use; nil for all.
  ///   - batchSize: samples in a batch.
  ///   - resolution: the side of the square images.
  ///   - channels: 1 or 3, nil for those of the source; images are converted.
  ///   - normalization: turns samples into the numbers that a network sees; converted to `channels` when needed.
  ///   - augmentation: how images are cut out and mirrored.
  ///   - color: how their colours are varied.
  ///   - mixing: how the images of a batch are mixed.
  ///   - seed: chooses orders and variations.
  ///   - shuffles: whether every epoch has an order of its own.
  ///   - dropsLast: whether the last batch is left out when it is not full.
  ///   - onBadImage: whether an image that cannot be used ends the work.
  ///   - device: where the tensors of the batches live.
  ///   - channelsLast: whether the images lie as `[N, H, W, C]` in memory, which convolutions on the CPU prefer.
  ///   - threads: how many threads make batches.
  ///   - share: the part of every batch that is made here.
  ///   - normalizesOnDevice: whether bytes are sent to the device and become numbers there; nil where there is one.
  /// - Throws: ``Support/UsageFailure`` for arguments that cannot work.
  public init(
    source: any ImageSource, indices: [Int]? = nil, batchSize: Int, resolution: Int, channels: Int? = nil,
    normalization: Normalization, augmentation: Augmentation = .none, color: ColorTransforms = .init(),
    mixing: Mixing = .init(), seed: UInt64 = 0, shuffles: Bool = false, dropsLast: Bool = false,
    onBadImage: BadImagePolicy = .fail, device: Device = .cpu, channelsLast: Bool = true, threads: Int = 1,
    share: BatchShare = .whole, normalizesOnDevice: Bool? = nil
  ) throws {
    let indices = indices ?? Array(source.indices)
    let channels = channels ?? source.channels
    guard batchSize > 0 else { throw UsageFailure("the batch size is \(batchSize); it must be at least 1") }
    guard !shuffles || batchSize >= share.size else {
      throw UsageFailure("a batch of \(batchSize) is shared by \(share.size) processes; make `batch-size` larger")
    }
    guard (1...ImageLimits.resolution).contains(resolution) else {
      throw UsageFailure("the resolution is \(resolution); it lies in 1...\(ImageLimits.resolution)")
    }
    guard channels == 1 || channels == 3 else {
      throw UsageFailure("images have 1 or 3 channels, not \(channels)")
    }
    try augmentation.validate()
    try color.validate()
    try mixing.validate()
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
    self.mixing = mixing
    self.seed = seed
    self.shuffles = shuffles
    self.onBadImage = onBadImage
    self.device = device
    self.channelsLast = channelsLast
    self.threads = max(1, threads)
    self.share = share
    self.normalization = normalization.converted(toChannels: channels)
    self.normalizesOnDevice = normalizesOnDevice ?? (device != .cpu)
    table = self.normalization.table()
    writer = SampleWriter(
      resolution: resolution, channels: channels, channelsLast: channelsLast || self.normalizesOnDevice)
    let preparation = ImagePreparation(resolution: resolution, channels: channels, source: source)
    reader = SampleReader(
      source: source, preparation: preparation, augmentation: augmentation, color: color, seed: seed)
    decoded =
      source.uniformSize != nil && augmentation.keepsWholeImages && DecodedImages.fits(indices.count, preparation)
      ? DecodedImages(source, indices: indices, preparation: preparation) : nil
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
      let end = min(order.count, start + self.batchSize)
      return BatchStream.Handover(batch: try self.batch(number, order, start..<end, epoch: epoch))
    }
    return BatchStream(prefetch)
  }

  // Samples that are ready, as the values of a batch: normalized, or bytes that the device normalizes.
  private struct Samples<Value> {
    var values: [Value] = []
    var places: [Int] = []
    var shifts: [[Float]] = []
    var skipped: [SkippedImage] = []
  }

  private func batch(_ number: Int, _ order: [Int], _ all: Range<Int>, epoch: Int) throws -> Batch {
    let draw = try mixing.draw(seed: seed, epoch: epoch, batch: number, side: resolution)
    let range = share.range(of: all.count)
    let place = share.size > 1 ? BatchPlace(first: range.lowerBound, whole: all.count) : nil
    var positions = Array(all[all.lowerBound + range.lowerBound..<all.lowerBound + range.upperBound])
    // A sample's partner may be another process's.
    let borrows = draw != .none && share.size > 1 && !positions.isEmpty
    if borrows { positions.insert(all.lowerBound + (range.lowerBound + all.count - 1) % all.count, at: 0) }
    let batch: Batch
    if normalizesOnDevice {
      let identity = (0..<channels).flatMap { _ in [UInt8](0...255) }
      let samples = try samples(positions, of: order, epoch: epoch) { _ in identity }
      let bytes = try tensor(samples.values, samples.places.count, .uint8, channelsLast: true)
      let normalized = try DeviceNormalization(normalization: normalization, device: device)
        .normalized(bytes, shifts: samples.shifts)
      batch = try self.batch(channelsLast ? normalized : normalized.contiguous(), samples)
    } else {
      let samples = try samples(positions, of: order, epoch: epoch) { shift in
        shift.isEmpty ? table : normalization.table(shift: shift)
      }
      let images = try tensor(samples.values, samples.places.count, .float32, channelsLast: channelsLast)
      batch = try self.batch(device == .cpu ? images : images.to(device), samples)
    }
    let mixed = try batch.mixed(draw)
    return try (borrows ? mixed.withoutFirst() : mixed).placed(place)
  }

  private func batch<Value>(_ images: Tensor, _ samples: Samples<Value>) throws -> Batch {
    let indices = samples.places.map { self.indices[$0] }
    return Batch(
      images: images, labels: try Tensor(indices.map { Int64(source.label(at: $0)) }, device: device),
      indices: indices, skipped: samples.skipped)
  }

  private func tensor<Value>(
    _ values: [Value], _ count: Int, _ type: ScalarType, channelsLast: Bool
  ) throws -> Tensor {
    let shape = [count, channels, resolution, resolution]
    guard count > 0 else { return try Tensor.empty(shape, type) }
    return try values.withUnsafeBytes {
      channelsLast
        ? try Tensor(channelsLastBytes: $0, shape: shape, scalarType: type)
        : try Tensor(bytes: $0, shape: shape, scalarType: type)
    }
  }

  // In training, images that cannot be used are replaced, so that batches keep their size; an evaluation does without.
  private func samples<Value>(
    _ positions: [Int], of order: [Int], epoch: Int, _ table: ([Float]) -> [Value]
  ) throws -> Samples<Value> {
    var samples = Samples<Value>()
    samples.places = [Int](repeating: 0, count: positions.count)
    samples.shifts = [[Float]](repeating: [], count: positions.count)
    let plain = table([])
    samples.values = try [Value](unsafeUninitializedCapacity: positions.count * writer.length) { buffer, initialized in
      var slot = 0
      func output() -> UnsafeMutableBufferPointer<Value> {
        let start = slot * writer.length
        return UnsafeMutableBufferPointer(rebasing: buffer[start..<start + writer.length])
      }
      func write(_ sample: SampleReader.Sample, _ place: Int) {
        let sample = reader.colored(sample, index: indices[place], epoch: epoch)
        sample.pixels.pixels.withUnsafeBufferPointer {
          writer.write($0, sample.geometry, sample.shift.isEmpty ? plain : table(sample.shift), to: output())
        }
        (samples.places[slot], samples.shifts[slot]) = (place, sample.shift)
      }
      // Writes the images of `places` into slots, and says of each whether it can be used.
      func read(_ places: [Int], _ isUsable: (Bool) -> Void) throws {
        if let decoded {
          try decoded.read(places) { place, result in
            switch result {
            case .failure(let failure):
              try skip(failure, &samples.skipped)
              return isUsable(false)
            case .success(let pixels) where reader.color.isEmpty:
              writer.write(pixels, reader.geometryOfWhole(indices[place], epoch: epoch), plain, to: output())
              samples.places[slot] = place
            case .success(let pixels):
              let image = PixelImage(width: resolution, height: resolution, channels: channels, pixels: Array(pixels))
              write(.init(pixels: image, geometry: reader.geometryOfWhole(indices[place], epoch: epoch)), place)
            }
            isUsable(true)
          }
        } else {
          for place in places {
            do {
              write(try reader.sample(indices[place], epoch: epoch), place)
              isUsable(true)
            } catch let failure as FileFailure {
              try skip(failure, &samples.skipped)
              isUsable(false)
            }
          }
        }
      }
      var holes: [Int] = []
      try read(positions.map { order[$0] }) { isUsable in
        if !isUsable, shuffles { holes.append(slot) }
        if isUsable || shuffles { slot += 1 }
      }
      let count = slot
      var unusable = Set(holes.map { positions[$0] })
      for hole in holes {
        slot = hole
        var isFilled = false
        for candidate in Replacements(of: positions[hole], in: order.count, batchSize: batchSize)
        where !isFilled && !unusable.contains(candidate) {
          try read([order[candidate]]) { isFilled = $0 }
          if !isFilled { unusable.insert(candidate) }
        }
        // An optimizer step needs images.
        if !isFilled, let first = samples.skipped.first {
          throw FileFailure(
            .badData, path: first.file, reason: "\(first.reason); and no other training image can be used")
        }
      }
      samples.places.removeLast(positions.count - count)
      samples.shifts.removeLast(positions.count - count)
      initialized = count * writer.length
    }
    if samples.shifts.allSatisfy(\.isEmpty) { samples.shifts = [] }
    return samples
  }

  private func skip(_ failure: FileFailure, _ skipped: inout [SkippedImage]) throws {
    // A disk that fails is not the fault of an image.
    guard onBadImage == .skip, failure.kind != .io else { throw failure }
    skipped.append(SkippedImage(failure))
  }
}
