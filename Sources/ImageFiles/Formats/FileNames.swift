/// Many short names in one piece of memory: each takes its bytes and 8 more, where a string of over 15 bytes takes an allocation of its
/// own.
struct FileNames: Hashable, Sendable {
  private var bytes: [UInt8] = []
  // Where each name ends.
  private var ends: [Int] = []

  init() {}

  init(_ names: some Sequence<String>) {
    for name in names { append(name) }
  }

  /// The number of names.
  var count: Int { ends.count }

  mutating func append(_ name: String) {
    bytes.append(contentsOf: name.utf8)
    ends.append(bytes.count)
  }

  subscript(index: Int) -> String {
    String(decoding: bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]], as: UTF8.self)
  }
}
