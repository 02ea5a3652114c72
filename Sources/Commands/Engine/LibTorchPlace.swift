import Foundation
import Support

/// Where LibTorch lies, and how the loader is told.
struct LibTorchPlace: Equatable {
  /// The folders to search, LibTorch's own first; those of a CUDA wheel's `nvidia-*` packages follow.
  var folders: [String]
  /// Whether the engine's own run path leads there.
  var isBuiltIn: Bool

  private static let libraries = ["libtorch.so", "libtorch_cpu.so", "libc10.so"]

  /// Finds LibTorch: `LIBTORCH` (or `LIBTORCH_LIB`), with `LIBTORCH_USE_PYTORCH=1` the `torch` package of the active python3,
  /// the place that the engine was built with, a folder beside the executable.
  ///
  /// - Throws: ``Support/MissingFailure`` that says what is missing, or that a version does not fit.
  static func find(
    environment: [String: String], engine: String, built: String = LibTorchVersion.built
  ) throws -> LibTorchPlace {
    let place = try locate(environment: environment, engine: engine)
    if !place.isBuiltIn, environment["LIBTORCH_BYPASS_VERSION_CHECK", default: ""].isEmpty {
      try requireFit(place.folders[0], built)
    }
    return place
  }

  private static func locate(environment: [String: String], engine: String) throws -> LibTorchPlace {
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    if let named = value("LIBTORCH_LIB") ?? value("LIBTORCH") {
      guard let folder = [named, named + "/lib", named + "/lib/lib"].first(where: holdsLibTorch) else {
        throw MissingFailure(
          "LIBTORCH names \(named), where there is no LibTorch: \(libraries.joined(separator: ", ")) are expected in its lib folder"
        )
      }
      return LibTorchPlace(folders: withCUDA(folder), isBuiltIn: false)
    }
    if value("LIBTORCH_USE_PYTORCH") == "1" {
      let folder = try pythonPackage(environment) + "/lib"
      guard holdsLibTorch(folder) else {
        throw MissingFailure("LIBTORCH_USE_PYTORCH: there is no LibTorch in \(folder)")
      }
      return LibTorchPlace(folders: withCUDA(folder), isBuiltIn: false)
    }
    let own = URL(fileURLWithPath: engine).resolvingSymlinksInPath().deletingLastPathComponent().path
    let built = ELFRunPath.folders(of: engine).map { $0.replacingOccurrences(of: "$ORIGIN", with: own) }
    if built.contains(where: holdsLibTorch) { return LibTorchPlace(folders: built, isBuiltIn: true) }
    let beside = ["libtorch/lib", "../libtorch/lib", "../lib/libtorch/lib", "../lib"].map { "\(own)/\($0)" }
    if let folder = beside.first(where: holdsLibTorch) {
      return LibTorchPlace(folders: withCUDA(folder), isBuiltIn: false)
    }
    // Of the run path, the toolchain's own folder is there; LibTorch's has gone.
    let gone = built.first { !FileManager.default.fileExists(atPath: $0) } ?? built.last
    throw MissingFailure(
      "LibTorch is missing: it is no longer in \(gone ?? "the place it was built with"). Run scripts/build to install it "
        + "there, or name another: LIBTORCH=/path of an unpacked one, or LIBTORCH_USE_PYTORCH=1 for the torch package of python3 "
        + "(pip install torch==\(LibTorchVersion.built))")
  }

  private static func holdsLibTorch(_ folder: String) -> Bool {
    libraries.allSatisfy { FileManager.default.fileExists(atPath: "\(folder)/\($0)") }
  }

  // A wheel of PyPI brings the CUDA libraries as packages beside it: nvidia/cublas/lib, nvidia/cu13/lib, …
  private static func withCUDA(_ folder: String) -> [String] {
    let packages = URL(fileURLWithPath: folder).deletingLastPathComponent().deletingLastPathComponent().path + "/nvidia"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: packages)) ?? []
    return [folder]
      + names.sorted().map { "\(packages)/\($0)/lib" }.filter { FileManager.default.fileExists(atPath: $0) }
  }

  private static func pythonPackage(_ environment: [String: String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "python3", "-c",
      "import importlib.util as u; s = u.find_spec('torch'); print(list(s.submodule_search_locations)[0] if s else '')",
    ]
    process.environment = environment
    let output = Pipe()
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    do { try process.run() } catch {
      throw MissingFailure("LIBTORCH_USE_PYTORCH is set, but python3 cannot be started: \(error)")
    }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    let folder = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard process.terminationStatus == 0, !folder.isEmpty else {
      throw MissingFailure(
        "LIBTORCH_USE_PYTORCH is set, but the active python3 has no torch package: python3 -m pip install torch==\(LibTorchVersion.built)"
      )
    }
    return folder
  }

  // LibTorch's C++ interface is that of one minor version.
  private static func requireFit(_ folder: String, _ built: String) throws {
    guard let found = LibTorchVersion.found(beside: folder) else { return }
    guard LibTorchVersion.minor(found) != LibTorchVersion.minor(built) else { return }
    throw MissingFailure(
      "this program was built for LibTorch \(built), and \(folder) holds \(found): install that version "
        + "(pip install 'torch==\(LibTorchVersion.minor(built)).*'), or build the program anew with \(found) (the same variables before scripts/build)"
    )
  }

  /// Tells the loader where to look, unless the engine knows it by itself. What LD_LIBRARY_PATH names comes before that, and may hold another
  /// LibTorch.
  func prepend(to environment: inout [String: String]) {
    let former = environment["LD_LIBRARY_PATH"].flatMap { $0.isEmpty ? nil : [$0] } ?? []
    guard !isBuiltIn || !former.isEmpty else { return }
    environment["LD_LIBRARY_PATH"] = (folders + former).joined(separator: ":")
  }
}
