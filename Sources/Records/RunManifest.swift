import Foundation
import Support

/// `run.json`: what a run folder holds and where, so that readers need not guess from names.
///
/// Folders of version 0.1 have none; there, the names of folders decide.
public struct RunManifest: Codable, Sendable, Equatable {
  /// What was asked for.
  public enum Plan: String, Codable, Sendable, Equatable {
    /// Search, extrapolation, trainings, report.
    case run
    /// Search methods side by side.
    case compare
    /// Search and extrapolation.
    case search
    /// One training.
    case train
  }

  /// One job of a plan.
  public struct Part: Codable, Sendable, Equatable {
    /// The kind of job: `search`, `train`.
    public var kind: String
    /// Its folder, relative to the manifest's.
    public var folder: String
    /// The ``JobIdentity/digest`` of what is kept there.
    public var identity: String

    /// Describes a part.
    public init(kind: String, folder: String, identity: String) {
      self.kind = kind
      self.folder = folder
      self.identity = identity
    }
  }

  /// The version of this form.
  public var format = 1
  /// The plans that were carried out in this folder, the latest last.
  public var plans: [Plan]
  /// The jobs that the folder keeps, each once, whichever plans need it.
  public var parts: [Part]

  /// Creates a manifest.
  public init(plans: [Plan] = [], parts: [Part] = []) {
    self.plans = plans
    self.parts = parts
  }

  /// Notes that a plan is carried out.
  public mutating func begin(_ plan: Plan) {
    plans.removeAll { $0 == plan }
    plans.append(plan)
  }

  /// The part that keeps a job, if there is one.
  public func part(_ kind: String, _ identity: String) -> Part? {
    parts.first { $0.kind == kind && $0.identity == identity }
  }

  /// The part in a folder of its own: where another job of its kind is kept there, the folder's name takes a piece of the identity.
  public func placed(_ part: Part) -> Part {
    guard !part.folder.isEmpty,
      parts.contains(where: { $0.kind == part.kind && $0.folder == part.folder && $0.identity != part.identity })
    else { return part }
    var part = part
    part.folder += "-\(part.identity.prefix(8))"
    return part
  }

  /// Notes where a job is kept; what was said of that folder before is no longer so.
  public mutating func keep(_ part: Part) {
    parts.removeAll { $0.kind == part.kind && $0.folder == part.folder }
    parts.append(part)
  }

  /// Reads the manifest of a run folder; nil when it has none.
  ///
  /// - Throws: ``Support/FileFailure`` of kind `badData` when it is broken, of a later form, or leads out of its folder.
  public static func read(_ folder: RunFolder) throws -> RunManifest? {
    guard FileManager.default.fileExists(atPath: folder.manifest) else { return nil }
    let manifest = try JSONFile.read(
      RunManifest.self, path: folder.manifest, expecting: "remove it, and the same command makes it again")
    guard manifest.format == 1 else {
      throw FileFailure(
        .badData, path: folder.manifest,
        reason: "it is of form \(manifest.format), which a later version writes; this one reads 1")
    }
    for part in manifest.parts where !RunFolder.staysInside(part.folder) {
      throw FileFailure(.badData, path: folder.manifest, reason: "its part \(part.folder) is not inside the folder")
    }
    return manifest
  }

  /// Writes the manifest, whole or not at all.
  public func write(_ folder: RunFolder) throws { try JSONFile.write(self, to: folder.manifest) }
}

extension RunFolder {
  /// Whether a relative path names a folder inside, by plain names alone.
  static func staysInside(_ path: String) -> Bool {
    !path.hasPrefix("/")
      && path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
        !$0.isEmpty && $0 != "." && $0 != ".."
      }
  }

  /// The way from one folder of a run to another, both given by their places in it; `outer` is the run's own or a budget's.
  package static func relative(_ path: String, to outer: String) -> String {
    guard !outer.isEmpty else { return path }
    return path.hasPrefix(outer + "/") ? String(path.dropFirst(outer.count + 1)) : "../" + path
  }

  /// The folder of a part that a summary names: inside this one, or beside it in the same run; nil for any other path.
  package func part(_ path: String) -> RunFolder? {
    let inner = path.hasPrefix("../") ? String(path.dropFirst(3)) : path
    return Self.staysInside(inner) ? RunFolder(path: file(path)) : nil
  }
}
