import Support

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The loop that the Matthew effect is made of, in the smallest network that has it: y = Σ c_i·max(0, a_i·x), trained by gradient descent on a
/// teacher of one channel. Figure 1a of Chen, Bu, Yan (2024). [reconstructed]
///
/// The gradient of a_i is in proportion to c_i and that of c_i to a_i's norm, so that a channel that is ahead grows faster; ‖a_i‖² − c_i² hardly
/// changes with small steps.
public struct TwoChannelLoop: Codable, Hashable, Sendable {
  /// What is known of every channel at one step.
  public struct Sample: Codable, Hashable, Sendable {
    /// Steps made.
    public var step: Int
    /// ‖a_i‖.
    public var incoming: [Double]
    /// |c_i|.
    public var outgoing: [Double]
    /// The norm of the gradient of a_i.
    public var incomingGradient: [Double]
    /// |∂L/∂c_i|.
    public var outgoingGradient: [Double]
    /// The mean squared error.
    public var loss: Double

    /// ‖a_i‖² − c_i², which gradient flow keeps.
    public var balances: [Double] { zip(incoming, outgoing).map { $0 * $0 - $1 * $1 } }
  }

  /// The samples in order, from before the first step.
  public private(set) var samples: [Sample] = []

  /// In which part of the steps, before the loss is small, the channel with the largest c_i has the largest gradient of a_i.
  public var agreement: Double {
    let early = samples.filter { $0.loss > 0.05 * (samples.first?.loss ?? 0) }
    let alike = early.count { sample in
      let first = sample.outgoing.indices.max { sample.outgoing[$0] < sample.outgoing[$1] }
      let second = sample.incomingGradient.indices.max { sample.incomingGradient[$0] < sample.incomingGradient[$1] }
      return first == second
    }
    return early.isEmpty ? 0 : Double(alike) / Double(early.count)
  }

  /// Trains.
  ///
  /// - Parameters:
  ///   - starts: The size of each channel's weights at the start: two or more, in nearly one direction.
  ///   - inputs: Dimensions of an input.
  public init(
    starts: [Double] = [0.30, 0.20], inputs: Int = 10, examples: Int = 200, learningRate: Double = 0.01,
    steps: Int = 1500, seed: Int = 0
  ) {
    var random = SeededGenerator(seed: seed, .twoChannelLoop)
    func normal() -> Double {
      let (a, b) = (1 - random.nextUnit(), random.nextUnit())
      return (-2 * log(a)).squareRoot() * cos(2 * .pi * b)
    }
    func unit(_ vector: [Double]) -> [Double] {
      let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return vector.map { $0 / norm }
    }
    let direction = unit((0..<inputs).map { _ in normal() })
    let x = (0..<examples).map { _ in (0..<inputs).map { _ in normal() } }
    func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    let y = x.map { 2 * max(0, product(direction, $0)) }
    var incoming = starts.map { size in
      unit(direction.map { $0 + 0.1 * normal() }).map { $0 * size }
    }
    var outgoing = starts
    for step in 0...max(steps, 1) {
      var a = incoming.map { $0.map { _ in 0.0 } }
      var c = outgoing.map { _ in 0.0 }
      var loss = 0.0
      for (x, y) in zip(x, y) {
        let values = incoming.map { max(0, product($0, x)) }
        let error = product(outgoing, values) - y
        loss += error * error / Double(examples)
        for channel in outgoing.indices where values[channel] > 0 {
          c[channel] += error * values[channel] / Double(examples)
          for place in 0..<inputs { a[channel][place] += error * outgoing[channel] * x[place] / Double(examples) }
        }
      }
      func norm(_ vector: [Double]) -> Double { product(vector, vector).squareRoot() }
      samples.append(
        Sample(
          step: step, incoming: incoming.map(norm), outgoing: outgoing.map(abs), incomingGradient: a.map(norm),
          outgoingGradient: c.map(abs), loss: loss))
      for channel in outgoing.indices {
        outgoing[channel] -= learningRate * c[channel]
        for place in 0..<inputs { incoming[channel][place] -= learningRate * a[channel][place] }
      }
    }
  }
}
