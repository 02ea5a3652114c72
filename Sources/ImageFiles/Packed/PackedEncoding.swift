/// How a packed file stores its images.
public enum PackedEncoding: String, CaseIterable, Sendable {
  /// JPEG and PNG files as they are; other images raw.
  case source
  /// JPEG; files that are JPEG already stay as they are.
  case jpeg
  /// Decoded: no decoding in training, for more bytes.
  case raw
}
