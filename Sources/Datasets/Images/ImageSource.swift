/// A list of labelled images.
///
/// Labels are known without decoding anything, so that sampling and ordering are instant. A source is shared by the
/// threads of a loader: reading image `i` must not depend on what was read before.
public protocol ImageSource: Sendable {
  /// What the source is called in messages, for example `cifar10 training`.
  var name: String { get }
  /// The number of images.
  var count: Int { get }
  /// The channels of every image that the source returns: 1 or 3.
  var channels: Int { get }
  /// The names of the classes; a label is an index into them.
  var classNames: [String] { get }
  /// The size of the images where all are small and have one size; then a loader keeps them in memory, decoded.
  var uniformSize: ImageSize? { get }

  /// The class of image `index`.
  func label(at index: Int) -> Int

  /// Image `index`, decoded.
  ///
  /// - Throws: ``Support/FileFailure`` naming the file when it cannot be read or decoded.
  func image(at index: Int) throws -> PixelImage

  /// Image `index`, decoded at a fraction of its size where the codec can do so for less work.
  ///
  /// - Parameter reduction: gets the full size and returns the largest divisor (1 or more) that is of use. The image that
  ///   comes back may be reduced less than that, or not at all.
  func image(at index: Int, reducedBy reduction: (ImageSize) -> Int) throws -> PixelImage
}

extension ImageSource {
  /// Image `index` at its full size: what a source does whose codec cannot reduce.
  public func image(at index: Int, reducedBy reduction: (ImageSize) -> Int) throws -> PixelImage {
    let image = try image(at: index)
    _ = reduction(image.size)
    return image
  }
}
