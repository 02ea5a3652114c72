import Support
import Testing

@testable import ImageFiles
@testable import Loading

@Suite("RandAugment")
struct RandAugmentTests {
  @Test("has the operations of torchvision, with the same signs")
  func operations() throws {
    let references = try TransformReferences.read().randAugment
    let all = RandAugmentOperation.allCases
    #expect(all.map { $0.rawValue.lowercased() } == references.names.map { $0.lowercased() })
    #expect(all.filter(\.isSigned).map { $0.rawValue.lowercased() } == references.signed.map { $0.lowercased() })
  }

  @Test("has the magnitudes of torchvision, to the last bit")
  func magnitudes() throws {
    let references = try TransformReferences.read().randAugment
    let size = ImageSize(width: 32, height: 32)
    #expect(references.magnitudes.count == 9)
    for (name, expected) in references.magnitudes {
      let operation = try #require(RandAugmentOperation(torchvisionName: name))
      #expect((0...30).map { operation.magnitude(at: $0, size: size) } == expected, "\(name)")
    }
    #expect(references.shifts.count == 26)
    for (side, expected) in references.shifts {
      let side = try #require(Int(side))
      let wide = ImageSize(width: side, height: 10)
      #expect((0...30).map { Int(RandAugmentOperation.translateX.magnitude(at: $0, size: wide)) } == expected)
      let high = ImageSize(width: 10, height: side)
      #expect((0...30).map { Int(RandAugmentOperation.translateY.magnitude(at: $0, size: high)) } == expected)
    }
  }

  @Test("makes the bytes of torchvision")
  func equalReferences() throws {
    let references = try TransformReferences.read().randAugment
    let images = try references.images.map { try #require(TransformReferences.image($0)) }
    #expect(Set(references.crc.map(\.operation)) == Set(references.names))
    for reference in references.crc {
      let operation = try #require(RandAugmentOperation(torchvisionName: reference.operation))
      #expect(reference.crc.count == images.count)
      for (index, expected) in reference.crc.enumerated() {
        let image = images[index]
        let magnitude = reference.sign * operation.magnitude(at: reference.bin, size: image.size)
        let found = operation.apply(to: image, magnitude: magnitude)
        let name = "\(reference.operation) at \(reference.bin) of \(references.images[index])"
        #expect(found.crc == expected, "\(name), sign \(reference.sign)")
      }
    }
  }

  @Test("draws all operations and both signs equally often")
  func draws() {
    var generator = SeededGenerator(seed: 8)
    var counts: [String: Int] = [:]
    for _ in 0..<28_000 {
      let (operation, sign) = RandAugment.draw(from: &generator)
      counts["\(operation)\(operation.isSigned ? (sign < 0 ? "-" : "+") : "")", default: 0] += 1
      #expect(sign == 1 || operation.isSigned)
    }
    #expect(counts.count == 14 + 9)
    for (name, count) in counts {
      let expected = name.hasSuffix("-") || name.hasSuffix("+") ? 1000 : 2000
      #expect(abs(count - expected) < 225, "\(name): \(count)")
    }
  }

  @Test("applies as many operations as asked for, each to the result of the one before")
  func severalOperations() throws {
    let image = try #require(TransformReferences.image("wide3"))
    for seed in 0..<20 as Range<UInt64> {
      var (whole, steps) = (SeededGenerator(seed: seed), SeededGenerator(seed: seed))
      let three = RandAugment(operations: 3, magnitude: 14).apply(to: image, &whole)
      var expected = image
      for _ in 0..<3 { expected = RandAugment(operations: 1, magnitude: 14).apply(to: expected, &steps) }
      #expect(three == expected && three.size == image.size)
    }
  }
}

extension RandAugmentOperation {
  /// The operation that torchvision spells so.
  fileprivate init?(torchvisionName name: String) {
    self.init(rawValue: name.prefix(1).lowercased() + name.dropFirst())
  }
}
