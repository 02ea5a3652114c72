import Foundation
import Support

#if canImport(Glibc)
  import Glibc
#endif

extension RunFolder {
  /// Whether the folder holds anything that took time to compute.
  public var holdsResults: Bool {
    let manager = FileManager.default
    return all.contains { part in
      [part.model, part.widths, part.result, part.summary, part.comparison].contains(where: manager.fileExists(atPath:))
        || !part.checkpointFiles.isEmpty
    }
  }

  /// What a later start goes on from, in words.
  public var saved: String {
    func time(_ path: String) -> Date {
      (try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date) ?? .distantPast
    }
    guard FileManager.default.fileExists(atPath: path) else { return "What had been saved there is gone with it" }
    let latest = all.flatMap(\.checkpointFiles).max { (time($0), $0) < (time($1), $1) }
    return latest.map { "Saved and whole is \($0)" } ?? "No checkpoint had been saved yet"
  }

  private var checkpointFiles: [String] {
    Self.names(in: checkpoints).filter { $0.hasSuffix(".safetensors") }
      .map { (checkpoints as NSString).appendingPathComponent($0) }
  }

  /// Removes what runs have written into the folder, and nothing else.
  ///
  /// - Throws: ``Support/FileFailure`` of kind `cannotCreate` when a file cannot be removed.
  public func removeContents() throws {
    for part in all.reversed() {
      for name in Self.names(in: part.checkpoints) where Self.isCheckpoint(name) {
        try Self.remove((part.checkpoints as NSString).appendingPathComponent(name))
      }
      rmdir(part.checkpoints)
      for name in Self.names(in: part.weightNorms.path) where WeightNormFolder.isOwn(name) || Self.isTemporary(name) {
        try Self.remove((part.weightNorms.path as NSString).appendingPathComponent(name))
      }
      rmdir(part.weightNorms.path)
      for name in Self.names(in: part.path) where Self.isOwn(name) { try Self.remove(part.file(name)) }
      unlink(part.file(Self.manifestClaimName))
      guard part != self else { continue }
      unlink(part.file(Self.claimName))
      // What a user has put there stays, and with it the folder.
      rmdir(part.path)
    }
  }

  /// Removes temporary files that a killed process left behind. Only the holder of the folder's lock may call this.
  public func removeTemporaryFiles() {
    for part in all where !part.isClaimed {
      for place in [part.path, part.checkpoints, part.weightNorms.path] {
        for name in Self.names(in: place) where Self.isTemporary(name) {
          unlink((place as NSString).appendingPathComponent(name))
        }
      }
      // A process that was killed leaves its claim.
      for name in [Self.claimName, Self.manifestClaimName] where FolderClaim.holder(of: part.path, file: name) == nil {
        unlink(part.file(name))
      }
    }
  }

  /// Whether a living process is at work in this folder itself: one whose parent has ended may be just saving.
  private var isClaimed: Bool { FolderClaim.holder(of: path, file: Self.claimName) != nil }

  /// Waits until no process is at work in any part, as those are whose parent was killed. Only the holder of the folder's lock may call this.
  ///
  /// - Parameter tell: Told once for whom it waits.
  /// - Throws: ``Support/Interrupted`` when the wait is ended.
  public func waitForOrphans(_ cancellation: Cancellation = .signals, telling tell: (String) -> Void = { _ in }) throws
  {
    guard let part = all.first(where: \.isClaimed) else { return }
    tell("a process of an earlier call is still saving in \(part.path): this one waits for its end")
    while all.contains(where: \.isClaimed) { try cancellation.pause(seconds: 0.1) }
  }

  /// What a folder inside a run folder is for.
  private enum Role {
    /// A run of any kind: of a search, a training, a whole run at one of several budgets.
    case run
    /// Where the methods of a comparison search: holds a folder a method.
    case mode
    /// A network, a method or a projection: holds a folder a seed, or, as a projection, a folder a method.
    case variant
    /// A method under a projection: holds a folder a seed.
    case method
  }

  /// This folder and the folders of its parts, each after the one that it lies in.
  ///
  /// They are known by names and places that runs give them, so that a folder of the user's is left alone.
  ///
  /// A manifest says it; where there is none, or more lies there than it says, names do.
  private var all: [RunFolder] {
    let named = parts(.run)
    let listed = ((try? RunManifest.read(self)) ?? nil)?.parts.map { RunFolder(path: file($0.folder)) } ?? []
    let known = Set(named)
    return named + listed.filter { !known.contains($0) && Self.isFolder($0.path) }.sorted { $0.path < $1.path }
  }

  /// The folders of the budgets that a run of several has, in the order of their names; none for any other folder.
  public var budgets: [RunFolder] {
    Self.names(in: path).sorted().filter { name in Self.budgetPrefixes.contains(where: name.hasPrefix) }
      .map { RunFolder(path: file($0)) }.filter { Self.isFolder($0.path) }
  }

  private func parts(_ role: Role) -> [RunFolder] {
    [self]
      + Self.names(in: path).sorted().flatMap { name -> [RunFolder] in
        guard let inner = Self.role(of: name, in: role), Self.isFolder(file(name)) else { return [] }
        return RunFolder(path: file(name)).parts(inner)
      }
  }

  private static func role(of name: String, in outer: Role) -> Role? {
    switch outer {
    case .run:
      if name == "search" || budgetPrefixes.contains(where: name.hasPrefix) { return .run }
      if ["uniform", "optimized"].contains(name) { return .variant }
      return ComparisonSummary.Mode(rawValue: name) != nil ? .mode : nil
    case .mode: return name.hasPrefix(".") ? nil : .variant
    case .variant: return name.hasPrefix("seed-") ? .run : name.hasPrefix(".") ? nil : .method
    case .method: return name.hasPrefix("seed-") ? .run : nil
    }
  }

  private static func isOwn(_ name: String) -> Bool {
    let own = [
      "run.yaml", "events.jsonl", "model.safetensors", "widths.json", "result.json", "summary.json", "comparison.json",
      "report.html", "run.json", "projection.json", "diagnosis.json", "diagnosis.html",
    ]
    return own.contains(name) || name.hasPrefix("events.out.tfevents.") || isTemporary(name)
  }

  private static func isCheckpoint(_ name: String) -> Bool {
    name.hasPrefix("step-") && name.hasSuffix(".safetensors") || isTemporary(name)
  }

  private static func isTemporary(_ name: String) -> Bool {
    // Drafts of claims, and what asks the file system for the time.
    if [claimName, manifestClaimName, ".clock"].contains(where: { name.hasPrefix($0 + ".") }) { return true }
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
