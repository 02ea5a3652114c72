import Foundation
import Support
import Testing

@testable import ImageFiles
@testable import Loading

/// Calls `body` with the path of a new empty folder, which is removed afterwards.
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let path = NSTemporaryDirectory() + "/datasets-tests-" + UUID().uuidString
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}

/// Writes a file and the folders above it; returns its path.
@discardableResult
func write(_ bytes: [UInt8], to path: String) throws -> String {
  let folder = (path as NSString).deletingLastPathComponent
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  try Data(bytes).write(to: URL(fileURLWithPath: path))
  return path
}

/// Expects a `FileFailure` of the given kind about a path that ends with `path` and whose reason holds all `words`.
func expectFailure<Result>(
  _ kind: FileFailure.Kind?, path: String, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws -> Result
) {
  do {
    _ = try body()
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
  } catch let failure as FileFailure {
    if let kind { #expect(failure.kind == kind, "\(failure)", sourceLocation: sourceLocation) }
    #expect(failure.path.hasSuffix(path), "\(failure)", sourceLocation: sourceLocation)
    for word in words {
      #expect(failure.reason.contains(word), "\(failure) lacks \"\(word)\"", sourceLocation: sourceLocation)
    }
  } catch {
    Issue.record("\(error) was thrown", sourceLocation: sourceLocation)
  }
}
