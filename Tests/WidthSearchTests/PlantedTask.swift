import Datasets
import Foundation
import Networks
import Support
import Training

@testable import WidthSearch

/// A small task whose right widths are known before anything is searched.
///
/// A picture is two fields, as in interlaced television: the even rows show one texture, the odd rows another, drawn
/// independently of each other. Two branches of a network see one field each, whatever their weights are, so the branch
/// whose field has no say in the label can bring nothing but noise, and channels belong into the other one.
struct PlantedTask {
  /// What decides a picture's class.
  enum Plant: String, CaseIterable {
    /// The texture of the even rows.
    case evenRows
    /// The texture of the odd rows: the same pictures with other labels, so that only what was planted differs.
    case oddRows
    /// One texture on all rows, for two branches that see all of the picture: one computes at four times as many places
    /// as the other and costs four times as much.
    case cost
  }

  /// The names of the branches, which their width groups begin with, in the order of the network's inputs.
  static let branches = ["first", "second"]

  var plant: Plant
  /// Of the pictures and of the search.
  var seed: Int
  var imageCount = Int(ProcessInfo.processInfo.environment["PT_I"] ?? "2048")!
  var width = Int(ProcessInfo.processInfo.environment["PT_W"] ?? "8")!

  // MARK: - Pictures

  private static let side = 16

  // Waves of 3 and 5 places in four directions: a filter of 3×3 tells them apart, and no stride divides the periods.
  private static let waves: [(vertical: Double, horizontal: Double)] = [
    (0, 1 / 3), (1 / 3, 0), (1 / 3, 1 / 3), (1 / 3, -1 / 3), (0, 1 / 5), (1 / 5, 0), (1 / 5, 1 / 5), (1 / 5, -1 / 5),
  ]

  var images: InMemoryImages {
    var random = SeededGenerator(seed: UInt64(seed), 0x9A17)
    var pixels: [UInt8] = []
    var labels: [Int] = []
    let side = Self.side
    pixels.reserveCapacity(imageCount * side * side)
    for _ in 0..<imageCount {
      let kinds = [random.nextInt(below: Self.waves.count), random.nextInt(below: Self.waves.count)]
      let phases = [random.nextUnit(), random.nextUnit()]
      labels.append(kinds[plant == .oddRows ? 1 : 0])
      for row in 0..<side {
        let field = plant == .cost ? 0 : row % 2
        let (wave, place) = (Self.waves[kinds[field]], plant == .cost ? row : row / 2)
        for column in 0..<side {
          let turns = phases[field] + Double(place) * wave.vertical + Double(column) * wave.horizontal
          let signal = Self.amplitude * cos(2 * Double.pi * turns)
          let noise = Self.noise * (random.nextUnit() - 0.5)
          pixels.append(UInt8(128 + signal + noise))
        }
      }
    }
    return InMemoryImages(
      name: "planted", size: ImageSize(width: side, height: side), channels: 1,
      classNames: Self.waves.indices.map(String.init), labels: labels, pixels: pixels)
  }
  static let amplitude = Double(ProcessInfo.processInfo.environment["PT_A"] ?? "20")!
  static let noise = Double(ProcessInfo.processInfo.environment["PT_N"] ?? "160")!

  // MARK: - Network

  /// Two branches that meet before the classifier.
  ///
  /// - Parameter kept: the branches that there are.
  func network(_ kept: [String] = branches) -> Network {
    var layers: [Layer] = []
    for branch in kept {
      layers += block("\(branch).0", convolution(0, of: branch), from: "input")
      layers += block("\(branch).1", convolution(1, of: branch), from: "\(branch).0.relu")
    }
    layers.append(Layer(name: "join", operation: .concatenate, inputs: kept.map { "\($0).1.pool" }))
    layers += [
      Layer(name: "flatten", operation: .flatten, inputs: ["join"]),
      Layer(name: "fc", operation: .linear(Linear(outputFeatures: Self.waves.count)), inputs: ["flatten"]),
    ]
    return Network(
      name: "planted", input: Shape(channels: 1, height: Self.side, width: Self.side), layers: layers)
  }

  private func convolution(_ position: Int, of branch: String) -> Convolution {
    let isFirst = branch == Self.branches[0]
    var result = Convolution(outputChannels: width, kernelSize: 3, padding: 1)
    switch (plant, position) {
    case (.cost, 0): if isFirst { result.stride = 2 }
    case (.cost, _):
      // The same function of the picture as the first branch's, at every place instead of every second.
      if !isFirst { (result.dilation, result.padding) = (2, 2) }
    case (_, 0):
      // With every second row left out, the padding decides which rows a filter meets: −2, 0, 2, … or −1, 1, 3, …
      result.stride = 2
      result.dilation = Extent(height: 2, width: 1)
      result.padding = Extent(height: isFirst ? 2 : 1, width: 1)
    default: break
    }
    return result
  }

  private func block(_ name: String, _ convolution: Convolution, from input: String) -> [Layer] {
    var layers = [
      Layer(name: name, operation: .convolution(convolution), inputs: [input]),
      Layer(name: "\(name).bn", operation: .batchNorm(BatchNorm()), inputs: [name]),
      Layer(name: "\(name).relu", operation: .activation(.relu), inputs: ["\(name).bn"]),
    ]
    if name.hasSuffix("1") {
      layers.append(Layer(name: "\(name.dropLast()).1.pool".replacing("..", with: "."), operation: .globalAveragePool, inputs: ["\(name).relu"]))
    }
    return layers
  }

  // MARK: - Search

  /// How many doublings wider a search makes the first branch than the second.
  func advantageOfFirst(_ method: PlantedMethod) throws -> Double {
    var search = ToySearch(seed: seed)
    search.optimizer = method.optimizer
    search.source = images
    search.network = network()
    search.budgets = [0.5]
    search.recipe = method.recipe
    let recorder = Recorder()
    let multipliers = try search.run(events: recorder).multipliers(of: search.network)
    if ProcessInfo.processInfo.environment["PT_V"] != nil {
      for case .search(let e) in recorder.events { print(e.stage, e.step, String(format: "%.2f", e.loss), Int(e.macs), Int(e.targetMACs)) }
    }
    func doublings(_ branch: String) -> Double {
      let values = multipliers.filter { $0.key.hasPrefix(branch) }.values
      return values.reduce(0) { $0 + log2($1) } / Double(values.count)
    }
    if ProcessInfo.processInfo.environment["PT_V"] != nil {
      print(method.name, plant, seed, multipliers.sorted { $0.key < $1.key }.map { "\($0.key)=" + String(format: "%.2f", $0.value) }.joined(separator: " "))
    }
    return doublings(Self.branches[0]) - doublings(Self.branches[1])
  }
}
