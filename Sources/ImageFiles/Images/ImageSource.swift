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

  /// What messages call image `index`: its file, or its place in a file.
  func place(at index: Int) -> String

  /// A part of image `index`, decoded at a fraction of its size where the codec can do so for less work.
  ///
  /// - Parameter request: gets the full size and says what is wanted of the image, a part that lies within it. It is called
  ///   once. The image that comes back holds that part, reduced by the divisor asked for, by less, or not at all.
  /// - Throws: ``Support/FileFailure`` naming the file when it cannot be read or decoded.
  func image(at index: Int, as request: (ImageSize) -> ImageRequest) throws -> PixelImage

  /// Reads image `index` whole, to find out what is wrong with it.
  ///
  /// - Returns: What is damaged in an image that is read all the same; nil when nothing is.
  /// - Throws: ``Support/FileFailure`` naming the file when it cannot be read or decoded.
  func damage(at index: Int) throws -> String?

  /// The content of the JPEG or PNG file that image `index` is; nil where images are not stored as such.
  ///
  /// - Throws: ``Support/FileFailure`` naming the file when it cannot be read.
  func file(at index: Int) throws -> [UInt8]?

  /// A checksum of all images, where one is at hand; nil where names and sizes have to do.
  var contentChecksum: UInt64? { get }

  /// The name of image `index` within the source, wherever that lies; empty where images have none.
  func relativeName(at index: Int) -> String

  /// The bytes of the file that image `index` is, without reading it; nil where that is not known.
  func byteCount(at index: Int) -> Int?
}

extension ImageSource {
  /// Nothing, once the image has been read.
  public func damage(at index: Int) throws -> String? {
    _ = try image(at: index)
    return nil
  }

  /// None.
  public var contentChecksum: UInt64? { nil }

  /// No name.
  public func relativeName(at index: Int) -> String { "" }

  /// Not known.
  public func byteCount(at index: Int) -> Int? { nil }

  /// No file: the images are not stored as such.
  public func file(at index: Int) throws -> [UInt8]? { nil }

  /// Image `index`, whole and at its full size.
  public func image(at index: Int) throws -> PixelImage { try image(at: index) { .whole($0) } }
}
