import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// Processes of one program with different arguments, some of them at once.
public struct ProcessPool {
  /// One process to run.
  public struct Task: Sendable, Hashable {
    /// What it is called.
    public var name: String
    /// The names of the tasks that have to succeed before.
    public var after: [String]
    /// The arguments of the program.
    public var arguments: [String]

    /// Describes a process.
    public init(_ name: String, after: [String] = [], arguments: [String]) {
      self.name = name
      self.after = after
      self.arguments = arguments
    }
  }

  /// How a task ended that did not succeed.
  public struct Mishap: Sendable, Equatable {
    /// The task.
    public var name: String
    /// What happened to it, in words.
    public var reason: String
    /// The exit code that stands for it.
    public var exitCode: ExitStatus
  }

  private let executable: String
  private let limit: Int

  /// - Parameters:
  ///   - executable: The path of the program.
  ///   - limit: How many run at once.
  public init(executable: String, limit: Int) {
    self.executable = executable
    self.limit = limit
  }

  /// Runs all tasks; one that fails does not hold up the others, except those that need it.
  ///
  /// A signal is passed on to every process once, and nothing new is begun. Processes are in groups of their own, so that a terminal's
  /// Ctrl-C does not reach them twice. Each has a pipe as its standard input that ends when this process does, however it ends.
  ///
  /// - Parameters:
  ///   - received: Given each line of a process's standard output.
  ///   - changed: Told when a task has begun or ended: the names of those at work and the number of those that are over.
  /// - Returns: The tasks that failed, or could not begin because another did; after a signal those alone that failed on being stopped.
  /// - Throws: ``Interrupted`` after all processes have ended by a signal.
  public func run(
    _ tasks: [Task], _ cancellation: Cancellation = .signals, received: (_ task: String, _ line: String) throws -> Void,
    changed: (_ atWork: [String], _ over: Int) throws -> Void = { _, _ in }
  ) throws -> [Mishap] {
    var waiting = tasks
    var atWork: [Child] = []
    var succeeded: Set<String> = []
    var mishaps: [Mishap] = []
    // Those of processes that had been told to stop.
    var unsaved: [Mishap] = []
    var passedOn: Int32?
    var failure: (any Error)?

    func stop(_ signal: Int32) {
      guard passedOn == nil else { return }
      passedOn = signal
      for child in atWork { child.send(signal) }
    }
    func tell() {
      guard failure == nil else { return }
      do {
        try changed(atWork.map(\.task.name), succeeded.count + mishaps.count)
      } catch {
        failure = error
        stop(SIGTERM)
      }
    }
    while !atWork.isEmpty || (!waiting.isEmpty && passedOn == nil) {
      if let signal = cancellation.signal { stop(signal) }
      var isChanged = false
      while passedOn == nil, atWork.count < limit {
        for task in waiting {
          guard let needed = mishaps.first(where: { task.after.contains($0.name) }) else { continue }
          mishaps.append(Mishap(name: task.name, reason: "needs \(needed.name)", exitCode: needed.exitCode))
          waiting.removeAll { $0 == task }
        }
        guard let index = waiting.firstIndex(where: { succeeded.isSuperset(of: $0.after) }) else { break }
        let task = waiting.remove(at: index)
        do {
          atWork.append(try Child(task, executable))
        } catch {
          mishaps.append(
            Mishap(name: task.name, reason: "\(error)", exitCode: .unavailable)
          )
        }
        isChanged = true
      }
      if atWork.isEmpty && passedOn == nil {
        // Nothing is at work and nothing can begin: what is left needs something that there is not.
        mishaps += waiting.map { Mishap(name: $0.name, reason: "needs what is no task", exitCode: .internalError) }
        waiting = []
      }
      if isChanged { tell() }
      isChanged = false
      Self.wait(for: atWork.flatMap(\.readable))
      for child in atWork {
        let isOver = child.isOver()
        do {
          for line in child.lines() where failure == nil { try received(child.task.name, line) }
        } catch {
          failure = error
          stop(SIGTERM)
        }
        guard isOver else { continue }
        atWork.removeAll { $0 === child }
        isChanged = true
        if var mishap = child.mishap {
          // One that says so, or that did not listen yet, has ended as it was asked to.
          guard passedOn == nil || !(child.wasStopped || child.endingSignal == passedOn && !child.hasSpoken) else {
            continue
          }
          if let passedOn, child.endingSignal == passedOn {
            mishap = Mishap(
              name: mishap.name, reason: "\(mishap.reason) before it had saved; what was saved before that is whole",
              exitCode: passedOn == SIGINT ? .interrupted : .terminated)
          }
          if passedOn != nil { unsaved.append(mishap) }
          mishaps.append(mishap)
        } else {
          succeeded.insert(child.task.name)
        }
      }
      if isChanged { tell() }
    }
    if let failure { throw failure }
    // What could not be saved matters more than the signal.
    guard unsaved.isEmpty else { return unsaved }
    if let passedOn {
      let failed = mishaps.isEmpty ? "" : "; failed before: " + Format.list(mishaps.map(\.name), most: 5)
      throw Interrupted(signal: passedOn, saved: "every job at work has saved where it was" + failed)
    }
    return mishaps
  }

