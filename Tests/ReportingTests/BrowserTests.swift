import Foundation
import Records
import Testing

@testable import Reporting

/// Opens reports in headless Chromium by scripts/check-report; skipped where Chromium or the bundle is missing.
@Suite struct BrowserTests {
  private static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private static let bundle: String? = {
    let path = root.appendingPathComponent(".cache/\(VegaBundle.fileName)").path
    return (try? String(contentsOfFile: path, encoding: .utf8)) ?? VegaBundle.find()
  }()

  private static let canRun: Bool = {
    let environment = ProcessInfo.processInfo.environment
    let folders = (environment["PATH"] ?? "").split(separator: ":")
    let names = ["chromium", "chromium-browser", "google-chrome"]
    let isInstalled =
      environment["CHROMIUM"] != nil
      || folders.contains { folder in
        names.contains { FileManager.default.isExecutableFile(atPath: "\(folder)/\($0)") }
      }
    return isInstalled && bundle != nil
  }()

  @Test(.enabled(if: canRun, "needs Chromium and .cache/vega-bundle.js (scripts/bundle-vega)"))
  func everyChartIsDrawnWithoutAWordOnTheConsole() throws {
    try SyntheticRun.withFolder { folder in
      let first = RunFolder(path: folder.file("first"))
      let second = RunFolder(path: folder.file("second"))
      try SyntheticRun().writeRun(to: first)
      try SyntheticRun(gain: 0.1).writeRun(to: second)
      let methods = RunFolder(path: folder.file("methods"))
      let once = RunFolder(path: folder.file("once"))
      try SyntheticComparison().write(to: methods)
      try SyntheticComparison(seeds: [0], modes: [.transferred]).write(to: once)
      let pages = [
        "run": [first], "search": [first.search], "training": [first.training("optimized", seed: 1)],
        "comparison": [first, second], "methods": [methods], "methods-once": [once],
      ]
      // With REPORTING_PICTURES=DIR the pages and their pictures are kept there to look at.
      let kept = ProcessInfo.processInfo.environment["REPORTING_PICTURES"]
      for (name, folders) in pages {
        let path = ((kept ?? folder.path) as NSString).appendingPathComponent("\(name).html")
        let report = try Report(folders)
        try report.write(to: path, bundle: Self.bundle)
        if let kept { try report.writeChartSpecifications(to: "\(kept)/charts/\(name)") }
        try check([path] + (kept.map { ["\($0)/\(name).png"] } ?? []))
      }
    }
  }

  private func check(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = Self.root.appendingPathComponent("scripts/check-report")
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(text)")
  }
}
