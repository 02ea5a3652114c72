import Foundation
import Support

#if canImport(Glibc)
  import Glibc
#endif

/// Fetches a well-known data set from its authors' servers, or from a mirror, and checks it.
///
/// Every file comes in under the name of a part, is resumed where an earlier run was stopped, and gets its name once its
/// SHA-256 is the published one.
public struct DatasetDownload {
  /// The data set's name.
  public let dataset: String
  /// The folder that the files come into.
  public let folder: String
  let files: [RemoteFile]
  // The folder that the archives hold, when they have to be unpacked.
  let unpackedFolder: String?
  let keepsArchive: Bool
  var transport: any Transport = CurlTransport()
  var interruption: () -> Int32? = { Interruption.signal }

  /// Plans a download.
  ///
  /// - Parameters:
  ///   - name: One of ``Dataset/knownNames``.
  ///   - folder: Where the files go; nil stands for the place where ``Dataset/open(_:options:)`` looks for the name:
  ///     `$WIDTH_TRANSFER_DATA/NAME` or `data/NAME`.
  ///   - mirror: The address of a folder that holds files of the same names, instead of their homes.
  ///   - keepsArchive: Whether an archive that is unpacked stays.
  /// - Throws: ``Support/UsageFailure`` for an unknown name and for an address that is neither http nor https.
  public init(_ name: String, folder: String? = nil, mirror: String? = nil, keepsArchive: Bool = false) throws {
    try self.init(
      name, folder: folder, mirror: mirror, keepsArchive: keepsArchive, environment: ProcessInfo.processInfo.environment
    )
  }

  init(
    _ name: String, folder: String?, mirror: String?, keepsArchive: Bool = false, environment: [String: String]
  ) throws {
    guard let known = KnownDataset(rawValue: name) else {
      throw UsageFailure(
        "there is no data set \(ArchiveReader.shown(name)) to download; there are "
          + Dataset.knownNames.joined(separator: ", ")
          + ". The most similar is \(nearestNames(to: name, in: Dataset.knownNames, count: 1)[0])")
    }
    if let mirror { try Self.check(mirror: mirror) }
    self.init(
      dataset: name, folder: folder ?? known.downloadFolder(environment: environment),
      files: mirror.map { mirror in known.files.map { $0.mirrored(at: mirror) } } ?? known.files,
      unpackedFolder: known.unpackedFolder, keepsArchive: keepsArchive)
  }

  init(dataset: String, folder: String, files: [RemoteFile], unpackedFolder: String?, keepsArchive: Bool) {
    self.dataset = dataset
    // "data/" and "data" are one folder.
    self.folder = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    self.files = files
    self.unpackedFolder = unpackedFolder
    self.keepsArchive = keepsArchive
  }

  private static func check(mirror: String) throws {
    guard let parts = URLComponents(string: mirror, encodingInvalidCharacters: false),
      ["http", "https"].contains(parts.scheme?.lowercased()),
      parts.host?.isEmpty == false, (parts.port ?? 80) < 65_536, parts.query == nil, parts.fragment == nil
    else {
      throw UsageFailure(
        "`from` \(ArchiveReader.shown(mirror)): expected the address of a folder, as https://example.org/datasets/")
    }
  }

  /// Fetches what is not there yet.
  ///
  /// - Parameter report: Called as things go on; see ``DownloadEvent``.
  /// - Throws: ``DownloadFailure`` when nothing can be fetched; ``Support/FileFailure``: `badData` for other bytes than the
  ///   published ones, `cannotCreate` and `io` for trouble with the folder; ``Support/Interrupted`` after SIGINT or SIGTERM.
  public func run(report: @escaping (DownloadEvent) -> Void = { _ in }) throws -> DownloadReport {
    if let unpackedFolder, isFolder(folder + "/" + unpackedFolder) {
      try requireContent(folder + "/" + unpackedFolder)
      return DownloadReport(dataset: dataset, folder: folder, files: files.map { .init($0, .present) })
    }
    let wasThere = isFolder(folder)
    try AtomicFile.createFolder(folder)
    let lock = try FolderLock(folder, work: "downloads into this folder")
    defer {
      // Without a byte there is no data set: an empty folder would be taken for one. One that holds something stays.
      if !wasThere { rmdir(folder) }
      lock.unlock()
    }
    var done: [DownloadedFile] = []
    for file in files {
      let download = FileDownload(
        file: file, folder: folder, transport: transport, interruption: interruption, report: report)
      do {
        done.append(.init(file, try download.run()))
      } catch let failed as FileDownload.Failed {
        throw failure(failed, at: file)
      }
      try unpack(file, report)
    }
    return DownloadReport(dataset: dataset, folder: folder, files: done)
  }

  private func unpack(_ file: RemoteFile, _ report: (DownloadEvent) -> Void) throws {
    guard let unpackedFolder else { return }
    let path = folder + "/" + file.name
    try ArchiveUnpacking(path: path, folder: folder, content: unpackedFolder).run { members in
      report(.unpacking(file: file.name, members: members))
      if let signal = interruption() { throw Interrupted(signal: signal, saved: "\(path) is complete and kept") }
    }
    if !keepsArchive { unlink(path) }
  }

  // The folder appears when it is complete; one that somebody else made may hold anything.
  private func requireContent(_ folder: String) throws {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/train")) ?? []
    guard !names.isEmpty else {
      throw FileFailure(
        .badData, path: folder, reason: "is there, but lacks train/; move it away to fetch and unpack the published one"
      )
    }
  }

  private func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }

  private func failure(_ failed: FileDownload.Failed, at file: RemoteFile) -> DownloadFailure {
    let reasons = failed.obstacles.map(\.text).joined(separator: "; ")
    let kept =
      failed.kept > 0 ? "\(failed.kept) of \(file.bytes) bytes are kept in \(folder)/\(file.name).part. " : ""
    if failed.obstacles.contains(where: { $0.kind == .lost }) {
      return DownloadFailure(
        message: "\(dataset): \(reasons). \(kept)Run the same command again to go on", exitCode: .ioError)
    }
    let noNetwork =
      failed.obstacles.allSatisfy { $0.kind == .unresolved } ? "; there seems to be no network" : ""
    let missing = files.filter { !FileManager.default.fileExists(atPath: folder + "/" + $0.name) }
    let list = missing.map { "\n  \($0.homes[0]) (sha256 \($0.sha256))" }.joined()
    let unpacking = unpackedFolder == nil ? "" : " and run the same command again, which unpacks them"
    return DownloadFailure(
      message:
        "\(dataset): \(reasons)\(noNetwork). \(kept.isEmpty ? "" : kept + "The same command goes on from there. ")"
        + "Fetch these files elsewhere and put them into \(folder)\(unpacking), "
        + "or name a mirror with `from` URL:\(list)",
      exitCode: .unavailable)
  }
}
