import Diagnosis
import Records
import Support
import Torch
import Training

/// Measures the phenomena of table 1 of Chen, Bu, Yan (2024) on small problems, each in seconds. [reconstructed: the source names the phenomena
/// and no problems]
public struct PhenomenaProbes {
  /// How long the probes train.
  public struct Sizes: Codable, Hashable, Sendable {
    /// Epochs of the Fisher information.
    public var criticalPeriod = 80
    /// Epochs of the frequencies.
    public var frequencies = 2000
    /// Epochs of modular addition.
    public var grokking = 4000
    /// Epochs of each width of double descent.
    public var descent = 2000
    /// Epochs of the weight norms.
    public var channels = 200

    /// The sizes that show what there is to show.
    public init() {}

    /// None longer than so many epochs: to see how it goes.
    public init(atMost epochs: Int) {
      criticalPeriod = min(criticalPeriod, epochs)
      frequencies = min(frequencies, epochs)
      grokking = min(grokking, epochs)
      descent = min(descent, epochs)
      channels = min(channels, epochs)
    }
  }

  /// The seed of everything random.
  public var seed: Int
  /// How long the probes train.
  public var sizes: Sizes
  /// Asked before every epoch; what it throws ends the work.
  public var check: () throws -> Void

  /// Describes the probes.
  public init(seed: Int, sizes: Sizes = Sizes(), check: @escaping () throws -> Void = {}) {
    self.seed = seed
    self.sizes = sizes
    self.check = check
  }

  /// Measures all of them.
  public func measure() throws -> PhenomenaSummary.Measurement {
    .init(
      seed: seed, criticalPeriod: try criticalPeriod(), frequencies: try frequencies(), grokking: try grokking(),
      descent: try descent(), channels: try channels())
  }

  // MARK: - Critical period

  /// A network of two hidden layers on the classes of a random linear map, by batches of 20.
  func criticalPeriod() throws -> PhenomenaSummary.CriticalPeriod {
    let task = try TeacherTask(samples: 200, heldOut: 1, features: 20, classes: 4, seed: seed)
    let network = try Perceptron([20, 64, 64, 4], seed: seed)
    var traces = [try Self.fisherTrace(network, task.training, seed: seed, epoch: 0)]
    try descend(network, task, batch: 20, epochs: sizes.criticalPeriod, learningRate: 0.05) { epoch in
      traces.append(try Self.fisherTrace(network, task.training, seed: seed, epoch: epoch))
    }
    return .init(traces: traces)
  }

  /// The mean over samples of ‖∇ log p(y)‖², with y drawn from p.
  static func fisherTrace(_ network: Perceptron, _ inputs: Tensor, seed: Int, epoch: Int) throws -> Double {
    var random = SeededGenerator(seed: seed, .probes, at: 2, epoch)
    let count = inputs.shape[0]
    var sum = 0.0
    for sample in 0..<count {
      let logarithms = try network(inputs.slice(0, sample..<sample + 1)).logSoftmax()
      let chances = try withoutGradients { try logarithms.exp().array(Float.self) }
      var left = random.nextUnit()
      let label = chances.firstIndex { chance in
        left -= Double(chance)
        return left < 0
      }
      let chosen = try logarithms.slice(1, (label ?? chances.count - 1)..<(label ?? chances.count - 1) + 1).sum()
      for gradient in try chosen.gradients(of: network.tensors) {
        guard let gradient else { continue }
        sum += try (gradient * gradient).sum().item()
      }
    }
    return sum / Double(count)
  }

  // MARK: - Frequency principle

  /// Three sines of one amplitude, by a network that reads the place.
  func frequencies() throws -> PhenomenaSummary.Frequencies {
    let (points, periods) = (128, [1, 3, 6])
    let places = (0..<points).map { 2 * Double($0) / Double(points) - 1 }
    let target = places.map { place in periods.reduce(0) { $0 + sine(Double($1) * .pi * place) } }
    let inputs = try Tensor(places.map(Float.init), shape: [points, 1])
    let wanted = try Tensor(target.map(Float.init), shape: [points, 1])
    let network = try Perceptron([1, 128, 128, 1], .tanh, seed: seed, firstWeights: 5, firstBiases: 3)
    let optimizer = try Adam(network.tensors, weightDecays: network.tensors.map { _ in 0 })
    let amplitudes = periods.map { Self.amplitude(target, $0) }
    var (epochs, errors): ([Int], [[Double]]) = ([], [])
    for epoch in 0...sizes.frequencies {
      try check()
      let outputs = try network(inputs)
      if epoch % 10 == 0 {
        let off = zip(try outputs.detached().array(Float.self), target).map { Double($0) - $1 }
        epochs.append(epoch)
        errors.append(zip(periods, amplitudes).map { Self.amplitude(off, $0) / $1 })
      }
      let difference = try outputs - wanted
      try step(optimizer, network, try (difference * difference).mean(), learningRate: 5e-4)
    }
    return .init(frequencies: periods, epochs: epochs, errors: errors)
  }

  /// |Σ f(n)·exp(−2πikn/N)|.
  static func amplitude(_ values: [Double], _ frequency: Int) -> Double {
    var (real, imaginary) = (0.0, 0.0)
    for (place, value) in values.enumerated() {
      let angle = 2 * Double.pi * Double(frequency * place) / Double(values.count)
      real += value * cosine(angle)
      imaginary += value * sine(angle)
    }
    return (real * real + imaginary * imaginary).squareRoot()
  }

  // MARK: - Grokking

