import Foundation

/// The JavaScript that draws the charts, found at run time and put into the report.
public enum VegaBundle {
  /// The file's name.
  public static let fileName = "vega-bundle.js"

  /// What to tell a person who has no bundle.
  public static let advice =
    "The charts are left out, because the chart library is not installed. "
    + "Run scripts/bundle-vega once, then the same command again, or `width-transfer report` on the folder of a run. "
    + "(Or name the file: WIDTH_TRANSFER_VEGA=/path/to/vega-bundle.js.)"

  /// Where the bundle may be, best first: `$WIDTH_TRANSFER_VEGA`, beside the executable, `.cache` of the checkout that the
  /// executable was built in.
  ///
  /// - Parameters:
  ///   - environment: The process's environment.
  ///   - executable: The path of the running program.
  public static func candidates(
    environment: [String: String] = ProcessInfo.processInfo.environment, executable: String? = executablePath()
  ) -> [String] {
    var candidates: [String] = []
    if let named = environment["WIDTH_TRANSFER_VEGA"], !named.isEmpty { candidates.append(named) }
    guard let executable else { return candidates }
    // Both as started and as it really lies: `.build/release` is a link to `.build/<triple>/release`.
    let url = URL(fileURLWithPath: executable)
    for url in [url, url.resolvingSymlinksInPath()] {
      var folder = url.deletingLastPathComponent().standardizedFileURL
      candidates.append(folder.appendingPathComponent(fileName).path)
      while folder.path != "/" {
        let isBuildFolder = folder.lastPathComponent.hasPrefix(".build")
        folder = folder.deletingLastPathComponent()
        if isBuildFolder { candidates.append(folder.appendingPathComponent(".cache/\(fileName)").path) }
      }
    }
    var seen: Set<String> = []
    return candidates.filter { seen.insert($0).inserted }
  }

  /// The bundle's text, or nil when it is nowhere.
  public static func find(
    environment: [String: String] = ProcessInfo.processInfo.environment, executable: String? = executablePath()
  ) -> String? {
    for path in candidates(environment: environment, executable: executable) {
      if let data = FileManager.default.contents(atPath: path), !data.isEmpty {
        return String(decoding: data, as: UTF8.self)
      }
    }
    return nil
  }

  /// The path of the running program.
  public static func executablePath() -> String? {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments.first
  }
}
