#if COVERAGE_GUIDED

  import Foundation
  import Support

  // What libFuzzer's library has instead of a `main`: https://llvm.org/docs/LibFuzzer.html#using-libfuzzer-as-a-library
  @_silgen_name("LLVMFuzzerRunDriver")
  private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
  ) -> Int32

  @_silgen_name("LLVMFuzzerMutate")
  private func mutate(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ largest: Int) -> Int

  /// Damage that libFuzzer guides by the branches that it reaches.
  enum Guided {
    // What C functions without a context read; set once, before the driver calls them on the same thread.
    nonisolated(unsafe) private static var reader: Reader?
    nonisolated(unsafe) private static var place: Place?

    /// Runs libFuzzer on one kind of files; it ends the process.
    ///
    /// - Parameter arguments: libFuzzer's own: corpus folders and flags.
    static func run(_ reader: Reader, _ place: Place, _ arguments: [String]) -> Int32 {
      (Self.reader, Self.place) = (reader, place)
      // Where libFuzzer starts itself again, as to merge corpora, it calls its first word and adds the others.
      let own = CommandLine.arguments.prefix { $0 != "--" } + ["--"]
      let words = ([own.joined(separator: " ")] + arguments).map { strdup($0) } + [nil]
      var count = Int32(arguments.count + 1)
      let list = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: words.count)
      list.initialize(from: words, count: words.count)
      var all = list
      return runDriver(&count, &all) { bytes, size in
        Guided.test(Array(UnsafeBufferPointer(start: bytes, count: size)))
        return 0
      }
    }

    private static func test(_ input: [UInt8]) {
      guard input.count > 1, let reader, let place else { return }
      // What a reader is asked for beside the file depends on the file alone, so that an input is all that is kept.
      var random = SeededGenerator(seed: Int(Repair.sum(input[...])), .mutation, at: 0)
      do {
        _ = try reader.read(input, in: place, &random)
      } catch {
        StandardError.write("fuzz-readers: an error that is no failure of a file: \(error)\n")
        abort()
      }
    }
  }

  /// Called by libFuzzer for each new input: its own mutation, or now and then ours, which knows digits; then checksums.
  @_cdecl("LLVMFuzzerCustomMutator")
  package func customMutator(
    _ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ largest: Int, _ seed: UInt32
  ) -> Int {
    guard size > 1 else { return mutate(data, size, largest) }
    var random = SeededGenerator(seed: Int(seed), .mutation, at: 1)
    var bytes: [UInt8]
    // The first byte names the file, and stays.
    if random.nextInt(below: 4) == 0 {
      let old = Array(UnsafeBufferPointer(start: data + 1, count: size - 1))
      bytes = Mutation.damaged(old, with: old, &random)
    } else {
      let count = mutate(data + 1, size - 1, largest - 1)
      bytes = Array(UnsafeBufferPointer(start: data + 1, count: count))
    }
    if random.nextInt(below: 2) == 0 { Repair.checksums(&bytes) }
    let count = min(bytes.count, largest - 1)
    for position in 0..<count { data[1 + position] = bytes[position] }
    return count + 1
  }

#endif
