import Foundation

/// Computes the elements of a range ahead of their use, on threads of its own, and delivers them in order.
///
/// At most `depth` elements are computed but not yet delivered. Which thread computes an element does not show: `produce`
/// depends on the position alone. When the object is released, the threads are told to stop and are waited for; each
/// finishes the element that it is at.
package final class OrderedPrefetch<Element: Sendable> {
  private let state: State

  /// Starts computing.
  package init(
    _ positions: Range<Int>, threads: Int, depth: Int, produce: @escaping @Sendable (Int) throws -> Element
  ) {
    precondition(threads > 0 && depth > 0, "\(threads) threads and a depth of \(depth) cannot deliver anything")
    let workers = min(threads, positions.count)
    let state = State(positions, depth: depth, workers: workers)
    self.state = state
    for number in 0..<workers {
      // The threads hold the state, never this object: so it can be released while they run.
      let thread = Thread { state.work(produce) }
      thread.name = "prefetch \(number)"
      thread.start()
    }
  }

  deinit { state.stop() }

  /// The next element, waiting for it if need be; nil after the last.
  ///
  /// - Throws: what `produce` threw for it, and the same again on every later call.
  package func next() throws -> Element? { try state.take() }
}

extension OrderedPrefetch {
  /// What the threads share. Every stored property that changes is touched under `condition` only.
  private final class State: @unchecked Sendable {
    private let condition = NSCondition()
    private let end: Int
    private let depth: Int
    private var nextToStart: Int
    private var nextToDeliver: Int
    private var ready: [Int: Result<Element, any Error>] = [:]
    private var failure: (any Error)?
    private var isStopped = false
    private var workers: Int

    init(_ positions: Range<Int>, depth: Int, workers: Int) {
      end = positions.upperBound
      nextToStart = positions.lowerBound
      nextToDeliver = positions.lowerBound
      self.depth = depth
      self.workers = workers
    }

    func work(_ produce: (Int) throws -> Element) {
      while let position = start() {
        let result = Result { try produce(position) }
        finish(position, result)
      }
    }

    // The next position to compute, or nil when the thread is to end.
    private func start() -> Int? {
      condition.lock()
      defer { condition.unlock() }
      while !isStopped && nextToStart < end && nextToStart >= nextToDeliver + depth { condition.wait() }
      if isStopped || nextToStart >= end {
        workers -= 1
        condition.broadcast()
        return nil
      }
      defer { nextToStart += 1 }
      return nextToStart
    }

    private func finish(_ position: Int, _ result: Result<Element, any Error>) {
      condition.lock()
      defer { condition.unlock() }
      ready[position] = result
      // Nothing after a failure is ever delivered.
      if case .failure = result { nextToStart = end }
      condition.broadcast()
    }

    func take() throws -> Element? {
      condition.lock()
      defer { condition.unlock() }
      if let failure { throw failure }
      if nextToDeliver >= end { return nil }
      while ready[nextToDeliver] == nil { condition.wait() }
      let result = ready.removeValue(forKey: nextToDeliver)
      nextToDeliver += 1
      condition.broadcast()
      do {
        return try result?.get()
      } catch {
        failure = error
        throw error
      }
    }

    func stop() {
      condition.lock()
      defer { condition.unlock() }
      isStopped = true
      condition.broadcast()
      while workers > 0 { condition.wait() }
    }
  }
}
