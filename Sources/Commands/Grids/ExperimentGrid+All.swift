extension ExperimentGrid {
  private static func resNet18(width: Double = 1, depth: Double? = nil, side: Int? = nil) -> [GridScale: Network] {
    [
      .smoke: Network(name: "resnet18_cifar", width: 0.125 * width, depth: depth.map { min($0, 2) }, divisor: 2),
      .cifar: Network(name: "resnet18_cifar", width: 0.5 * width, depth: depth, divisor: 4),
      .imagenet: Network(name: "resnet18", width: width, depth: depth, resolution: side, divisor: 8),
    ]
  }

  private static func mobileNet(width: Double = 1, depth: Double? = nil, side: Int? = nil) -> [GridScale: Network] {
    [
      .smoke: Network(name: "mobilenet_v2_cifar", width: 0.25 * width, depth: depth.map { min($0, 2) }, divisor: 2),
      .cifar: Network(name: "mobilenet_v2_cifar", width: 0.5 * width, depth: depth, divisor: 4),
      .imagenet: Network(name: "mobilenet_v2", width: width, depth: depth, resolution: side, divisor: 8),
    ]
  }

  private static func large(_ name: String, smoke: Double, side: Int? = nil) -> [GridScale: Network] {
    // There is no form of these for small images: what they make of 32 px is one place of 32 by 32.
    [
      .smoke: Network(name: name, width: smoke, resolution: 32, divisor: 1),
      .cifar: Network(name: name, width: 0.5, resolution: 64, divisor: 4),
      .imagenet: Network(name: name, resolution: side, divisor: 8),
    ]
  }

  // Sources 0.312, 0.5, 0.707, 1 and 1.414 of the base width for a target of 1.732.
  private static let widths = Projections.width([0.816, 0.577, 0.408, 0.289, 0.18])
  // 3, 2 and 1 times the base's blocks for a target of 4.
  private static let depths = Projections.depth([0.75, 0.5, 0.25])
  // 224, 160 and 64 px for a target of 320.
  private static let sides = Projections.resolution([0.7, 0.5, 0.2])
  private static let parts = Projections.data([50, 20, 10, 5])
  // (1, 1, 224, 50 %), (0.707, 1, 160, 10 %) and (0.312, 1, 64, 5 %) for (1.414, 2, 320, 100 %).
  private static let compounds = Projections.compound([
    (0.707, 0.5, 0.7, 50), (0.5, 0.5, 0.5, 10), (0.2207, 0.5, 0.2, 5),
  ])
  private static let table = Projections.compound([(0.707, 0.5, 160.0 / 224, 20)])

  // The paper's text does not say its x and y. Parts of 100 epochs: 10, 30 and 100.
  private static let slimming = ["1.414", "2"].flatMap { width in
    ["10%", "30%", "100%"].map { "network-slimming:width=\(width),epochs=\($0),direct" }
  }

  /// All grids.
  package static let all: [ExperimentGrid] = [
    ExperimentGrid(
      name: "figure-4a",
      claim: "ResNet18: widths found on narrower networks do as well as direct ones, up to 96 % saving.",
      networks: resNet18(width: 1.732), projections: widths),
    ExperimentGrid(
      name: "figure-4b",
      claim:
        "MobileNetV2: widths found on narrower networks do as well as direct ones up to about 80 % saving; DMCP's lose 0.4 points and beat uniform ones.",
      networks: mobileNet(width: 1.732), projections: widths),
    ExperimentGrid(
      name: "figure-4c",
      claim: "ResNet18: widths found on shallower networks do as well as direct ones, up to 75 % saving.",
      networks: resNet18(depth: 4), projections: depths),
    ExperimentGrid(
      name: "figure-4d",
      claim: "MobileNetV2: widths found on shallower networks do as well as direct ones, up to 75 % saving.",
      networks: mobileNet(depth: 4), projections: depths),
    ExperimentGrid(
      name: "figure-6a",
      claim: "ResNet18: new blocks as the mean of those that are there do better than copies of the last one.",
      networks: resNet18(depth: 4), projections: depths, algorithms: ["uniform", "dmcp"],
      stackings: ["average-block", "last-block"]),
    ExperimentGrid(
      name: "figure-6b",
      claim: "MobileNetV2: new blocks as the mean of those that are there do better than copies of the last one.",
      networks: mobileNet(depth: 4), projections: depths, algorithms: ["uniform", "dmcp"],
      stackings: ["average-block", "last-block"]),
    ExperimentGrid(
      name: "figure-7a",
      claim:
        "ResNet18: widths found on smaller images beat uniform ones up to 96 % saving (MorphNet's do not from 64 px), and are close to direct ones at 75 %.",
      networks: resNet18(side: 320), projections: sides),
    ExperimentGrid(
      name: "figure-7b",
      claim:
        "MobileNetV2: widths found on smaller images beat uniform ones up to 96 % saving, and are close to direct ones at 75 %.",
      networks: mobileNet(side: 320), projections: sides),
    ExperimentGrid(
      name: "figure-7c",
      claim:
        "ResNet18: widths found on a part of the images beat uniform ones at 95 % saving; DMCP's match direct ones at 90 %.",
      networks: resNet18(), projections: parts),
    ExperimentGrid(
      name: "figure-7d",
      claim:
        "MobileNetV2: widths found on a part of the images beat uniform ones at 95 % saving; DMCP's match direct ones at 90 %.",
      networks: mobileNet(), projections: parts),
    ExperimentGrid(
      name: "figure-8a",
      claim: "ResNet18: shrunk in all ways at once, DMCP's search costs 320 times less and its widths do as well.",
      networks: resNet18(width: 1.414, depth: 2, side: 320), projections: compounds),
    ExperimentGrid(
      name: "figure-8b",
      claim: "MobileNetV2: shrunk in all ways at once, DMCP's search costs 320 times less and its widths do as well.",
      networks: mobileNet(width: 1.414, depth: 2, side: 320), projections: compounds),
    ExperimentGrid(
      name: "figure-5",
      claim: "ResNet18: optimized networks are widest in their last layers (the widths of figure-8a).",
      networks: resNet18(width: 1.414, depth: 2, side: 320), projections: compounds),
    ExperimentGrid(
      name: "figure-5b",
      claim: "MobileNetV2: optimized networks are widest in their last layers (the widths of figure-8b).",
      networks: mobileNet(width: 1.414, depth: 2, side: 320), projections: compounds),
    ExperimentGrid(
      name: "figure-9",
      claim:
        "ResNet18: DMCP's widths, carried over, do better than those of network slimming at lower cost (NS-xw-ye: x times as wide, y epochs).",
      networks: resNet18(), projections: .compound([(0.5, 1, 0.5, 20)]),
      algorithms: ["uniform"] + slimming + ["dmcp"]),
    ExperimentGrid(
      name: "figure-10",
      claim: "ResNet18: widths that are found under different projections are alike (the similarities of figure-7a).",
      networks: resNet18(side: 320), projections: sides),
    ExperimentGrid(
      name: "table-1a", claim: "ResNet50: DMCP's widths carried over match direct ones at a thirtieth of the cost.",
      networks: large("resnet50", smoke: 0.0625), projections: table, algorithms: ["uniform", "dmcp"]),
    ExperimentGrid(
      name: "table-1b", claim: "ResNet101: DMCP's widths carried over match direct ones at a thirtieth of the cost.",
      networks: large("resnet101", smoke: 0.0625), projections: table, algorithms: ["uniform", "dmcp"]),
    ExperimentGrid(
      name: "table-1c",
      claim: "EfficientNet-B3: DMCP's widths carried over match direct ones at a thirtieth of the cost.",
      networks: large("efficientnet_b3", smoke: 0.125, side: 224), projections: table, algorithms: ["uniform", "dmcp"]),
  ]
}
