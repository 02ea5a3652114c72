/// The images of a source with its classes in another order.
struct RelabelledImages: ImageSource {
  private let source: any ImageSource
  let classNames: [String]
  private let labels: [Int]

  /// - Parameters:
  ///   - classNames: The source's, in another order.
  ///   - labels: For each class of the source its place in that order.
  init(_ source: any ImageSource, classNames: [String], labels: [Int]) {
    (self.source, self.classNames, self.labels) = (source, classNames, labels)
  }

  var name: String { source.name }
  var count: Int { source.count }
  var channels: Int { source.channels }
  var uniformSize: ImageSize? { source.uniformSize }
  var contentChecksum: UInt64? { source.contentChecksum }
  func label(at index: Int) -> Int { labels[source.label(at: index)] }
  func place(at index: Int) -> String { source.place(at: index) }
  func relativeName(at index: Int) -> String { source.relativeName(at: index) }
  func byteCount(at index: Int) -> Int? { source.byteCount(at: index) }
  func damage(at index: Int) throws -> String? { try source.damage(at: index) }
  func file(at index: Int) throws -> [UInt8]? { try source.file(at: index) }
  func image(at index: Int, as request: (ImageSize) -> ImageRequest) throws -> PixelImage {
    try source.image(at: index, as: request)
  }
}
