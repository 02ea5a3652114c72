import Records
import Support

/// The jobs of a run folder: each is done once, whichever plans need it, and is found again by what it is.
///
/// The manifest ``Records/RunManifest`` says which folder keeps which job. A job that is not there yet gets the folder that its
/// plan suggests; in comparisons, of which several may lie in one run folder, one beside it when that keeps another.
public final class JobStore {
  /// Who else may be at work in the folder.
  public enum Sharing {
    /// Nobody.
    case none
    /// Others do jobs of the same plan: what one of them is at is waited for, and found done.
    case waiting
    /// Others do jobs of the same plan: what one of them is at is an ``Elsewhere``.
    case passing
    /// Whoever: nothing is done here, and what is not done is ``Missing``.
    case reading
  }

  /// Another process is at a job.
  public struct Elsewhere: Error {
    /// The job's folder, relative to the store's.
    public var folder: String
  }

  /// A job has not been done.
  public struct Missing: Error {}

  /// The run folder.
  public let root: RunFolder
  private let surroundings: JobSurroundings
  private var manifest: RunManifest
  private let sharing: Sharing
  /// Whether a job whose suggested folder keeps another job gets a folder of its own; without it, what lies there refuses it.
  var keepsJobsApart = false

  /// Whether nothing is done and nothing is written here.
  var isReading: Bool { sharing == .reading }

  /// Opens the store of a run folder.
  ///
  /// - Parameters:
  ///   - plan: What is carried out, for the manifest; nil for a part of what another process has begun.
  ///   - sharing: Who else may be at work in the folder.
  /// - Throws: ``Support/FileFailure`` when the manifest is broken or cannot be written.
  public init(
    _ root: RunFolder, plan: RunManifest.Plan? = nil, sharing: Sharing = .none,
    surroundings: JobSurroundings = .init()
  ) throws {
    self.root = root
    self.surroundings = surroundings
    self.sharing = sharing
    manifest = try RunManifest.read(root) ?? RunManifest()
    guard let plan, manifest.plans.last != plan, sharing != .reading else { return }
    try AtomicFile.createFolder(root.path)
    try changeManifest { $0.begin(plan) }
  }

  /// What a job brought, and where it is kept.
  public struct Done<Output> {
    /// What it brought.
    public var output: Output
    /// Its folder, relative to the store's.
    public var folder: String
  }

  /// Does a job, goes on with it, or takes what is there.
  ///
  /// - Parameters:
  ///   - job: The job.
  ///   - suggested: The folder for it, relative to the store's, unless one keeps it already.
  ///   - label: What it is called while it runs.
  /// - Throws: ``Elsewhere`` or ``Missing``, by the store's ``Sharing``.
  public func perform<Work: Job>(_ job: Work, in suggested: String, label: String) throws -> Done<Work.Output> {
    let digest = try job.digest
    if sharing == .reading {
      guard let part = manifest.part(Work.kind, digest), let output = try job.finished(in: folder(part.folder)) else {
        throw Missing()
      }
      return Done(output: output, folder: part.folder)
    }
    let new = RunManifest.Part(kind: Work.kind, folder: suggested, identity: digest)
    var part = manifest.part(Work.kind, digest) ?? new
    if sharing != .none || keepsJobsApart {
      // Noted before it is begun: what is half done lies there for this job and no other.
      try changeManifest { manifest in
        if let known = manifest.part(Work.kind, digest) {
          part = known
        } else {
          part = keepsJobsApart ? manifest.placed(new) : new
          manifest.keep(part)
        }
      }
    }
    let claim = try claim(folder(part.folder), part.folder)
    defer { claim?.release() }
    let output = try job.perform(
      in: folder(part.folder),
      JobSurroundings(
        sinks: { [surroundings] _, folder in try surroundings.sinks(label, folder) }, policy: surroundings.policy,
        cancellation: surroundings.cancellation, cohort: surroundings.cohort))
    if manifest.part(Work.kind, digest) == nil { try changeManifest { $0.keep(part) } }
    return Done(output: output, folder: part.folder)
  }

  private func claim(_ place: RunFolder, _ name: String) throws -> FolderClaim? {
    guard sharing != .none else { return nil }
    try AtomicFile.createFolder(place.path)
    if sharing == .waiting {
      return try FolderClaim.wait(place.path, file: RunFolder.claimName, surroundings.cancellation)
    }
    guard let claim = try FolderClaim.take(place.path, file: RunFolder.claimName) else { throw Elsewhere(folder: name) }
    return claim
  }

  /// Changes the manifest, as it is now: others may have changed it since it was read.
  private func changeManifest(_ change: (inout RunManifest) -> Void) throws {
    let claim =
      sharing == .none
      ? nil : try FolderClaim.wait(root.path, file: RunFolder.manifestClaimName, surroundings.cancellation)
    defer { claim?.release() }
    if sharing != .none { manifest = try RunManifest.read(root) ?? manifest }
    let former = manifest
    change(&manifest)
    if manifest != former { try manifest.write(root) }
  }

  /// A folder by its place in the store; the store's own for an empty one.
  public func folder(_ path: String) -> RunFolder { path.isEmpty ? root : RunFolder(path: root.file(path)) }

  /// A place inside another.
  func joined(_ outer: String, _ inner: String) -> String {
    outer.isEmpty ? inner : inner.isEmpty ? outer : "\(outer)/\(inner)"
  }
}
