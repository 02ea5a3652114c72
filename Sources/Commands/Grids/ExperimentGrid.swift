import Methods

/// A figure or table of the width-transfer paper (Chin, Marculescu, Morcos 2021): flags of `compare`, as a file for `--config` would hold them.
///
/// The program knows no figure beyond this data. `experiment show NAME` prints it, and `experiment FILE.yaml` carries out a changed copy.
package struct ExperimentGrid {
  /// The name, for example `figure-4a`.
  package var name: String
  /// What it tests.
  package var claim: String
  /// The network of each scale.
  var networks: [GridScale: Network]
  /// What is shrunk.
  var projections: Projections
  /// The methods.
  var algorithms = ["uniform", "dmcp", "morphnet", "autoslim"]

  /// The rules of stacking, where they are what is compared.
  var stackings: [String] = []

  /// A network with what it takes to make the target of it.
  struct Network {
    var name: String
    var width: Double?
    var depth: Double?
    var resolution: Int?
    var divisor: Int
  }

  /// Projections in the paper's terms, relative to the target.
  enum Projections {
    /// Factors on the widths.
    case width([Double])
    /// Factors on the numbers of blocks.
    case depth([Double])
    /// Sides of images as parts of the target's.
    case resolution([Double])
    /// Parts of the images, in percent.
    case data([Double])
    /// Width, depth, resolution as a part, data in percent.
    case compound([(width: Double, depth: Double, resolution: Double, data: Double)])

    var count: Int {
      switch self {
      case .width(let values), .depth(let values), .resolution(let values), .data(let values): values.count
      case .compound(let values): values.count
      }
    }

    func texts(side: Int) -> [String] {
      func number(_ value: Double) -> String { value == value.rounded() ? "\(Int(value))" : "\(value)" }
      func pixels(_ part: Double) -> Int { max(1, Int((part * Double(side)).rounded())) }
      return switch self {
      case .width(let values): values.map { "width=\(number($0))" }
      case .depth(let values): values.map { "depth=\(number($0))" }
      case .resolution(let values): values.map { "resolution=\(pixels($0))" }
      case .data(let values): values.map { "data=\(number($0))%" }
      case .compound(let values):
        values.map {
          "width=\(number($0.width)),depth=\(number($0.depth)),resolution=\(pixels($0.resolution)),data=\(number($0.data))%"
        }
      }
    }
  }

  /// The grid as YAML, with its claim in a comment.
  package func yaml(_ scale: GridScale) -> String? {
    guard let network = networks[scale] else { return nil }
    let side = side(scale)
    var lines = [
      "# \(name) at the scale \(scale.rawValue): \(claim)",
      "# Carry out a changed copy with: width-transfer experiment FILE.yaml",
      "network: \(network.name)",
    ]
    if let width = network.width { lines.append("width: \(width)") }
    if let depth = network.depth { lines.append("depth: \(depth)") }
    if let resolution = network.resolution { lines.append("resolution: \(resolution)") }
    lines.append("divisor: \(network.divisor)")
    lines += Self.training(scale, network.name).map { "\($0.key): \($0.value)" }
    lines.append("algorithm: [\(methods(scale).map { $0.contains(",") ? "'\($0)'" : $0 }.joined(separator: ", "))]")
    lines.append("project:")
    lines += projections.texts(side: side).map { "  - \($0)" }
    if !stackings.isEmpty { lines.append("stacking: [\(stackings.joined(separator: ", "))]") }
    return lines.joined(separator: "\n") + "\n"
  }

  /// How many searches and trainings the grid is: one of each for every method and projection, and every seed; the uniform network needs no search.
  package func counts(_ scale: GridScale) -> (searches: Int, trainings: Int)? {
    guard networks[scale] != nil else { return nil }
    let searching = methods(scale).filter { $0 != "uniform" }
    let direct = searching.count { $0.hasSuffix(",direct") }
    let projected = (searching.count - direct) * projections.count
    let seeds = seeds(scale)
    return (
      seeds * (searching.count + projected), seeds * (1 + searching.count + projected * max(1, stackings.count))
    )
  }

  func side(_ scale: GridScale) -> Int { networks[scale]?.resolution ?? scale.data.side }

  func seeds(_ scale: GridScale) -> Int { scale == .smoke ? 1 : 3 }

  func methods(_ scale: GridScale) -> [String] {
    switch scale {
    case .smoke: algorithms.filter(Self.isQuick)
    case .cifar: algorithms
    // DMCP's searches of 40 epochs and AutoSlim's of 50, as parts of trainings of 100 epochs and of MobileNetV2's 250.
    case .imagenet where networks[scale]?.name.hasPrefix("mobilenet") == true:
      algorithms.map { ["dmcp": "dmcp:epochs=16%", "autoslim": "autoslim:epochs=20%"][$0] ?? $0 }
    case .imagenet: algorithms.map { $0 == "autoslim" ? "autoslim:epochs=50%" : $0 }
    }
  }

  /// How networks of the grid are trained, as far as a forecast asks: its recipe with the epochs and evaluations of its document.
  func recipe(_ scale: GridScale) throws -> Recipe {
    let settings = Dictionary(
      Self.training(scale, networks[scale]?.name ?? "").map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    var recipe = try Recipe.named(settings["recipe"] ?? "small")
    if let epochs = settings["epochs"].flatMap(Int.init) { recipe.epochs = epochs }
    if let interval = settings["evaluation-interval"].flatMap(Int.init) { recipe.evaluationInterval = interval }
    return recipe
  }

  // AutoSlim's descent takes most of the time of a comparison on a small machine.
  private static func isQuick(_ name: String) -> Bool {
    // Of two epochs 30 % are 10 %.
    name != "autoslim" && name != "morphnet" && !name.contains("epochs=30%")
  }

  /// The settings of training that a scale has, as its document names them.
  private static func training(_ scale: GridScale, _ network: String) -> [(key: String, value: String)] {
    switch scale {
    case .smoke:
      [
        ("dataset", "fashion-mnist"), ("subset", "2%"), ("recipe", "quick"), ("epochs", "2"),
        ("evaluation-interval", "2"), ("seeds", "1"),
      ]
        // A deep network of four channels and one pixel diverges at the recipe's rate.
        + (network.hasPrefix("resnet18") || network.hasPrefix("mobilenet") ? [] : [("learning-rate", "0.02")])
    case .cifar:
      [
        ("dataset", "cifar10"), ("recipe", "small"), ("epochs", "30"), ("batch-size", "128"), ("learning-rate", "0.1"),
        ("weight-decay", "0.0005"), ("seeds", "3"),
      ]
    case .imagenet: [("recipe", "imagenet-\(recipe(of: network))"), ("seeds", "3")]
    }
  }

  private static func recipe(of network: String) -> String {
    if network.hasPrefix("mobilenet") { return "mobilenet" }
    if network.hasPrefix("efficientnet") { return "efficientnet" }
    return network == "resnet18" ? "resnet18" : "resnet50"
  }

  /// The grid of a name.
  package static func named(_ name: String) -> ExperimentGrid? { all.first { $0.name == name } }
}
