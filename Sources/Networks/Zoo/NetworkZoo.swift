import Support

/// The networks that this package knows by name.
///
/// ImageNet forms have torchvision's names and its state-dict names; CIFAR forms (a 3×3 stem of stride 1 without
/// max-pool, for 32-pixel images) have the suffix `_cifar`; `resnet20`, `resnet32`, `resnet44` and `resnet56` are CIFAR
/// networks by nature, with projection shortcuts.
public enum NetworkZoo {
  /// All names, families together, each in order of size.
  public static let names: [String] = families.map(\.name)

  /// Builds a network by name.
  ///
  /// - Parameters:
  ///   - name: One of ``names``; `vgg16_bn_cifar` and the like are accepted for `vgg16_cifar`.
  ///   - classes: Number of outputs; 1000 when nil.
  ///   - inputChannels: Channels of the image; 3 when nil.
  ///   - resolution: Side of the square image in pixels; the network's native one when nil.
  /// - Throws: ``Support/UsageFailure`` for an unknown name, ``NetworkFailure`` when the network does not suit the resolution.
  public static func network(
    named name: String, classes: Int? = nil, inputChannels: Int? = nil, resolution: Int? = nil
  ) throws -> Network {
    try resolved(named: name, classes: classes, inputChannels: inputChannels, resolution: resolution).network
  }

  /// Builds a network by name, checked; as ``network(named:classes:inputChannels:resolution:)``.
  public static func resolved(
    named name: String, classes: Int? = nil, inputChannels: Int? = nil, resolution: Int? = nil
  ) throws -> ResolvedNetwork {
    guard let build = builders[name] else {
      let near = nearestNames(to: name, in: names)
      throw UsageFailure(
        "there is no network called \(name); did you mean \(near.joined(separator: ", "))? Known names: "
          + names.joined(separator: ", "))
    }
    let defaults = ZooRequest()
    return try build(
      ZooRequest(
        classes: classes ?? defaults.classes, inputChannels: inputChannels ?? defaults.inputChannels,
        resolution: resolution)
    ).resolved()
  }

  private struct Member: Sendable {
    var name: String
    var build: @Sendable (ZooRequest) -> Network
  }

  private static let families: [Member] = {
    var members: [Member] = []
    for isCIFAR in [false, true] {
      let suffix = isCIFAR ? "_cifar" : ""
      for depth in [18, 34, 50, 101] {
        guard let resnet = ResNet.imageNet(depth, isCIFAR: isCIFAR) else { continue }
        members.append(Member(name: resnet.name) { resnet.network($0) })
      }
      members.append(Member(name: "mobilenet_v2\(suffix)") { MobileNetV2(isCIFAR: isCIFAR).network($0) })
      for variant in EfficientNet.variants {
        members.append(
          Member(name: "efficientnet_b\(variant)\(suffix)") {
            EfficientNet(variant: variant, isCIFAR: isCIFAR).network($0)
          })
      }
      for depth in VGG.blockCounts.keys.sorted() {
        members.append(
          Member(name: isCIFAR ? "vgg\(depth)_cifar" : "vgg\(depth)_bn") {
            VGG(depth: depth, isCIFAR: isCIFAR).network($0)
          })
      }
    }
    for depth in [20, 32, 44, 56] {
      members.append(Member(name: "resnet\(depth)") { ResNet.cifar(depth).network($0) })
    }
    return members
  }()

  private static let builders: [String: @Sendable (ZooRequest) -> Network] = {
    var builders = Dictionary(families.map { ($0.name, $0.build) }, uniquingKeysWith: { first, _ in first })
    for depth in VGG.blockCounts.keys { builders["vgg\(depth)_bn_cifar"] = builders["vgg\(depth)_cifar"] }
    return builders
  }()
}
