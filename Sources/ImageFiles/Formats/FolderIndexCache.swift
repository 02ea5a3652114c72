import CZlib
import Foundation
import Support

#if canImport(Glibc)
  import Glibc
#endif

/// A listing of a folder, kept from run to run: to look at every folder's time is faster than to read a million names again.
///
/// A folder's time changes when a file in it is added, removed or renamed. A listing is taken only when the times of all folders are
/// those of the listing, and none is so recent that a change could have gone unnoticed.
struct FolderIndexCache {
  private static let magic = Array("WTINDEX2".utf8)
  /// Folders with fewer images are listed every time.
  static let fewest = 10_000
  /// Times on some file systems are this coarse: what is younger is not trusted.
  var coarseSeconds = 3

  private let path: String
  private let root: String

  /// The listing of `root`, an absolute path or one relative to the current folder, in the folder `folder`.
  init(folder: String, root: String) {
    // With links followed: `..` behind a link leads elsewhere than the text says.
    let resolved = realpath(root, nil)
    defer { free(resolved) }
    let absolute = resolved.map { String(cString: $0) } ?? root
    self.root = absolute
    // Names the file; that it is the right listing is told from the path in it.
    var hash = SeededGenerator(seed: 0)
    for byte in absolute.utf8 { hash = SeededGenerator(seed: hash.next() ^ UInt64(byte)) }
    path = folder + "/listing-" + String(hash.next(), radix: 36)
  }

  /// Seconds since 1970 by the clock that files are stamped with.
  static func now() -> Int { Int(Date().timeIntervalSince1970) }

  /// The listing, when there is one and it still holds.
  func load() -> FolderIndex? {
    guard let file = try? RandomAccessFile(path: path) else { return nil }
    return (try? file.withBytes(0..<file.count) { index($0) }) ?? nil
  }

  private func index(_ bytes: UnsafeRawBufferPointer) -> FolderIndex? {
    var reader = Reader(bytes)
    guard var body = reader.checked(magic: Self.magic), body.string() == root else { return nil }
    guard let listedAt = body.number(), let folderCount = body.count() else { return nil }
    var index = FolderIndex()
    for _ in 0..<folderCount {
      guard let name = body.string(), let stamp = Stamp(of: name.isEmpty ? root : root + "/" + name),
        stamp.numbers.allSatisfy({ body.number() == $0 }), stamp.latest < listedAt - coarseSeconds
      else { return nil }
      index.folders.append(name)
    }
    guard let others = body.count(), let named = body.count(), named <= LeftOut.named else { return nil }
    var examples: [String] = []
    for _ in 0..<named {
      guard let name = body.string() else { return nil }
      examples.append(name)
    }
    index.others = LeftOut(count: others, examples: examples)
    guard let classCount = body.count() else { return nil }
    for _ in 0..<classCount {
      guard let name = body.string(), let count = body.count() else { return nil }
      index.classes.append(.init(name: name, count: count))
      for _ in 0..<count {
        guard let file = body.string() else { return nil }
        if !ImageFolder.isDecodableName(file) { index.oddlyNamed.append(index.files.count) }
        index.files.append(file)
      }
    }
    return index
  }

  /// Keeps a listing; without success the next run lists again.
  ///
  /// - Parameter listedAt: When the listing began.
  func save(_ index: FolderIndex, listedAt: Int) {
    guard index.files.count >= Self.fewest else { return }
    var body = Writer()
    body.string(root)
    body.number(listedAt)
    body.number(index.folders.count)
    for name in index.folders {
      // Had it changed since it was read, its time would be too late for the listing to be taken.
      guard let stamp = Stamp(of: name.isEmpty ? root : root + "/" + name) else { return }
      body.string(name)
      for number in stamp.numbers { body.number(number) }
    }
    body.number(index.others.count)
    body.number(index.others.examples.count)
    for name in index.others.examples { body.string(name) }
    body.number(index.classes.count)
    var file = 0
    for kind in index.classes {
      body.string(kind.name)
      body.number(kind.count)
      for _ in 0..<kind.count {
        body.string(index.files[file])
        file += 1
      }
    }
    let checksum = UInt64(Checksum.crc32(body.bytes))
    let content = body.bytes
    try? AtomicFile.createFolder(Path.folder(of: path))
    try? AtomicFile.write(to: path) { writer in
      try writer.write(Data(Self.magic))
      try withUnsafeBytes(of: checksum.littleEndian) { try writer.write($0) }
      try content.withUnsafeBytes { try writer.write($0) }
    }
  }

  /// Both times of a folder, the one that programs can set back and the one that they cannot, and which folder it is.
  private struct Stamp {
    let numbers: [Int]
    /// The later of the times, in seconds.
    let latest: Int

    init?(of folder: String) {
      guard let status = FileStatus(path: folder) else { return nil }
      numbers = status.modified + status.changed + [status.inode]
      latest = max(status.modified[0], status.changed[0])
    }
  }

  private struct Writer {
    var bytes: [UInt8] = []

    mutating func number(_ value: Int) {
      withUnsafeBytes(of: Int64(value).littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func string(_ text: String) {
      number(text.utf8.count)
      bytes.append(contentsOf: text.utf8)
    }
  }

  /// Reads what may be damaged: every access is checked.
  private struct Reader {
    private let bytes: UnsafeRawBufferPointer
    private var place = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The content behind the magic word, when the checksum is right.
    mutating func checked(magic: [UInt8]) -> Reader? {
      guard bytes.count > magic.count + 8, bytes.starts(with: magic) else { return nil }
      place = magic.count
      let content = UnsafeRawBufferPointer(rebasing: bytes[(magic.count + 8)...])
      guard number() == Int(Checksum.crc32(content)) else { return nil }
      return Reader(content)
    }

    mutating func number() -> Int? {
      guard place <= bytes.count - 8 else { return nil }
      defer { place += 8 }
      return Int(Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: Int64.self)))
    }

    /// A number of things that are still to come: never more than there are bytes.
    mutating func count() -> Int? { number().flatMap { (0...bytes.count).contains($0) ? $0 : nil } }

    mutating func string() -> String? {
      guard let length = count(), length <= bytes.count - place else { return nil }
      defer { place += length }
      return String(decoding: bytes[place..<place + length], as: UTF8.self)
    }
  }
}
