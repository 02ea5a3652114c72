import Support

extension InMemoryImages {
  /// Reads grey images and their labels from a pair of IDX files, raw or gzip-compressed.
  ///
  /// - Parameters:
  ///   - images: a file of three dimensions: images, rows, columns.
  ///   - labels: a file of one dimension.
  ///   - name: what the images are called in messages.
  ///   - classNames: the classes; nil for as many numbers as the labels need.
  /// - Throws: ``Support/FileFailure`` naming the file, the place and the reason.
  public init(idxImages images: String, labels: String, name: String, classNames: [String]? = nil) throws {
    let labelFile = try IDXFile(path: labels, dimensions: 1)
    let imageFile = try IDXFile(path: images, dimensions: 3)
    guard imageFile.shape[0] == labelFile.shape[0] else {
      throw FileFailure(
        .badData, path: images,
        reason: "holds \(imageFile.shape[0]) images, but \(labels) holds \(labelFile.shape[0]) labels")
    }
    let size = ImageSize(width: imageFile.shape[2], height: imageFile.shape[1])
    guard size.width <= ImageLimits.resolution, size.height <= ImageLimits.resolution else {
      throw FileFailure(
        .badData, path: images,
        reason: "declares images of \(size) pixels at byte 8; at most \(ImageLimits.resolution) a side are read")
    }
    let names = classNames ?? (0...Int(labelFile.bytes.max() ?? 0)).map(String.init)
    if let wrong = labelFile.bytes.firstIndex(where: { Int($0) >= names.count }) {
      throw FileFailure(
        .badData, path: labels,
        reason: "label \(labelFile.bytes[wrong]) at byte \(8 + wrong) is not one of the \(names.count) classes")
    }
    self.init(
      name: name, size: size, channels: 1, classNames: names, labels: labelFile.bytes.map(Int.init),
      pixels: imageFile.bytes)
  }
}
