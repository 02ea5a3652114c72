import Foundation
import Support

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Files of weights, one for each of several epochs, in the order of the numbers in their names.
public struct CheckpointSeries: Sendable, Hashable {
  /// The weights of one epoch.
  public struct File: Sendable, Hashable {
    /// The number in its name.
    public let epoch: Int
    /// Where it is.
    public let path: String
  }

  /// The files in the order of their numbers.
  public let files: [File]

  /// Finds the files of paths and patterns (`epochs/*.safetensors`) and orders them by the last number in each name (or its folder's), as a number: 9
  /// before 10.
  ///
  /// - Throws: ``Support/FileFailure`` of kind `missing` when a pattern matches nothing; ``Support/UsageFailure`` for a name without a
  ///   number, and when two names have the same.
  public init(_ patterns: [String]) throws {
    var paths: [String] = []
    for pattern in patterns {
      let found = Self.matches(pattern)
      guard !found.isEmpty else {
        throw FileFailure(.missing, path: pattern, reason: "no file has a name like this")
      }
      paths += found.filter { !paths.contains($0) }
    }
    var byEpoch: [Int: String] = [:]
    for path in paths {
      guard let epoch = Self.number(in: path) else {
        throw UsageFailure(
          "\(path): its name holds no number to say after which epoch it was written; name it such as epoch-12.safetensors"
        )
      }
      if let other = byEpoch[epoch] {
        throw UsageFailure("\(other) and \(path) both say epoch \(epoch); name a pattern that matches one of them")
      }
      byEpoch[epoch] = path
    }
    files = byEpoch.sorted { $0.key < $1.key }.map { File(epoch: $0.key, path: $0.value) }
  }

  /// The last number in a file's name, its extension left aside; without one, that in the name of its folder (`checkpoint-500/model.safetensors`).
  static func number(in path: String) -> Int? {
    let file = (path as NSString).lastPathComponent as NSString
    let folder = ((path as NSString).deletingLastPathComponent as NSString).lastPathComponent
    return lastNumber(file.deletingPathExtension) ?? lastNumber(folder)
  }

  private static func lastNumber(_ name: String) -> Int? {
    var digits = ""
    for character in name.reversed() {
      if character.isASCII, character.isNumber {
        digits = String(character) + digits
      } else if !digits.isEmpty {
        break
      }
    }
    return Int(digits)
  }

  private static func matches(_ pattern: String) -> [String] {
    if FileManager.default.fileExists(atPath: pattern) { return [pattern] }
    var result = glob_t()
    defer { globfree(&result) }
    guard glob(pattern, 0, nil, &result) == 0, let list = result.gl_pathv else { return [] }
    return (0..<Int(result.gl_pathc)).compactMap { list[$0].map { String(cString: $0) } }
  }
}
