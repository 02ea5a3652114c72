import Networks
import Support

extension ResolvedNetwork {
  /// The network at the widths of a file that was written for it.
  ///
  /// - Throws: `FileFailure` (65) when the file belongs to another network.
  public func with(widthsFile path: String) throws -> ResolvedNetwork {
    let file = try WidthsFile(path: path)
    guard file.network == name else {
      throw FileFailure(
        .badData, path: path,
        reason: "it holds widths of \(file.network), not of \(name); name its network with `network`")
    }
    do { return try with(file.widths) } catch let failure as any Failure {
      throw FileFailure(.badData, path: path, reason: failure.message)
    }
  }
}
