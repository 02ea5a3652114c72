import Methods
import Networks
import Support
import Transfer

extension ExperimentGrid {
  /// All searches and trainings of a grid as images that go forward and back through networks.
  ///
  /// - Throws: As making the networks does.
  package func loads(_ scale: GridScale) throws -> [MachinePace.Load] {
    guard let network = networks[scale] else { return [] }
    let data = scale.data
    let side = side(scale)
    let target = try NetworkRequest(
      name: network.name, width: network.width, depth: network.depth, classes: data.classes,
      inputChannels: data.channels, resolution: side, divisor: network.divisor
    ).build(classes: data.classes, inputChannels: data.channels, resolution: side)
    let recipe = try recipe(scale)
    let seeds = Double(seeds(scale))
    func load(_ network: ResolvedNetwork, images: Double) -> MachinePace.Load {
      .init(macs: Double(network.cost.macs), activations: Double(network.cost.activations), images: images)
    }
    // An evaluation goes forward alone.
    let epochs = Double(recipe.epochs)
    let evaluations = (epochs / Double(max(1, recipe.evaluationInterval))).rounded(.up)
    let training = load(target, images: epochs * data.images + evaluations * data.heldOut / 3)
    var loads: [MachinePace.Load] = []
    let ways = [Projection.identity] + (try projections.texts(side: side).map(Projection.init(parsing:)))
    for name in methods(scale) {
      let request = try MethodRequest(parsing: name)
      let method = try WidthOptimizers.named(request.name, settings: request.settings)
      let ways = request.place == .direct ? [.identity] : ways
      let found = method.isControl ? 1 : 1 + (ways.count - 1) * max(1, stackings.count)
      loads.append(
        .init(macs: training.macs, activations: training.activations, images: Double(found) * training.images))
      guard !method.isControl else { continue }
      for way in ways {
        let source = try way.applied(to: target, divisor: network.divisor)
        let widest = try method.widestNetwork(for: source, divisor: network.divisor)
        let forecast = try method.forecast(for: source, divisor: network.divisor)
        let images = Int(Double(try request.searchRecipe(for: method, from: recipe).epochs) * data.images * way.data)
        let compared = method.heldOutPart.map { Double($0.images) } ?? 0
        let macs = forecast.macs(
          images: images, comparedImages: Int(min(compared, 0.2 * data.images * way.data)))
        loads.append(load(widest, images: macs / (3 * Double(widest.cost.macs))))
      }
    }
    return loads.map { .init(macs: $0.macs, activations: $0.activations, images: seeds * $0.images) }
  }
}

extension GridScale {
  /// The images of a scale: those that are trained on, held-out ones, classes, channels and side.
  struct Images {
    var images: Double
    var heldOut: Double
    var classes: Int
    var channels: Int
    var side: Int
  }

  var data: Images {
    switch self {
    case .smoke: Images(images: 1200, heldOut: 10_000, classes: 10, channels: 1, side: 28)
    case .cifar: Images(images: 50_000, heldOut: 10_000, classes: 10, channels: 3, side: 32)
    case .imagenet: Images(images: 1_281_167, heldOut: 50_000, classes: 1000, channels: 3, side: 224)
    }
  }
}
