import Networks
import Support

extension Network {
  /// The network at the widths of a file that was written for it.
  ///
  /// - Throws: `FileFailure` (65) when the file belongs to another network.
  public func with(widthsFile path: String) throws -> Network {
    let file = try WidthsFile(path: path)
    guard file.network == name else {
      throw FileFailure(
        .badData, path: path,
        reason: "it holds widths of \(file.network), not of \(name); name its network with --network")
    }
    do {
      let network = try with(Widths(file.widths))
      _ = try network.resolved()
      return network
    } catch let failure as any Failure {
      throw FileFailure(.badData, path: path, reason: failure.message)
    }
  }
}
