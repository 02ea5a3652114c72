import Foundation
import Support
import Testing

@testable import Records

@Suite struct RunManifestTests {
  private func folder() throws -> RunFolder {
    let path = NSTemporaryDirectory() + "manifest-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return RunFolder(path: path)
  }

  @Test("What is written is read, and a plan that comes again is the latest")
  func roundTrip() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    #expect(try RunManifest.read(folder) == nil)
    var manifest = RunManifest(parts: [.init(kind: "train", folder: "uniform/seed-0", identity: "1f")])
    manifest.begin(.run)
    manifest.begin(.compare)
    manifest.begin(.run)
    try manifest.write(folder)
    let read = try #require(try RunManifest.read(folder))
    #expect(read == manifest)
    #expect(read.plans == [.compare, .run])
    #expect(read.part("train", "1f")?.folder == "uniform/seed-0")
    #expect(read.part("search", "1f") == nil)
  }

  @Test(
    "A manifest that leads elsewhere, or is of another form, is bad data",
    arguments: [
      #"{"format":1,"plans":["run"],"parts":[{"kind":"train","folder":"../else","identity":"1"}]}"#,
      #"{"format":1,"plans":["run"],"parts":[{"kind":"train","folder":"/etc","identity":"1"}]}"#,
      #"{"format":1,"plans":["run"],"parts":[{"kind":"train","folder":"a//b","identity":"1"}]}"#,
      #"{"format":2,"plans":["run"],"parts":[]}"#,
      #"{"format":1,"plans":["dance"],"parts":[]}"#,
      #"{"#,
    ])
  func hostile(text: String) throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    try AtomicFile.write(text, to: folder.manifest)
    let failure = #expect(throws: FileFailure.self) { _ = try RunManifest.read(folder) }
    #expect(failure?.kind == .badData && failure?.path == folder.manifest)
  }

  @Test("A summary leads to parts of its own run, and nowhere else")
  func parts() {
    let folder = RunFolder(path: "/runs/a/flops-0.5x")
    #expect(folder.part("uniform/seed-0")?.path == "/runs/a/flops-0.5x/uniform/seed-0")
    #expect(folder.part("../search")?.path == "/runs/a/flops-0.5x/../search")
    for path in ["../../b", "/etc", "", "..", "a/../../b", "./a"] { #expect(folder.part(path) == nil, "\(path)") }
    #expect(RunFolder.relative("search", to: "flops-0.5x") == "../search")
    #expect(RunFolder.relative("flops-0.5x/search", to: "flops-0.5x") == "search")
    #expect(RunFolder.relative("search", to: "") == "search")
  }
}
