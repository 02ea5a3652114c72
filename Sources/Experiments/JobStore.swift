import Records
import Support

/// The jobs of a run folder: each is done once, whichever plans need it, and is found again by what it is.
///
/// The manifest ``Records/RunManifest`` says which folder keeps which job. A job that is not there yet gets the folder that its
/// plan suggests.
public final class JobStore {
  /// The run folder.
  public let root: RunFolder
  private let surroundings: JobSurroundings
  private var manifest: RunManifest
  private let sharesManifest: Bool

  /// Opens the store of a run folder, and notes in its manifest that a plan is carried out.
  ///
  /// - Throws: ``Support/FileFailure`` when the manifest is broken or cannot be written.
  public init(_ root: RunFolder, plan: RunManifest.Plan, surroundings: JobSurroundings = .init()) throws {
    self.root = root
    self.surroundings = surroundings
    sharesManifest = false
    manifest = try RunManifest.read(root) ?? RunManifest()
    let former = manifest
    manifest.begin(plan)
    try AtomicFile.createFolder(root.path)
    if manifest != former { try manifest.write(root) }
  }

  /// Opens the store of a run folder that another process has begun, and of which others do jobs at the same time.
  ///
  /// - Throws: ``Support/FileFailure`` when the manifest is broken.
  public init(sharing root: RunFolder, surroundings: JobSurroundings = .init()) throws {
    self.root = root
    self.surroundings = surroundings
    sharesManifest = true
    manifest = try RunManifest.read(root) ?? RunManifest()
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
  public func perform<Work: Job>(_ job: Work, in suggested: String, label: String) throws -> Done<Work.Output> {
    let digest = try job.digest
    let part =
      sharesManifest
      ? try claim(Work.kind, digest, suggested)
      : manifest.part(Work.kind, digest) ?? RunManifest.Part(kind: Work.kind, folder: suggested, identity: digest)
    let place = folder(part.folder)
    // Two parts of a plan may need one job: the second waits for the first and finds it done.
    let lock = sharesManifest ? try lock(place) : nil
    let output = try job.perform(
      in: place,
      JobSurroundings(
        sinks: { [surroundings] _, folder in try surroundings.sinks(label, folder) }, policy: surroundings.policy,
        cancellation: surroundings.cancellation))
    lock?.unlock()
    if manifest.part(Work.kind, digest) == nil {
      manifest.keep(part)
      try manifest.write(root)
    }
    return Done(output: output, folder: part.folder)
  }

  private func lock(_ place: RunFolder) throws -> FolderLock {
    try AtomicFile.createFolder(place.path)
    return try FolderLock(waitingFor: place.path, file: RunFolder.lockName, surroundings.cancellation)
  }

  /// Finds out which folder is a job's, or makes it the suggested one before any other process says another.
  private func claim(_ kind: String, _ digest: String, _ suggested: String) throws -> RunManifest.Part {
    let lock = try FolderLock(waitingFor: root.path, file: RunFolder.manifestLockName, surroundings.cancellation)
    defer { lock.unlock() }
    manifest = try RunManifest.read(root) ?? manifest
    if let part = manifest.part(kind, digest) { return part }
    let part = RunManifest.Part(kind: kind, folder: suggested, identity: digest)
    manifest.keep(part)
    try manifest.write(root)
    return part
  }

  /// A folder by its place in the store; the store's own for an empty one.
  public func folder(_ path: String) -> RunFolder { path.isEmpty ? root : RunFolder(path: root.file(path)) }

  /// A place inside another.
  func joined(_ outer: String, _ inner: String) -> String {
    outer.isEmpty ? inner : inner.isEmpty ? outer : "\(outer)/\(inner)"
  }
}
