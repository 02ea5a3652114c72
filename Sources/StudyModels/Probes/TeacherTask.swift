import Support
import Torch

/// Points of a normal distribution with the classes that a random linear map gives them.
struct TeacherTask {
  /// Points to train on, [samples, features].
  let training: Tensor
  /// Their classes.
  let labels: [Int]
  /// Points to test on.
  let heldOut: Tensor
  /// Their classes.
  let heldOutLabels: [Int]

  /// Draws a task.
  ///
  /// - Parameter noise: The part of the training points whose class is another, evenly over the others.
  init(samples: Int, heldOut count: Int, features: Int, classes: Int, noise: Double = 0, seed: Int) throws {
    var seeds = SeededGenerator(seed: seed, .probes, at: 1)
    let generator = try Generator(seed: seeds.next())
    let teacher = try Tensor.normal([classes, features], generator: generator)
    func labelled(_ samples: Int) throws -> (points: Tensor, labels: [Int]) {
      let points = try Tensor.normal([samples, features], generator: generator)
      return (points, try points.linear(teacher).argmax(1).array(Int64.self).map(Int.init))
    }
    var own = try labelled(samples)
    let others = try labelled(count)
    let order = (0..<samples).map { (key: seeds.next(), sample: $0) }.sorted { $0.key < $1.key }
    for (_, sample) in order.prefix(Int(noise * Double(samples))) {
      own.labels[sample] = (own.labels[sample] + 1 + seeds.nextInt(below: classes - 1)) % classes
    }
    (training, labels) = own
    (heldOut, heldOutLabels) = others
  }

  /// The classes as a tensor.
  var targets: Tensor { get throws { try Tensor(labels.map(Int64.init)) } }
}