  /// Sums of two numbers modulo 29, seven tenths of them to train on, with much weight decay.
  func grokking() throws -> PhenomenaSummary.Grokking {
    let modulus = 29
    var random = SeededGenerator(seed: seed, .probes, at: 3)
    let order = (0..<modulus * modulus).map { (key: random.next(), pair: $0) }.sorted { $0.key < $1.key }.map(\.pair)
    func problem(_ pairs: ArraySlice<Int>) throws -> (inputs: Tensor, labels: [Int]) {
      var values = [Float](repeating: 0, count: pairs.count * 2 * modulus)
      for (row, pair) in pairs.enumerated() {
        values[row * 2 * modulus + pair / modulus] = 1
        values[row * 2 * modulus + modulus + pair % modulus] = 1
      }
      return (
        try Tensor(values, shape: [pairs.count, 2 * modulus]), pairs.map { ($0 / modulus + $0 % modulus) % modulus }
      )
    }
    let training = try problem(order.prefix(order.count * 7 / 10))
    let others = try problem(order.dropFirst(order.count * 7 / 10))
    let targets = try Tensor(training.labels.map(Int64.init))
    let network = try Perceptron([2 * modulus, 128, modulus], seed: seed)
    let optimizer = try Adam(
      network.tensors, weightDecays: network.parameters.map { $0.name.hasSuffix("weight") ? 1 : 0 }, isDecoupled: true)
    var result = PhenomenaSummary.Grokking(epochs: [], training: [], heldOut: [])
    for epoch in 0...sizes.grokking {
      try check()
      if epoch % 10 == 0 {
        result.epochs.append(epoch)
        result.training.append(100 - (try network.errorRate(training.inputs, training.labels)))
        result.heldOut.append(100 - (try network.errorRate(others.inputs, others.labels)))
      }
      try step(optimizer, network, try network(training.inputs).crossEntropy(targets), learningRate: 0.01)
    }
    return result
  }

  // MARK: - Double descent

  /// A hundred points of four classes, a fifth of them with a wrong one, by networks of one hidden layer.
  func descent() throws -> PhenomenaSummary.Descent {
    let task = try TeacherTask(samples: 100, heldOut: 2000, features: 10, classes: 4, noise: 0.2, seed: seed)
    let widths = [1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128]
    var result = PhenomenaSummary.Descent(widths: widths, training: [], heldOut: [], epochs: [], heldOutByEpoch: [])
    let targets = try task.targets
    for width in widths {
      let network = try Perceptron([10, width, 4], seed: seed)
      let optimizer = try Adam(network.tensors, weightDecays: network.tensors.map { _ in 0 })
      for epoch in 0..<sizes.descent {
        try check()
        if width == widths.last, epoch.nonzeroBitCount == 1 || epoch % 100 == 0 {
          result.epochs.append(epoch)
          result.heldOutByEpoch.append(try network.errorRate(task.heldOut, task.heldOutLabels))
        }
        try step(optimizer, network, try network(task.training).crossEntropy(targets), learningRate: 0.01)
      }
      result.training.append(try network.errorRate(task.training, task.labels))
      result.heldOut.append(try network.errorRate(task.heldOut, task.heldOutLabels))
    }
    result.epochs.append(sizes.descent)
    result.heldOutByEpoch.append(result.heldOut[widths.count - 1])
    return result
  }

  // MARK: - The channels' weight norms

  /// One hidden layer of 4 and of 256 features on data of 32 features.
  func channels() throws -> PhenomenaSummary.Channels {
    let task = try TeacherTask(samples: 512, heldOut: 1, features: 32, classes: 10, seed: seed)
    func layer(_ width: Int) throws -> PhenomenaSummary.Channels.Layer {
      let network = try Perceptron([32, width, 10], seed: seed)
      let reader = WeightNormReader([network.channelGroup(0)])
      func sample(_ epoch: Int) throws -> [NormSample] {
        reader.samples(try reader.read { try network.parameters.tensor(named: $0) }, epoch: epoch)
      }
      var samples = try sample(0)
      try descend(network, task, batch: 32, epochs: sizes.channels, learningRate: 0.05, weightDecay: 1e-4) { epoch in
        samples += try sample(epoch)
      }
      let curve = NormSeries(samples).curve("0")
      return .init(width: width, curve: curve, finding: PatternClassifier().classify(curve))
    }
    return .init(narrow: try layer(4), wide: try layer(256))
  }

  // MARK: - Steps

  private func step(_ optimizer: Adam, _ network: Perceptron, _ loss: Tensor, learningRate: Double) throws {
    try Tensor.clearGradients(network.tensors)
    try loss.backward()
    try optimizer.step(learningRate: learningRate)
  }

  // Gradient descent with momentum by batches, in an order of each epoch's own.
  private func descend(
    _ network: Perceptron, _ task: TeacherTask, batch: Int, epochs: Int, learningRate: Double, weightDecay: Double = 0,
    ended: (Int) throws -> Void
  ) throws {
    let optimizer = try SGD(network.tensors, weightDecays: network.tensors.map { _ in weightDecay }, momentum: 0.9)
    let targets = try task.targets
    for epoch in 0..<epochs {
      var random = SeededGenerator(seed: seed, .probes, at: 4, epoch)
      let order = task.labels.indices.map { (key: random.next(), sample: $0) }.sorted { $0.key < $1.key }.map(\.sample)
      for start in stride(from: 0, to: order.count - batch + 1, by: batch) {
        try check()
        let chosen = try Tensor(order[start..<start + batch].map(Int64.init))
        try Tensor.clearGradients(network.tensors)
        try network(task.training.selecting(0, chosen)).crossEntropy(targets.selecting(0, chosen)).backward()
        try optimizer.step(learningRate: learningRate)
      }
      try ended(epoch + 1)
    }
  }
}
