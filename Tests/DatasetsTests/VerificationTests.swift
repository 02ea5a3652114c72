import Foundation
import Support
import Testing

@testable import Datasets

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

  @Test("ends when it is told to")
  func ends() throws {
    struct Enough: Error {}
    try withTemporaryFolder { root in
      for index in 0..<4 {
        try write(try png(gradient(width: 8, height: 8)), to: "\(root)/train/a/\(index).png")
        try write(try png(gradient(width: 8, height: 8)), to: "\(root)/val/a/\(index).png")
      }
      let dataset = try Dataset.open(root)
      #expect(throws: Enough.self) { try DatasetVerification(dataset, threads: 2) { _, _ in throw Enough() } }
    }
  }
}
