import Networks
import Synchronization
import Testing
import Transfer

@Suite struct ResolutionCountTests {
  private final class Count: Sendable {
    let value = Atomic(0)
  }

  private func count(_ body: () throws -> Void) rethrows -> Int {
    let count = Count()
    try Network.$observer.withValue({ _ = count.value.add(1, ordering: .relaxed) }, operation: body)
    return count.value.load(ordering: .relaxed)
  }

  @Test("Every network on the way is resolved once")
  func once() throws {
    let projection = Projection(width: 0.5, depth: 0.5, resolution: 16, data: 0.2)
    let target = try NetworkZoo.resolved(named: "resnet20")
    #expect(try count { _ = try NetworkZoo.resolved(named: "resnet20") } == 1)
    // One each for fewer blocks, for fewer channels and for smaller images, and one for whether the blocks that go keep the size of their map.
    #expect(try count { _ = try projection.applied(to: target) } == 4)
    #expect(try count { _ = try Overhead(of: projection, target: target) } == 4)
    let source = try projection.applied(to: target)
    // The network that comes out.
    #expect(try count { _ = try Extrapolation.match(multipliers: [:], from: source, to: target) } == 1)
    #expect(try count { _ = try Budget.parse(["1x", "0.5x", "20M"], of: target) } == 0)
    let summaries = count { _ = NetworkSummary(target) }
    #expect(summaries == 0)
  }
}
