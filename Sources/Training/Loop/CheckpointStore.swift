import Foundation
import Interchange
import Support
import Torch

/// The checkpoints of a run: safetensors files with everything that the next step depends on.
///
/// Each is written whole or not at all, and the one before stays until the next is complete. Which one is the latest is
/// read from inside the files.
public struct CheckpointStore {
  /// The folder of the checkpoints.
  public let folder: String
  /// What the run is; a checkpoint of another run is refused.
  public let identity: String

  private static let formatVersion = "1"

  /// Names a store without touching the disk.
  ///
  /// - Parameter identity: Text that is equal for equal runs: network, recipe, seed and data.
  public init(folder: String, identity: String) {
    self.folder = folder
    self.identity = identity
  }

  /// A checkpoint that has been read.
  public struct Loaded<State: Decodable> {
    /// Steps that it holds.
    public let step: Int
    /// What the run keeps beside its tensors.
    public let state: State
    /// The tensors.
    public let file: SafetensorsFile
  }

  /// Writes a checkpoint and removes all but the one before it.
  ///
  /// - Returns: The file's name in the folder.
  @discardableResult
  public func save(step: Int, state: some Encodable, tensors: [(name: String, tensor: Tensor)]) throws -> String {
    let place = Path.folder(of: folder)
    guard place.isEmpty || FileManager.default.fileExists(atPath: place) else {
      throw FileFailure(
        .io, path: place,
        reason: "the folder was removed while the work in it went on; run the same command again to start anew")
    }
    try AtomicFile.createFolder(folder)
    let name = "\(Self.prefix)\(step)\(Self.suffix)"
    try SafetensorsWriter.write(
      try tensors.map { try .init(name: $0.name, $0.tensor) },
      metadata: [
        "checkpoint": Self.formatVersion, "step": String(step), "identity": identity,
        "state": String(decoding: try JSONEncoder.compact.encode(state), as: UTF8.self),
      ], to: (folder as NSString).appendingPathComponent(name))
    // What cannot be read is of no use to a later start.
    let all = candidates()
    let kept = Set(all.filter(\.isReadable).prefix(2).map(\.path))
    for old in all where !kept.contains(old.path) { try? FileManager.default.removeItem(atPath: old.path) }
    return name
  }

  /// Reads the latest checkpoint, or nil when there is none.
  ///
  /// A checkpoint that cannot be read is passed over with a warning, in favour of the one before.
  ///
  /// - Throws: `UsageFailure` when the folder holds another run's checkpoints.
  public func latest<State: Decodable>(
    _ type: State.Type, warn: (String) throws -> Void
  ) throws -> Loaded<State>? {
    for path in candidates().map(\.path) {
      do {
        let file = try SafetensorsFile(path: path)
        guard file.metadata["checkpoint"] == Self.formatVersion, let step = file.metadata["step"].flatMap(Int.init),
          let text = file.metadata["state"], let identity = file.metadata["identity"]
        else { throw FileFailure(.badData, path: path, reason: "it is not a checkpoint of this version") }
        try requireOwn(identity)
        return Loaded(step: step, state: try JSONDecoder.own.decode(type, from: Data(text.utf8)), file: file)
      } catch let error as UsageFailure {
        throw error
      } catch {
        try warn("a checkpoint is passed over: \(error)")
      }
    }
    return nil
  }

  /// Makes sure that the folder holds no other run's checkpoints, before anything is written beside them.
  ///
  /// - Throws: `UsageFailure` that names the first difference.
  public func refuseOtherRuns() throws {
    for path in candidates().map(\.path) {
      if let identity = (try? SafetensorsFile(path: path))?.metadata["identity"] { return try requireOwn(identity) }
    }
  }

  private func requireOwn(_ identity: String) throws {
    guard identity != self.identity else { return }
    throw Self.otherRun(folder, identity, self.identity)
  }

  /// The failure for a folder that holds a run of another identity.
  package static func otherRun(_ folder: String, _ found: String, _ expected: String) -> UsageFailure {
    .otherRun(in: folder, firstDifference(found, expected))
  }

  /// Removes all checkpoints.
  public func removeAll() throws {
    for path in candidates().map(\.path) { try? FileManager.default.removeItem(atPath: path) }
  }

  private struct Candidate {
    var step: Int
    var path: String
    var isReadable: Bool
  }

  private static let (prefix, suffix) = ("step-", ".safetensors")

  // Newest first, by the number in the header, never by sorting names as text. Where a header cannot be read, the number in
  // the name takes its place, so that the file is come upon (and warned of) before the ones that it should have followed.
  private func candidates() -> [Candidate] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let all = names.filter { $0.hasPrefix(Self.prefix) && $0.hasSuffix(Self.suffix) }.map { name in
      let path = (folder as NSString).appendingPathComponent(name)
      if let step = (try? SafetensorsFile(path: path))?.metadata["step"].flatMap(Int.init) {
        return Candidate(step: step, path: path, isReadable: true)
      }
      let number = Int(name.dropFirst(Self.prefix.count).dropLast(Self.suffix.count))
      return Candidate(step: number ?? -1, path: path, isReadable: false)
    }
    return all.sorted { $0.step > $1.step }
  }
}

extension CheckpointStore {
  /// Names the first value that differs between two identities, by its path: `recipe.epochs is 3, asked for is 5`.
  static func firstDifference(_ found: String, _ expected: String) -> String {
    var (a, b): ([String: String], [String: String]) = ([:], [:])
    collect(found, "", into: &a)
    collect(expected, "", into: &b)
    guard let key = Set(a.keys).union(b.keys).sorted().first(where: { a[$0] != b[$0] }), !key.isEmpty else {
      return "its configuration differs"
    }
    if key == "data" || key.hasSuffix(".data") { return "it was made with other labels or images, of the same names" }
    func short(_ value: String?) -> String {
      value.map { $0.count > 60 ? String($0.prefix(57)) + "…" : $0 } ?? "nothing"
    }
    let (one, other) = (short(a[key]), short(b[key]))
    return one == other ? "its \(key) differs" : "its \(key) is \(one), asked for is \(other)"
  }

  // Values by their paths. A text that is JSON itself (an identity inside an identity) is opened too.
  private static func collect(_ value: Any, _ path: String, into leaves: inout [String: String]) {
    if let text = value as? String, let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) {
      collect(object, path, into: &leaves)
    } else if let object = value as? [String: Any] {
      for (key, value) in object { collect(value, path.isEmpty ? key : "\(path).\(key)", into: &leaves) }
    } else if let list = value as? [Any] {
      leaves["\(path).count"] = "\(list.count)"
      for (index, value) in list.enumerated() { collect(value, "\(path)[\(index)]", into: &leaves) }
    } else {
      leaves[path] = "\(value)"
    }
  }
}

extension CheckpointStore.Loaded {
  /// Copies tensors of the checkpoint, by name, into tensors of the same shapes.
  ///
  /// - Throws: `FileFailure` when one is missing or has another shape; nothing is changed then.
  public func restore(_ targets: [(name: String, tensor: Tensor)]) throws {
    for (name, tensor) in targets {
      guard let entry = file.entries[name], entry.shape == tensor.shape else {
        throw FileFailure(.badData, path: file.path, reason: "the checkpoint does not fit this run: \(name)")
      }
    }
    try withoutGradients {
      for (name, tensor) in targets { try tensor.copy(from: file.tensor(name)) }
    }
  }
}
