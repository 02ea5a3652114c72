import Networks
import Support

extension ResolvedNetwork {
  /// The network at the widths of a file that was written for it.
  ///
  /// - Throws: `FileFailure` (65) when the file belongs to another network.
  public func with(widthsFile path: String) throws -> ResolvedNetwork {
    try with(WidthsFile(path: path), at: path)
  }

  /// The network at the widths that a file holds.
  ///
  /// - Parameter path: The file, for messages.
  /// - Throws: As ``with(widthsFile:)``.
  public func with(_ file: WidthsFile, at path: String) throws -> ResolvedNetwork {
    guard file.network == name else {
      throw FileFailure(
        .badData, path: path,
        reason: "it holds widths of \(file.network), not of \(name); name its network with `network`")
    }
    if let difference = difference(from: file) { throw FileFailure(.badData, path: path, reason: difference) }
    do { return try with(file.widths) } catch let failure as any Failure {
      throw FileFailure(.badData, path: path, reason: failure.message)
    }
  }

  /// Where the network that a file's widths were found for is another than this one, in words. A file written by hand says widths
  /// alone, and may leave groups as they are.
  private func difference(from file: WidthsFile) -> String? {
    guard file.macs != nil || file.algorithm != nil || file.multipliers != nil else { return nil }
    let advice = "give `width` and `depth` as they were given when the widths were found"
    let missing = widthGroups.map(\.id).filter { file.widths[$0] == nil }
    if !missing.isEmpty {
      return
        "it has widths of \(file.widths.values.count) groups, and \(name) has \(widthGroups.count) (such as \(missing[0])): it "
        + "was found for another depth; \(advice)"
    }
    // Relative to what was trained, they say nothing of the network's own widths.
    guard file.relativeTo == nil else { return nil }
    for group in widthGroups {
      guard let multiplier = file.multipliers?[group.id], multiplier > 0, let width = file.widths[group.id] else {
        continue
      }
      let own = (Double(width) / multiplier).rounded()
      guard own.isFinite, own != Double(group.width) else { continue }
      return
        "it was found for another \(name): there \(group.id) has \(Int(min(own, 1e9))) channels of its own, here \(group.width); "
        + advice
    }
    return nil
  }
}
