import Foundation
import Testing

@testable import ImageFiles
@testable import Loading

@Suite("Verification")
struct VerificationTests {
  @Test("names every image that cannot be decoded, in order, whatever the number of threads", arguments: [1, 3])
  func faults(threads: Int) throws {
    try withTemporaryFolder { root in
      for index in 0..<70 {
        let image = try png(gradient(width: 8, height: 8, phase: index))
        try write(
          [40, 41].contains(index) ? Array(image.prefix(50)) : image,
          to: "\(root)/train/\(index % 2 == 0 ? "a" : "b")/\(100 + index).png")
      }
      try write(try png(gradient(width: 8, height: 8)), to: root + "/val/a/0.png")
      try write([1, 2, 3], to: root + "/val/b/0.png")
      var last = (0, 0)
      let found = try DatasetVerification(try Dataset.open(root), threads: threads) { last = ($0, $1) }
      #expect(found.images == 72 && last == (72, 72))
      #expect(found.faults.map { ($0.file as NSString).lastPathComponent } == ["140.png", "141.png", "0.png"])
      #expect(found.faults.allSatisfy { !$0.reason.isEmpty })
    }
  }

  @Test("lists images that are read although they are damaged")
  func damaged() throws {
    try withTemporaryFolder { root in
      let whole = try jpeg(gradient(width: 64, height: 64))
      // Most of the data, then the mark of the end: the rest of the picture is grey.
      let half = Array(whole[..<(whole.count * 4 / 5)]) + [0xFF, 0xD9]
      for (name, bytes) in [
        ("train/a/1.jpg", whole), ("train/a/2.jpg", half), ("val/a/1.jpg", whole), ("train/b/1.jpg", whole),
        ("val/b/1.jpg", whole),
      ] {
        try write(bytes, to: "\(root)/\(name)")
      }
      let found = try DatasetVerification(try Dataset.open(root), threads: 1)
      #expect(found.faults.isEmpty && found.damaged.count == 1)
      #expect(found.damaged.first.map { $0.file.hasSuffix("2.jpg") && $0.reason.contains("premature end") } == true)
    }
  }

  @Test("ends when it is told to")
  func ends() throws {
    struct Enough: Error {}
    try withTemporaryFolder { root in
      for index in 0..<4 {
        try write(try png(gradient(width: 8, height: 8)), to: "\(root)/train/a/\(index).png")
        try write(try png(gradient(width: 8, height: 8)), to: "\(root)/train/b/\(index).png")
        try write(try png(gradient(width: 8, height: 8)), to: "\(root)/val/a/\(index).png")
        try write(try png(gradient(width: 8, height: 8)), to: "\(root)/val/b/\(index).png")
      }
      let dataset = try Dataset.open(root)
      #expect(throws: Enough.self) { try DatasetVerification(dataset, threads: 2) { _, _ in throw Enough() } }
    }
  }
}
