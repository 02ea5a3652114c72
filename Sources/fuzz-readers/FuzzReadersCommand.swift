import ArgumentParser
import Foundation
import Support
import Torch

/// Damages real files at random and reads them: whatever comes in, a reader refuses it with a typed failure or returns something. It
/// does not crash, does not hang and does not take memory without bound. `scripts/fuzz` makes the corpus and calls this.
@main
struct FuzzReadersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz-readers",
    abstract: "Reads randomly damaged files until something breaks, or all inputs are done.",
    discussion: """
      The corpus is a folder with a folder for each kind: \(Reader.Kind.allCases.map(\.rawValue).joined(separator: ", ")); those that \
      are missing are left out. An input that breaks a reader is kept in the scratch folder as input-THREAD; --replay reads it again.
      """)

  @Option(help: "The folder of sound files.")
  var corpus: String

  @Option(help: "How many inputs.")
  var inputs = 1_000_000

  @Option(help: "The seed of all damage.")
  var seed = 0

  @Option(help: "Threads that read.")
  var threads = ProcessInfo.processInfo.activeProcessorCount

  @Option(help: "A folder for the inputs, best in memory.")
  var scratch = "/dev/shm/fuzz-readers"

  @Option(help: "The most megabytes that the process may hold.")
  var memory = 1500

  @Option(help: "The most seconds that one input may take.")
  var seconds = 20.0

  @Option(help: "Read this one input, of the kind and with the draws of its name, and nothing else.")
  var replay: String?

  @Option(
    help:
      "Let libFuzzer damage files of this kind, guided by what it reaches; needs a build by `scripts/fuzz --guided`.")
  var guided: String?

  @Option(
    help: "Write the sound files as inputs of libFuzzer into this folder, a folder for each kind, and nothing else.")
  var seeds: String?

  @Argument(parsing: .postTerminator, help: "libFuzzer's folders and flags.")
  var driver: [String] = []

  func run() throws {
    try Torch.setThreads(1)
    try AtomicFile.createFolder(scratch)
    let readers = try Reader.all(corpus: corpus)
    guard !readers.isEmpty else { throw FileFailure(.missing, path: corpus, reason: "holds no files to damage") }
    if let replay { return try Self.replay(replay, readers, scratch) }
    if let seeds { return try Self.writeSeeds(readers, seeds) }
    if let guided { return try runGuided(Self.reader(guided, among: readers)) }
    let tally = Tally()
    let watch = Watch(threads: threads, megabytes: memory, seconds: seconds, scratch: scratch)
    let shares = (0..<threads).map { thread in stride(from: thread, to: inputs, by: threads) }
    let group = DispatchGroup()
    for (thread, numbers) in shares.enumerated() {
      group.enter()
      let worker = Thread {
        defer { group.leave() }
        do {
          let place = try Place(folder: "\(scratch)/\(thread)", kept: "\(scratch)/input-\(thread)")
          for number in numbers {
            // Every input depends on the seed and its number alone, so that it can be made again.
            var random = SeededGenerator(seed: seed, .mutation, at: number)
            let reader = readers[random.nextInt(below: readers.count)]
            let input = reader.input(&random)
            try place.keep(input, reader.kind, random)
            watch.begin(thread)
            tally.add(reader.kind, try reader.read(input, in: place, &random))
            watch.end(thread)
          }
        } catch {
          StandardError.write("fuzz-readers: an error that is no failure of a file: \(error); see input-\(thread)\n")
          Foundation.exit(1)
        }
      }
      worker.stackSize = 8 << 20
      worker.start()
    }
    let started = Date()
    while group.wait(timeout: .now() + 30) == .timedOut {
      StandardError.write("fuzz-readers: \(tally.count) of \(inputs), \(watch.summary)\n")
    }
    print(tally.text)
    print("\(inputs) inputs in \(Int(Date().timeIntervalSince(started))) s; \(watch.summary)")
  }

  private static func reader(_ kind: String, among readers: [Reader]) throws -> Reader {
    guard let found = readers.first(where: { $0.kind.rawValue == kind }) else {
      throw ValidationError(
        "the corpus holds no files of the kind \(kind); there are \(readers.map(\.kind.rawValue).joined(separator: ", "))"
      )
    }
    return found
  }

  private static func writeSeeds(_ readers: [Reader], _ folder: String) throws {
    for reader in readers {
      try AtomicFile.createFolder("\(folder)/\(reader.kind.rawValue)")
      for (number, input) in reader.sound.enumerated() {
        try Data(input).write(to: URL(fileURLWithPath: "\(folder)/\(reader.kind.rawValue)/sound-\(number)"))
      }
    }
  }

  private func runGuided(_ reader: Reader) throws {
    #if COVERAGE_GUIDED
      let place = try Place(
        folder: "\(scratch)/\(reader.kind.rawValue)", kept: "\(scratch)/input-\(reader.kind.rawValue)")
      throw ExitCode(Guided.run(reader, place, driver))
    #else
      throw ValidationError("this build is not instrumented; `scripts/fuzz --guided` makes one that is")
    #endif
  }

  private static func replay(_ path: String, _ readers: [Reader], _ scratch: String) throws {
    let kept = try Place.kept(path)
    guard let reader = readers.first(where: { $0.kind == kept.kind }) else {
      throw FileFailure(.badData, path: path, reason: "is of the kind \(kept.kind), of which the corpus holds nothing")
    }
    var random = kept.random
    let place = try Place(folder: scratch + "/replay", kept: scratch + "/input-replay")
    print(try reader.read(kept.input, in: place, &random))
  }
}
