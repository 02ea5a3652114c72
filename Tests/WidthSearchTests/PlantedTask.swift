import Foundation
import ImageFiles
import Methods
import Networks
import Support
import Testing

@testable import WidthSearch

/// A small task whose right widths are known before anything is searched: channels belong into one of two branches.
///
/// A picture is two fields, as in interlaced television: the even rows show one texture, the odd rows another, drawn
/// independently. Each branch sees one field alone, whatever its weights are, and one field alone decides the class. So
/// the channels of the other branch can only learn pictures by heart.
struct PlantedTask {
  /// What was planted. Four of the plants are two pairs of mirror images: what a method owes to the order or the shape of
  /// the branches, and not to the plant, has the opposite sign in the other one of a pair.
  enum Plant: String, CaseIterable {
    /// The even rows decide the class; the first branch is the right one.
    case evenRows
    /// The odd rows decide: the same pictures under other labels. The second branch is the right one.
    case oddRows
    /// Both branches see the whole picture, of one texture, and look for the same; the second does so at four times as
    /// many places, for four times the cost. The first branch is the right one.
    case cheapFirst
    /// The same with the cheap branch second.
    case cheapSecond
    /// Nothing decides the class: labels are drawn. No branch is right; what a search prefers here is its noise.
    case nothing
  }

  static let branches = ["first", "second"]

  var plant: Plant
  /// Of the pictures, of the weights at the start, and of the search.
  var seed: Int

  /// The position of the branch that channels belong into; of the first, where none is right.
  var rightBranch: Int { plant == .oddRows || plant == .cheapSecond ? 1 : 0 }

  private var isAboutCost: Bool { plant == .cheapFirst || plant == .cheapSecond }

  // MARK: - Pictures

  private static let side = 16
  private static let count = 1024
  private static let amplitude = 40.0
  private static let noise = 80.0

  // Waves of 3 and of 5 places in four directions: filters of 3×3 tell them apart, and a stride of 2 divides neither
  // period, so that every second place shows as much of a wave as all places.
  private static let waves: [(vertical: Double, horizontal: Double)] = [
    (0, 1 / 3), (1 / 3, 0), (1 / 3, 1 / 3), (1 / 3, -1 / 3), (0, 1 / 5), (1 / 5, 0), (1 / 5, 1 / 5), (1 / 5, -1 / 5),
  ]

  /// Waves in random phases under noise. Plants of one kind and seed have the same pictures.
  var images: InMemoryImages {
    var random = SeededGenerator(seed: UInt64(seed), 0x9A17)
    var pixels: [UInt8] = []
    pixels.reserveCapacity(Self.count * Self.side * Self.side)
    var labels: [Int] = []
    for _ in 0..<Self.count {
      let kinds = (0..<3).map { _ in random.nextInt(below: Self.waves.count) }
      let phases = (0..<2).map { _ in random.nextUnit() }
      labels.append(kinds[plant == .nothing ? 2 : plant == .oddRows ? 1 : 0])
      for row in 0..<Self.side {
        let field = isAboutCost ? 0 : row % 2
        let place = Double(isAboutCost ? row : row / 2)
        let wave = Self.waves[kinds[field]]
        for column in 0..<Self.side {
          let turns = phases[field] + place * wave.vertical + Double(column) * wave.horizontal
          let signal = Self.amplitude * cos(2 * Double.pi * turns)
          pixels.append(UInt8(128 + signal + Self.noise * (random.nextUnit() - 0.5)))
        }
      }
    }
    return InMemoryImages(
      name: "planted", size: ImageSize(width: Self.side, height: Self.side), channels: 1,
      classNames: Self.waves.indices.map(String.init), labels: labels, pixels: pixels)
  }

  // MARK: - Network

  /// Two branches of two convolutions that meet before the classifier, or only some of them.
  func network(_ kept: [String] = branches) -> Network {
    var layers: [Layer] = []
    for branch in kept {
      var input = "input"
      for (position, convolution) in convolutions(of: branch).enumerated() {
        let name = "\(branch).\(position)"
        layers += [
          Layer(name: name, operation: .convolution(convolution), inputs: [input]),
          Layer(name: "\(name).bn", operation: .batchNorm(BatchNorm()), inputs: [name]),
          Layer(name: "\(name).relu", operation: .activation(.relu), inputs: ["\(name).bn"]),
        ]
        input = "\(name).relu"
      }
      layers.append(Layer(name: "\(branch).pool", operation: .globalAveragePool, inputs: [input]))
    }
    layers += [
      Layer(name: "join", operation: .concatenate, inputs: kept.map { "\($0).pool" }),
      Layer(name: "flatten", operation: .flatten, inputs: ["join"]),
      Layer(name: "fc", operation: .linear(Linear(outputFeatures: Self.waves.count)), inputs: ["flatten"]),
    ]
    return Network(name: "planted", input: Shape(channels: 1, height: Self.side, width: Self.side), layers: layers)
  }

