import ImageFiles
import Support
import Torch

extension Mixing {
  /// What is done to one batch: drawn from the seed, the epoch and the batch's number alone.
  enum Draw: Equatable {
    case none
    /// Blend with this part of the own image.
    case mixup(Double)
    /// Replace this rectangle.
    case cutmix(PixelRectangle)
  }

  /// Draws for batch `number`; images are squares of `side` pixels.
  func draw(seed: UInt64, epoch: Int, batch number: Int, side: Int) throws -> Draw {
    guard mixup > 0 || cutmix > 0 else { return .none }
    var random = SeededGenerator(seed: seed, .mixing, at: epoch, number)
    let cuts = cutmix > 0 && (mixup == 0 || random.nextInt(below: 2) == 1)
    let alpha = cuts ? cutmix : mixup
    let weight = try Generator(seed: random.next()).nextBeta(alpha, alpha)
    guard cuts else { return .mixup(weight) }
    let (x, y) = (random.nextInt(below: side), random.nextInt(below: side))
    let half = Int((0.5 * (1 - weight).squareRoot() * Double(side)))
    let (left, right) = (max(0, x - half), min(side, x + half))
    let (top, bottom) = (max(0, y - half), min(side, y + half))
    return .cutmix(PixelRectangle(left: left, top: top, width: right - left, height: bottom - top))
  }
}

extension Batch {
  /// The batch with its images mixed; each sample's partner is the one before it, the last one's is the first.
  ///
  /// The images are changed in place.
  func mixed(_ draw: Mixing.Draw) throws -> Batch {
    guard draw != .none, count > 1 else { return self }
    func rolled(_ tensor: Tensor) throws -> Tensor {
      try Tensor.concatenate([tensor.slice(0, count - 1..<count), tensor.slice(0, 0..<count - 1)])
    }
    let partners = try rolled(images)
    let weight: Double
    switch draw {
    case .none: return self
    case .mixup(let own):
      weight = own
      try images.multiply(inPlace: own)
      try images.add(inPlace: partners, times: 1 - own)
    case .cutmix(let part):
      let side = images.shape[3]
      weight = 1 - Double(part.width * part.height) / Double(side * side)
      if part.width > 0, part.height > 0 {
        func cut(_ tensor: Tensor) throws -> Tensor {
          try tensor.slice(2, part.top..<part.top + part.height).slice(3, part.left..<part.left + part.width)
        }
        try cut(images).copy(from: cut(partners))
      }
    }
    return Batch(
      images: images, labels: labels, indices: indices, mix: Mix(labels: try rolled(labels), weight: weight),
      skipped: skipped)
  }

  /// The batch without its first sample, which was there to be mixed into the second.
  func withoutFirst() throws -> Batch {
    func rest(_ tensor: Tensor) throws -> Tensor { try tensor.slice(0, 1..<count) }
    return Batch(
      images: try rest(images), labels: try rest(labels), indices: Array(indices.dropFirst()),
      mix: try mix.map { Mix(labels: try rest($0.labels), weight: $0.weight) }, skipped: skipped)
  }

  /// The batch as a part of a larger one.
  func placed(_ place: BatchPlace?) -> Batch {
    guard let place else { return self }
    return Batch(images: images, labels: labels, indices: indices, mix: mix, skipped: skipped, place: place)
  }
}
