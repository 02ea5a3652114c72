import ImageFiles

extension Packing {
  /// Describes a packing whose images are shrunk by LibTorch.
  public init(encoding: Encoding = .source, largestSide: Int? = nil, quality: Int = 90) {
    self.init(encoding: encoding, largestSide: largestSide, quality: quality) { try $0.resized(to: $1) }
  }
}
