import CCrypto
import Support

/// The SHA-256 of bytes that come piece by piece, computed by OpenSSL.
final class SHA256Digest {
  private let context: OpaquePointer

  /// Begins.
  ///
  /// - Throws: ``Support/FileFailure`` of kind `io` when OpenSSL offers no SHA-256 or has no memory.
  init() throws {
    guard let context = EVP_MD_CTX_new() else {
      throw FileFailure(.io, path: "SHA-256", reason: "OpenSSL has no memory for a checksum")
    }
    guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      EVP_MD_CTX_free(context)
      throw FileFailure(.io, path: "SHA-256", reason: "OpenSSL offers no SHA-256 here")
    }
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  /// Forgets what came.
  func restart() {
    precondition(EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1, "OpenSSL offers no SHA-256")
  }

  /// Takes the next bytes in.
  func update(_ bytes: UnsafeRawBufferPointer) {
    precondition(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1, "OpenSSL's SHA-256 fails")
  }

  /// The checksum of all bytes in lower-case hexadecimal digits; what comes next begins anew.
  func finish() -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    precondition(EVP_DigestFinal_ex(context, &digest, nil) == 1, "OpenSSL's SHA-256 fails")
    restart()
    return digest.map { byte in
      let digits = String(byte, radix: 16)
      return byte < 16 ? "0" + digits : digits
    }.joined()
  }
}
