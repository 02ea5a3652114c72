import Torch

/// Sums losses on the device, so that a step need not wait for them.
struct LossMeter {
  private var sum: Tensor
  private var pending = 0
  private var shownSum = 0.0
  private var shownCount = 0

  init(device: Device) throws { sum = try Tensor.zeros([], .float64, device: device) }

  mutating func add(_ loss: Tensor) throws {
    try sum.add(inPlace: loss.detached().to(.float64))
    pending += 1
  }

  /// Adds a loss that the host knows.
  mutating func add(host loss: Double) {
    shownSum += loss
    shownCount += 1
  }

  /// The sum and number of losses since the last call. Waits for the device.
  mutating func read() throws -> (sum: Double, count: Int) {
    guard pending > 0 else { return (0, 0) }
    let value = try sum.item()
    try sum.fill(0)
    let count = pending
    pending = 0
    shownSum += value
    shownCount += count
    return (value, count)
  }

  /// The mean of the losses read since this was last asked.
  mutating func takeMean() -> Double {
    defer { (shownSum, shownCount) = (0, 0) }
    return shownSum / Double(max(shownCount, 1))
  }
}

/// Counts images and says about once a second that it is time to tell.
struct RateMeter {
  var images = 0
  private var since: Double

  init(_ now: Double) { since = now }

  func isDue(_ now: Double) -> Bool { now - since >= 1 }

  mutating func take(_ now: Double) -> Double {
    defer { (images, since) = (0, now) }
    return Double(images) / max(now - since, 1e-9)
  }
}
