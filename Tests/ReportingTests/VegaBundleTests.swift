import Foundation
import Records
import Testing

@testable import Reporting

@Suite struct VegaBundleTests {
  @Test func placesComeInTheirOrder() {
    let places = VegaBundle.candidates(
      environment: ["WIDTH_TRANSFER_VEGA": "/elsewhere/v.js"], executable: "/src/.build/release/width-transfer")
    #expect(places == ["/elsewhere/v.js", "/src/.build/release/vega-bundle.js", "/src/.cache/vega-bundle.js"])
  }

  @Test func tripleInThePathMakesNoDifference() {
    let places = VegaBundle.candidates(
      environment: [:], executable: "/src/.build/x86_64-unknown-linux-gnu/release/width-transfer")
    #expect(places.last == "/src/.cache/vega-bundle.js")
  }

  @Test func linkToTheExecutableIsFollowed() throws {
    try SyntheticRun.withFolder { folder in
      let files = FileManager.default
      let release = folder.file("checkout/.build/triple/release")
      try files.createDirectory(atPath: release, withIntermediateDirectories: true)
      try files.createDirectory(atPath: folder.file("checkout/.cache"), withIntermediateDirectories: true)
      try Data("bundle".utf8).write(to: URL(fileURLWithPath: folder.file("checkout/.cache/vega-bundle.js")))
      try Data().write(to: URL(fileURLWithPath: release + "/width-transfer"))
      try files.createSymbolicLink(
        atPath: folder.file("width-transfer"), withDestinationPath: release + "/width-transfer")
      #expect(VegaBundle.find(environment: [:], executable: folder.file("width-transfer")) == "bundle")
    }
  }
}
