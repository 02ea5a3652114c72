import Foundation
import Synchronization
import Testing

@testable import ImageFiles
@testable import Loading

@Suite("Prefetching")
struct OrderedPrefetchTests {
  private struct Trouble: Error, Equatable { let position: Int }

  @Test("delivers in order whatever the number of threads", arguments: [1, 2, 5])
  func ordered(threads: Int) throws {
    let prefetch = OrderedPrefetch(3..<200, threads: threads, depth: 3) { $0 * 2 }
    for position in 3..<200 { #expect(try prefetch.next() == position * 2) }
    #expect(try prefetch.next() == nil)
    #expect(try prefetch.next() == nil)
  }

  @Test("of nothing ends at once")
  func empty() throws {
    #expect(try OrderedPrefetch(4..<4, threads: 2, depth: 3) { $0 }.next() == nil)
  }

  @Test("computes no more than its depth ahead")
  func bounded() throws {
    let started = Mutex(0)
    let prefetch = OrderedPrefetch(0..<1000, threads: 2, depth: 3) { position in
      started.withLock { $0 = max($0, position + 1) }
      return position
    }
    for delivered in 1...50 {
      _ = try prefetch.next()
      #expect(started.withLock { $0 } <= delivered + 3)
    }
  }

  @Test("throws what a position threw, after what came before it, and goes on throwing", arguments: [1, 3])
  func failing(threads: Int) throws {
    let prefetch = OrderedPrefetch(0..<100, threads: threads, depth: 3) { position in
      if position >= 7 { throw Trouble(position: position) }
      return position
    }
    for position in 0..<7 { #expect(try prefetch.next() == position) }
    #expect(throws: Trouble(position: 7)) { try prefetch.next() }
    #expect(throws: Trouble(position: 7)) { try prefetch.next() }
  }

  @Test("released half way stops its threads and lets go of what they held", arguments: [1, 4])
  func released(threads: Int) throws {
    final class Held: Sendable {}
    weak var held: Held?
    do {
      let object = Held()
      held = object
      let prefetch = OrderedPrefetch(0..<1_000_000, threads: threads, depth: 3) { [object] position in
        _ = object
        return position
      }
      for _ in 0..<5 { _ = try prefetch.next() }
    }
    // The threads have ended; their stacks are unwound an instant later.
    let deadline = Date(timeIntervalSinceNow: 5)
    while held != nil && Date() < deadline { sched_yield() }
    #expect(held == nil)
  }
}