  private func convolutions(of branch: String) -> [Convolution] {
    let isFirst = branch == Self.branches[0]
    var first = Convolution(outputChannels: 8, kernelSize: 3, stride: 2, padding: 1)
    var second = Convolution(outputChannels: 8, kernelSize: 3, padding: 1)
    if !isAboutCost {
      // Of every second row, the padding decides which: a filter meets the rows −2, 0, 2, … or −1, 1, 3, …
      first.dilation = Extent(height: 2, width: 1)
      first.padding = Extent(height: isFirst ? 2 : 1, width: 1)
    } else if isFirst != (plant == .cheapFirst) {
      // The filters that the cheap branch would need, applied at every place instead of every second.
      first.stride = 1
      (second.dilation, second.padding) = (2, 2)
    }
    return [first, second]
  }

  // MARK: - Search

  /// The mean of the advantages in a pair of mirror images: the plant's effect, without a method's other preferences.
  static func effect(_ plants: (Plant, Plant), _ method: PlantedMethod, seed: Int) throws -> Double {
    let advantages = try [plants.0, plants.1].map { try PlantedTask(plant: $0, seed: seed).advantage(method) }
    return (advantages[0] + advantages[1]) / 2
  }

  /// By how many doublings a search makes the right branch wider than the other one, relative to the network.
  ///
  /// The binary logarithm of the ratio of their width multipliers, each the geometric mean over the branch's groups.
  func advantage(_ method: PlantedMethod) throws -> Double {
    var search = ToySearch(seed: seed)
    search.optimizer = try method.optimizer
    search.source = images
    search.network = network()
    // Half the cost, so that channels are scarce.
    search.budgets = [0.5]
    search.recipe = try method.recipe
    let multipliers = try search.run().multipliers(of: search.network)
    let doublings = Self.branches.map { branch in
      let values = multipliers.filter { $0.key.hasPrefix(branch) }.values.map { log2($0) }
      return values.reduce(0, +) / Double(values.count)
    }
    return doublings[rightBranch] - doublings[1 - rightBranch]
  }
}

/// A method with settings for a search of a hundred steps or two.
struct PlantedMethod: Sendable, CustomTestStringConvertible {
  var name: String
  /// What the table calls it beside its name.
  var variant = ""
  /// What differs from the defaults.
  var settings: [String: String] = [:]
  var epochs = 4
  /// The least effect of a field that decides, in doublings.
  var fieldEffect: Double
  /// The least effect of the cost, in doublings; nil where a method looks at no layer's cost when it chooses.
  var costEffect: Double?

  // Measured effects and their spread are in docs/results/planted-task.md.
  static let all = [
    // α at the rate that the method takes by itself for so few steps, 2, swings far around the budget: with four groups,
    // each has a large share of the cost.
    PlantedMethod(
      name: "dmcp", settings: ["alphaLearningRate": "0.5", "warmUpFraction": "0.3"], fieldEffect: 0.8, costEffect: 0.2),
    PlantedMethod(
      name: "dmcp", variant: ", ramp",
      settings: ["parametrisation": "ramp", "alphaLearningRate": "0.5", "warmUpFraction": "0.3"], fieldEffect: 0.8),
    // Takes the channel that is missed least, whatever it costs.
    PlantedMethod(name: "autoslim", fieldEffect: 2.2),
    // Under the usual pressure, 1, channels die everywhere before the network has begun to learn.
    PlantedMethod(
      name: "morphnet", settings: ["kappa": "0.2", "minimumChannels": "1"], epochs: 6, fieldEffect: 0.7,
      costEffect: 0.4),
    // The usual 1e-4 moves a scale by less than 0.01 in so few steps. All channels are ranked alike, whatever they cost.
    PlantedMethod(name: "network-slimming", settings: ["sparsity": "0.01"], fieldEffect: 2),
  ]

  var testDescription: String { name + variant }

  var optimizer: any WidthSearching {
    get throws { try WidthOptimizers.named(name, settings: settings).searching() }
  }

  /// As the method trains in earnest, but for the number of epochs. Not augmented: a shift would exchange the fields.
  var recipe: Recipe {
    get throws {
      var recipe = try optimizer.searchRecipe(
        from: Recipe(batchSize: 32, learningRate: 0.1, warmUpEpochs: 0.25, augmentation: .none))
      recipe.epochs = epochs
      return recipe
    }
  }
}
