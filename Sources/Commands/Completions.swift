import ArgumentParser
import Foundation
import Networks

/// What shells offer behind flags.
enum Completions {
  /// Names of networks, and the folders and files of networks that there are.
  static let networks = CompletionKind.custom { _, _, prefix in networks(beginningWith: prefix) }

  static func networks(beginningWith prefix: String) -> [String] {
    let folder = prefix.lastIndex(of: "/").map { String(prefix[...$0]) } ?? ""
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []).sorted()
    let files = names.compactMap { name -> String? in
      guard !name.hasPrefix(".") else { return nil }
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: folder + name, isDirectory: &isFolder)
      if isFolder.boolValue { return folder + name + "/" }
      return name.hasSuffix(".json") || name.hasSuffix(".onnx") ? folder + name : nil
    }
    return ((folder.isEmpty ? NetworkZoo.names : []) + files).filter { $0.hasPrefix(prefix) }
  }
}