  // A process may end without a word, and a signal may come: both are seen a moment later.
  private static func wait(for files: [Int32]) {
    var wanted = files.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    poll(&wanted, nfds_t(wanted.count), files.isEmpty ? 10 : 200)
  }
}

/// One process at work.
///
/// Foundation's `Process` is no choice here: it tells the end of a process by a socket that later processes inherit, and leaves signals
/// blocked in the child that the calling thread has blocked.
private final class Child {
  let task: ProcessPool.Task
  private let identifier: pid_t
  private let input: Int32
  private let output: Stream
  private let errors: Stream
  private var status: Int32?

  init(_ task: ProcessPool.Task, _ executable: String) throws {
    self.task = task
    let (input, output, errors) = (try Channel(), try Channel(), try Channel())
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (own, number) in [(input.reading, 0), (output.writing, 1), (errors.writing, 2)] {
      posix_spawn_file_actions_adddup2(&actions, own, Int32(number))
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    var heard = sigset_t()
    sigemptyset(&heard)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ] { sigaddset(&heard, number) }
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &heard)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    let words = ([executable] + task.arguments).map { strdup($0) }
    defer { for word in words { free(word) } }
    var started = pid_t()
    let error = posix_spawn(&started, executable, &actions, &attributes, words + [nil], environ)
    guard error == 0 else {
      for channel in [input, output, errors] { channel.close() }
      throw FileFailure(.missing, path: executable, reason: "cannot be started (\(errorText(error)))")
    }
    identifier = started
    close(input.reading)
    close(output.writing)
    close(errors.writing)
    self.input = input.writing
    self.output = Stream(output.reading)
    self.errors = Stream(errors.reading)
  }

  deinit {
    close(input)
    output.close()
    errors.close()
  }

  func send(_ signal: Int32) { if status == nil { kill(identifier, signal) } }

  /// What to wait for.
  var readable: [Int32] { [output, errors].filter { !$0.isAtEnd }.map(\.file) }

  /// Whether it has ended and everything that it wrote has been read.
  func isOver() -> Bool {
    if status == nil {
      var value: Int32 = 0
      if waitpid(identifier, &value, WNOHANG) == identifier { status = value }
    }
    // After the end of the process, so that its last words are there.
    output.read()
    errors.read()
    return status != nil
  }

  /// The lines of output that are whole; at the end, the rest.
  func lines() -> [String] {
    let lines = output.lines(isLast: status != nil)
    if !lines.isEmpty { hasSpoken = true }
    return lines
  }

  /// Whether it has told of work, which a signal that ends it at once leaves unsaved.
  private(set) var hasSpoken = false

  /// Whether it says, once it is over, that a signal has stopped it.
  var wasStopped: Bool {
    guard let status, status & 0x7F == 0 else { return false }
    return [ExitStatus.interrupted, .terminated].contains { $0.rawValue == (status >> 8) & 0xFF }
  }

  /// The signal that has ended it without its doing.
  var endingSignal: Int32? { status.flatMap { $0 & 0x7F == 0 ? nil : $0 & 0x7F } }

  /// What went wrong, once it is over.
  var mishap: ProcessPool.Mishap? {
    guard let status, status != 0 else { return nil }
    let last = errors.lines(isLast: true).last { !$0.isEmpty }
    let (signal, code) = (status & 0x7F, (status >> 8) & 0xFF)
    if signal == 0 {
      return .init(
        name: task.name, reason: last ?? "ended with exit code \(code)",
        exitCode: ExitStatus(rawValue: code) ?? .internalError)
    }
    let hint = signal == SIGKILL ? ", as the system does when memory runs out" : ""
    return .init(
      name: task.name, reason: "ended by signal \(signal)\(hint)" + (last.map { ": \($0)" } ?? ""),
      exitCode: .internalError)
  }
}

/// A pipe that processes do not inherit.
private struct Channel {
  let reading: Int32
  let writing: Int32

  init() throws {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else {
      throw FileFailure(.io, path: "pipe", reason: "cannot be made (\(errorText(errno)))")
    }
    (reading, writing) = (ends[0], ends[1])
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
  }

  func close() {
    Glibc.close(reading)
    Glibc.close(writing)
  }
}

/// What a process writes, line by line.
private final class Stream {
  let file: Int32
  private(set) var isAtEnd = false
  private var bytes = Data()

  init(_ file: Int32) {
    self.file = file
    _ = fcntl(file, F_SETFL, O_NONBLOCK)
  }

  func close() { Glibc.close(file) }

  /// Takes what is there.
  func read() {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while !isAtEnd {
      let count = Glibc.read(file, &buffer, buffer.count)
      if count > 0 {
        bytes.append(contentsOf: buffer[..<count])
      } else if count == 0 {
        isAtEnd = true
      } else if errno != EINTR {
        return
      }
    }
  }

  /// Takes the lines that are whole; whoever wrote the last one may not have ended it.
  func lines(isLast: Bool) -> [String] {
    guard let end = isLast ? bytes.endIndex : bytes.lastIndex(of: 0x0A).map({ $0 + 1 }) else { return [] }
    let whole = bytes[..<end]
    bytes = Data(bytes[end...])
    return whole.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
  }
}
