import Foundation
import Testing
import Torch

/// Tensors on memory that earlier ones have left.
@Suite struct KeptMemoryTests {
  init() { Torch.keepFreedMemory() }

  @Test("Tensors of all sizes keep their numbers while others come and go, on several threads")
  func contents() {
    DispatchQueue.concurrentPerform(iterations: 4) { thread in
      var state = UInt64(thread + 1)
      func random(_ count: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % count
      }
      var held: [(tensor: Tensor, value: Double, count: Int)] = []
      for round in 0..<600 {
        // From some bytes to some megabytes, by octaves.
        let count = random(1 << random(21)) + 1
        let value = Double(thread * 1000 + round)
        guard let tensor = try? Tensor.ones([count]) * value else {
          Issue.record("no tensor of \(count)")
          return
        }
        held.append((tensor, value, count))
        if held.count > 12 {
          let (tensor, value, count) = held.remove(at: random(held.count))
          let ends = try? [tensor.slice(0, 0..<1), tensor.slice(0, count - 1..<count)].map { try $0.sum().item() }
          if ends != [value, value] {
            Issue.record("\(count) elements: \(String(describing: ends)) instead of \(value)")
          }
        }
      }
    }
  }

  @Test("No elements, and more than there is")
  func extremes() throws {
    #expect(try Tensor.ones([0]).sum().item() == 0)
    #expect { try Tensor.ones([1 << 58]) } throws: { ($0 as? TorchError)?.isOutOfMemory == true }
    #expect { try Tensor.ones([1 << 45]) } throws: { ($0 as? TorchError)?.isOutOfMemory == true }
    // What failed leaves nothing behind.
    #expect(try Tensor.ones([1 << 20]).sum().item() == Double(1 << 20))
  }

  @Test("Operations are counted with their time and their bytes; one measurement at a time")
  func operations() throws {
    let values = try Tensor.ones([1000])
    let times = try Torch.measuringOperations { for _ in 0..<3 { _ = try values.relu() } }
    let relu = try #require(times.first { $0.name.contains("clamp_min") || $0.name.contains("relu") })
    #expect(relu.calls == 3)
    #expect(times.reduce(0) { $0 + $1.bytes } == 3 * 2 * 4000)
    #expect(times.allSatisfy { $0.seconds >= 0 })
    struct Broken: Error {}
    #expect(throws: Broken.self) { try Torch.measuringOperations { throw Broken() } }
    #expect(throws: TorchError.self) { try Torch.measuringOperations { _ = try Torch.measuringOperations {} } }
    #expect(try Torch.measuringOperations {}.isEmpty)
  }
}

/// Asked for in the middle of other work, as by a library's user who has computed something before the first training.
@Suite struct KeptMemoryStartTests {
  @Test(
    "Memory is asked to be kept while convolutions run on other threads: what they hold is freed where it was taken")
  func start() throws {
    // Set later, oneDNN's buffers were freed by another allocator than had given them, and the heap was corrupt.
    #expect(Torch.ownsMemory)
    let failed = Failures()
    DispatchQueue.concurrentPerform(iterations: 4) { thread in
      do {
        let weight = try Tensor.ones([5, 3, 3, 3])
        try weight.setRequiresGradient(true)
        for round in 0..<40 {
          if thread == 0, round == 20 { Torch.keepFreedMemory() }
          let image = try Tensor.ones([2, 3, 9, 9])
          let sum = try image.conv2d(weight).sum()
          try sum.backward()
          if try sum.item() != Double(2 * 5 * 49 * 27) { failed.add() }
        }
      } catch { failed.add() }
    }
    #expect(failed.count == 0)
  }

  private final class Failures: @unchecked Sendable {
    private let lock = NSLock()
    private var number = 0
    var count: Int { lock.withLock { number } }
    func add() { lock.withLock { number += 1 } }
  }
}
