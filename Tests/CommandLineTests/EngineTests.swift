import Foundation
import Testing

@testable import Commands

/// How the command line finds LibTorch, and does without it where no tensor is needed.
@Suite struct EngineTests {
  /// The folder of LibTorch that this checkout was built with.
  private static var libTorch: String {
    get throws {
      let folders = ELFRunPath.folders(of: try Workplace.executable + "-engine")
      return try #require(
        folders.first { FileManager.default.fileExists(atPath: $0 + "/libtorch_cpu.so") }, "\(folders)")
    }
  }

  /// Both programs in a folder of their own, with an engine that was built with a LibTorch that has since been moved away.
  private func moved(_ place: Workplace) throws -> String {
    let executable = try Workplace.executable
    let folder = place.file("programs")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: executable, toPath: folder + "/width-transfer")
    var engine = try Data(contentsOf: URL(fileURLWithPath: executable + "-engine"))
    let old = Data(try Self.libTorch.utf8)
    let gone = Data(("/gone" + String(repeating: "/x", count: old.count)).utf8.prefix(old.count))
    while let range = engine.range(of: old) { engine.replaceSubrange(range, with: gone) }
    let path = folder + "/width-transfer-engine"
    try engine.write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    return folder + "/width-transfer"
  }

  @Test(
    "What needs no tensor loads no LibTorch",
    arguments: ["--version", "inspect resnet20 --json", "train --help", "data verify data"])
  func pure(words: String) throws {
    let place = try Workplace()
    let traced = try place.shell("LD_TRACE_LOADED_OBJECTS=1 \"$WT\" \(words)")
    #expect(traced.code == 0 && traced.output.contains("libc.so"), "\(traced)")
    for name in ["libtorch", "libc10", "libgomp"] { #expect(!traced.output.contains(name), "\(traced.output)") }
    try place.run(words.split(separator: " ").map(String.init)).expect(0)
  }

  @Test("A LibTorch that was moved away is exit 69 and advice; named, it works again without a rebuild")
  func movedAway() throws {
    let place = try Workplace()
    let program = try moved(place)
    let train = "\(program) \(Workplace.training.joined(separator: " ")) --quiet --output"
    let clean = "env -u LIBTORCH -u LIBTORCH_LIB -u LIBTORCH_USE_PYTORCH"
    try place.shell("\(clean) \(train) out").expect(
      69, "LibTorch is missing: it is no longer in /gone", "LIBTORCH=", "LIBTORCH_USE_PYTORCH=1")
    #expect(!place.has("out"))
    try place.shell("\(clean) \(program) inspect resnet20 --json").expect(0)
    let library = try Self.libTorch
    let folder = URL(fileURLWithPath: library).deletingLastPathComponent().path
    try place.shell("\(clean) LIBTORCH=\(folder) \(train) named").expect(0)
    #expect(place.has("named/model.safetensors"))
    // The active python's: a stand-in that answers as python3 does when it is asked for its torch package.
    try place.write("#!/bin/sh\necho '\(folder)'\n", to: "python3")
    try place.shell("chmod +x python3").expect(0)
    try place.shell("\(clean) PATH=\"$PWD:$PATH\" LIBTORCH_USE_PYTORCH=1 \(train) python").expect(0)
    #expect(try place.bytes("python/model.safetensors") == place.bytes("named/model.safetensors"))
    // Beside the program.
    try FileManager.default.createSymbolicLink(atPath: place.file("programs/libtorch"), withDestinationPath: folder)
    try place.shell("\(clean) \(train) beside").expect(0)
  }

  @Test("A LibTorch that is none, or of another version, is exit 69 and says so")
  func unfit() throws {
    let place = try Workplace()
    let train = "\"$WT\" \(Workplace.training.joined(separator: " ")) --output out"
    try place.shell("LIBTORCH=$PWD \(train)").expect(69, "LIBTORCH names", "libtorch_cpu.so")
    try place.write("#!/bin/sh\necho\n", to: "python3")
    try place.shell("chmod +x python3").expect(0)
    try place.shell("env -u LIBTORCH PATH=\"$PWD:$PATH\" LIBTORCH_USE_PYTORCH=1 \(train)").expect(
      69, "no torch package", "pip install torch==")
    try FileManager.default.createDirectory(atPath: place.file("old"), withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: place.file("old/lib"), withDestinationPath: Self.libTorch)
    try place.write("1.13.1+cpu\n", to: "old/build-version")
    try place.shell("LIBTORCH=$PWD/old \(train)").expect(69, "1.13.1", LibTorchVersion.built)
    try place.shell("LIBTORCH=$PWD/old LIBTORCH_BYPASS_VERSION_CHECK=1 \(train) --quiet").expect(0)
  }

  @Test("A program without its engine says what is missing")
  func alone() throws {
    let place = try Workplace()
    try FileManager.default.copyItem(atPath: Workplace.executable, toPath: place.file("width-transfer"))
    try place.shell("./width-transfer --version").expect(0)
    try place.shell("./width-transfer \(Workplace.training.joined(separator: " ")) --output out").expect(
      69, "width-transfer-engine", "scripts/build")
  }

  @Test("A usage error needs no LibTorch, and run.yaml names the one that ran")
  func usage() throws {
    let place = try Workplace()
    let program = try moved(place)
    try place.shell("\(program) train --network resnet20").expect(64, "--dataset")
    try place.run(Workplace.training + ["--quiet", "--output", "out"]).expect(0)
    let version = try place.text("out/run.yaml").split(separator: "\n").first { $0.hasPrefix("libtorch:") }
    #expect(version?.contains(LibTorchVersion.minor(LibTorchVersion.built)) == true, "\(version ?? "none")")
  }

  @Test("Files that are no programs have no run path")
  func hostile() throws {
    let place = try Workplace()
    let engine = try Data(
      contentsOf: URL(fileURLWithPath: Workplace.executable + "-engine"), options: .alwaysMapped)
    #expect(ELFRunPath.folders(of: place.file("nothing")).isEmpty)
    for size in [0, 3, 63, 64, 100, 500] {
      try place.write(Data(engine.prefix(size)), to: "cut")
      #expect(ELFRunPath.folders(of: place.file("cut")).isEmpty)
    }
    // Offsets and sizes of the header that lead anywhere.
    for offset in [32, 40, 54, 56] {
      var damaged = Data(engine.prefix(4096))
      for byte in offset..<offset + 2 { damaged[damaged.startIndex + byte] = 0xFF }
      try place.write(damaged, to: "damaged")
      _ = ELFRunPath.folders(of: place.file("damaged"))
    }
  }
}
