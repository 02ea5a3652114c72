import Networks
import Support

/// What tells how long networks take for one image: a runtime on this machine.
public protocol LatencyClock {
  /// The runtime with its version: `libtorch 2.13.0`.
  var runtime: String { get }
  /// The threads of one computation.
  var threads: Int { get }
  /// The seconds of one image, for a network with weights that are not trained.
  ///
  /// - Throws: What the runtime throws; `Interrupted` when the work is stopped.
  func seconds(of network: ResolvedNetwork) throws -> Double
  /// The seconds of a network of one step, as far as they are the step's: what a runtime spends on bringing channels into blocks and
  /// back, which a whole network needs at its ends only, does not count.
  ///
  /// - Throws: As ``seconds(of:)``.
  func seconds(ofStep network: ResolvedNetwork) throws -> Double
}

extension LatencyClock {
  /// The seconds of a call that computes nothing worth mentioning, for each step that it does not compute.
  ///
  /// Of an activation of one number the call is nearly all; what each further one adds is what a step costs at least.
  func callSeconds() throws -> Double {
    func chain(_ count: Int) throws -> ResolvedNetwork {
      try Network(
        name: "nothing", input: Shape(channels: 1, height: 1, width: 1),
        layers: (0..<count).map { index in
          // Not one function on itself, which a runtime may take for one.
          Layer(
            name: "step\(index)", operation: .activation(index % 2 == 0 ? .sigmoid : .relu),
            inputs: [index == 0 ? Network.inputName : "step\(index - 1)"])
        }
      ).resolved()
    }
    let (one, several) = (try seconds(of: chain(1)), try seconds(of: chain(11)))
    return max(0, one - max(0, several - one) / 10)
  }
}

/// Times that one measurement consists of.
enum Timing {
  /// The least of several times, each a mean over as many calls as take a few milliseconds.
  ///
  /// The least, because a machine that does something else for a moment makes times long, and never short.
  static func least(rounds: Int = 5, atLeast seconds: Double = 0.003, _ call: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    func time(_ count: Int) throws -> Double {
      let start = clock.now
      for _ in 0..<count { try call() }
      let passed = clock.now - start
      return Double(passed.components.seconds) + Double(passed.components.attoseconds) * 1e-18
    }
    try call()
    let once = try time(2) / 2
    let count = max(1, min(10_000, Int(seconds / max(once, 1e-7))))
    // What takes long by itself is not disturbed by moments.
    return try (0..<(once > 0.05 ? 2 : rounds)).reduce(.infinity) { least, _ in
      try min(least, time(count) / Double(count))
    }
  }
}
