import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// A folder's claim: while it is held, no other process works there, on this machine or on another that shares the file system.
///
/// It is a file that is made where there is none, in one step, and says who holds it. Its time of change is the holder's heartbeat. A claim
/// is taken over when its process has ended, which a process on the same machine sees at once, or when its heart has not beaten for
/// ``expiry``. Times are the file system's own, so that the machines' clocks need not agree; locks, which some network file systems do
/// not pass on, are not needed.
package final class FolderClaim: Sendable {
  /// Who holds a claim.
  package struct Holder: Codable, Sendable, Hashable {
    /// The machine's name, for people.
    package var host: String
    /// What tells machines, their starts, and containers on them, apart.
    package var machine: String
    /// The process.
    package var process: Int32
    /// When that process began, in the kernel's ticks: numbers of processes are used again.
    package var began: String
    /// This claim's own name.
    package var claim = UUID().uuidString

    /// This process.
    package static var own: Holder {
      Holder(
        host: ProcessInfo.processInfo.hostName, machine: machine, process: getpid(),
        began: beginning(of: getpid()) ?? "")
    }

    private static var machine: String {
      let boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
      let space = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")) ?? ""
      return boot.trimmingCharacters(in: .whitespacesAndNewlines) + " " + space
    }

    /// When a process began; nil when there is none.
    private static func beginning(of process: Int32) -> String? {
      // The name, in parentheses, may hold anything; behind it are numbers, the twentieth of which is the one.
      guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
        let name = text.lastIndex(of: ")")
      else { return nil }
      let fields = text[text.index(after: name)...].split(separator: " ")
      return fields.count > 19 && fields[0] != "Z" ? String(fields[19]) : nil
    }

    /// Whether this machine can tell that the holder is no more.
    fileprivate var hasEnded: Bool {
      machine == Self.machine && !began.isEmpty && Self.beginning(of: process) != began
    }
  }

  /// How long a claim lives without a heartbeat.
  package static let expiry: TimeInterval = 120
  /// How often a heart beats.
  package static let beat: TimeInterval = 15

  private let path: String
  private let holder: Holder
  // Only ever cancelled from outside of its queue, which it allows.
  private nonisolated(unsafe) let heart: any DispatchSourceTimer
  private let isHeld = Mutex(true)

  private init(_ path: String, _ holder: Holder, lost: @escaping @Sendable (String) -> Void) {
    self.path = path
    self.holder = holder
    heart = DispatchSource.makeTimerSource(queue: .global())
    heart.schedule(deadline: .now() + Self.beat, repeating: Self.beat)
    // Under the lock, so that a claim that is being given up neither looks like another's nor is made anew.
    heart.setEventHandler { [weak self] in
      self?.isHeld.withLock { isHeld in
        if isHeld, !Self.beat(path, holder) { lost(path) }
      }
    }
    heart.resume()
  }

  deinit { release() }

  /// Claims a folder, unless a living process holds it.
  ///
  /// - Parameters:
  ///   - folder: A folder that exists.
  ///   - file: The claim's file in it.
  ///   - lost: Told when another has taken the claim, because this process stood still for longer than ``expiry``; it must not write
  ///     into the folder from then on.
  /// - Returns: nil when another holds it.
  /// - Throws: ``FileFailure`` when nothing can be written there.
  package static func take(
    _ folder: String, file: String, lost: @escaping @Sendable (String) -> Void = FolderClaim.leave
  ) throws -> FolderClaim? {
    let path = (folder as NSString).appendingPathComponent(file)
    let holder = Holder.own
    // A claim that has ended is removed by one process and made anew by another, or the same: a few rounds settle it.
    for _ in 0..<8 {
      if try make(path, holder) { return FolderClaim(path, holder, lost: lost) }
      guard try removeIfEnded(path, folder) else { return nil }
    }
    return nil
  }

  /// Claims a folder as soon as no living process holds it.
  ///
  /// - Throws: ``FileFailure`` when nothing can be written there, ``Interrupted`` when the wait is ended.
  package static func wait(
    _ folder: String, file: String, _ cancellation: Cancellation,
    lost: @escaping @Sendable (String) -> Void = FolderClaim.leave
  ) throws -> FolderClaim {
    while true {
      if let claim = try take(folder, file: file, lost: lost) { return claim }
      try cancellation.pause(seconds: 0.05)
    }
  }

  /// Who holds a folder; nil for nobody, or one that is no more.
  package static func holder(of folder: String, file: String) -> Holder? {
    let path = (folder as NSString).appendingPathComponent(file)
    guard let holder = read(path), !holder.hasEnded, !((try? hasExpired(path, folder)) ?? false) else { return nil }
    return holder
  }

  /// Lets the heart beat now; false when the claim is another's.
  func beat() -> Bool { Self.beat(path, holder) }

  /// Gives the claim up.
  package func release() {
    isHeld.withLock { isHeld in
      guard isHeld else { return }
      isHeld = false
      heart.cancel()
      if Self.read(path) == holder { unlink(path) }
    }
  }

  /// Ends the process without another write.
  package static let leave: @Sendable (String) -> Void = { path in
    StandardError.write(
      "width-transfer: error: \(path): this process stood still, and another has taken over its job; nothing is lost\n")
    _exit(Int32(ExitStatus.ioError.rawValue))
  }

  // MARK: - The file

  // Written under another name and linked, so that it is there with all it says or not at all.
  private static func make(_ path: String, _ holder: Holder) throws -> Bool {
    let draft = "\(path).\(holder.claim)"
    do {
      try JSONEncoder().encode(holder).write(to: URL(fileURLWithPath: draft))
    } catch {
      throw FileFailure(
        .cannotCreate, path: path, reason: "nothing can be written there: \(error.localizedDescription)")
    }
    defer { unlink(draft) }
    if link(draft, path) == 0 { return true }
    let code = errno
    if code == EEXIST { return false }
    // A file system without links.
    guard [EPERM, ENOSYS, EOPNOTSUPP, EMLINK].contains(code) else {
      throw FileFailure(.init(creating: code), path: path, reason: "cannot be written (\(errorText(code)))")
    }
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { return false }
    close(descriptor)
    return rename(draft, path) == 0
  }

  private static func read(_ path: String) -> Holder? {
    FileManager.default.contents(atPath: path).flatMap { try? JSONDecoder().decode(Holder.self, from: $0) }
  }

  /// Removes a claim whose holder is no more; says whether it is worth trying again.
  private static func removeIfEnded(_ path: String, _ folder: String) throws -> Bool {
    guard FileStatus(path: path) != nil else { return true }
    let former = read(path)
    guard try former?.hasEnded ?? false || hasExpired(path, folder) else { return false }
    // Two may see that it has ended, and the slower one must not remove the claim that the faster one has made since.
    let aside = "\(path).\(UUID().uuidString)"
    guard rename(path, aside) == 0 else { return true }
    if read(aside) != former { _ = link(aside, path) }
    unlink(aside)
    return true
  }

  private static func hasExpired(_ path: String, _ folder: String) throws -> Bool {
    guard let changed = FileStatus(path: path)?.modified.first else { return false }
    // A young claim needs no look at the file system's clock, which costs a file, and those who wait ask often. This machine's clock may be
    // wrong; then it is looked at sooner or up to a while later.
    guard abs(Date().timeIntervalSince1970 - TimeInterval(changed)) > expiry / 2 else { return false }
    let probe = (folder as NSString).appendingPathComponent(".clock.\(UUID().uuidString)")
    guard FileManager.default.createFile(atPath: probe, contents: nil) else { return false }
    defer { unlink(probe) }
    guard let now = FileStatus(path: probe)?.modified.first else { return false }
    return TimeInterval(now - changed) > expiry
  }

  /// Lets a heart beat; false when the claim is another's.
  static func beat(_ path: String, _ holder: Holder) -> Bool {
    if FileStatus(path: path) == nil { return (try? make(path, holder)) ?? true }
    // What cannot be read now says nothing of whose it is.
    guard let found = read(path) else { return true }
    guard found == holder else { return false }
    utimensat(AT_FDCWD, path, nil, 0)
    return true
  }
}
