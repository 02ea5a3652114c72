import Foundation
import Support

#if canImport(Glibc)
  import Glibc
#endif

extension RunFolder {
  /// Whether the folder holds anything that took time to compute.
  public var holdsResults: Bool {
    let manager = FileManager.default
    return [model, widths, result, summary].contains(where: manager.fileExists(atPath:))
      || Self.names(in: checkpoints).contains { $0.hasSuffix(".safetensors") } || parts.contains(where: \.holdsResults)
  }

  /// What a later start goes on from, in words.
  public var saved: String {
    let all = ([self] + parts).flatMap { part in
      Self.names(in: part.checkpoints).filter { $0.hasSuffix(".safetensors") }.map {
        (part.checkpoints as NSString).appendingPathComponent($0)
      }
    }
    func time(_ path: String) -> Date {
      (try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date) ?? .distantPast
    }
    let latest = all.max { (time($0), $0) < (time($1), $1) }
    return latest.map { "Saved and whole is \($0)" } ?? "No checkpoint had been saved yet"
  }

  /// Removes what runs have written into the folder, and nothing else.
  ///
  /// - Throws: ``FileFailure`` of kind `cannotCreate` when a file cannot be removed.
  public func removeContents() throws {
    for part in parts { try part.removeFolder() }
    for name in Self.names(in: checkpoints) where Self.isCheckpoint(name) {
      try Self.remove((checkpoints as NSString).appendingPathComponent(name))
    }
    rmdir(checkpoints)
    for variant in variants { rmdir(variant) }
    for name in Self.names(in: path) where Self.isOwn(name) { try Self.remove(file(name)) }
  }

  /// Removes temporary files that a killed process left behind. Only the holder of the folder's lock may call this.
  public func removeTemporaryFiles() {
    for place in [path, checkpoints] {
      for name in Self.names(in: place) where Self.isTemporary(name) {
        unlink((place as NSString).appendingPathComponent(name))
      }
    }
    for part in parts { part.removeTemporaryFiles() }
  }

  private func removeFolder() throws {
    try removeContents()
    unlink(file(FolderLock.fileName))
    // What a user has put there stays, and with it the folder.
    rmdir(path)
  }

  // The folders of the parts of a `run`.
  private var parts: [RunFolder] {
    let trainings = variants.flatMap { variant in
      Self.names(in: variant).filter { $0.hasPrefix("seed-") }.map { (variant as NSString).appendingPathComponent($0) }
    }
    return ([file("search")] + trainings).filter { Self.isFolder($0) }.map(RunFolder.init(path:))
  }

  private var variants: [String] { ["uniform", "optimized"].map(file).filter(Self.isFolder) }

  private static func isOwn(_ name: String) -> Bool {
    let own = [
      "run.yaml", "events.jsonl", "model.safetensors", "widths.json", "result.json", "summary.json", "report.html",
    ]
    return own.contains(name) || name.hasPrefix("events.out.tfevents.") || isTemporary(name)
  }

  private static func isCheckpoint(_ name: String) -> Bool {
    name.hasPrefix("step-") && name.hasSuffix(".safetensors") || isTemporary(name)
  }

  private static func isTemporary(_ name: String) -> Bool {
    guard let range = name.range(of: ".tmp-") else { return false }
    let stem = String(name[..<range.lowerBound])
    return [".safetensors", ".json", ".jsonl", ".yaml", ".html"].contains(where: stem.hasSuffix)
  }

  private static func names(in folder: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
  }

  // A symbolic link to a folder elsewhere is not followed: what it holds is not this run's.
  private static func isFolder(_ path: String) -> Bool {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return attributes?[.type] as? FileAttributeType == .typeDirectory
  }

  private static func remove(_ path: String) throws {
    guard unlink(path) != 0, errno != ENOENT else { return }
    throw FileFailure(.cannotCreate, path: path, reason: "cannot be removed (\(errorText(errno)))")
  }
}
