import Foundation
import ImageFiles
import Support

extension Recipe {
  /// The recipes that go by a name.
  ///
  /// The ImageNet ones are the reconstruction of the width-transfer paper's appendix from
  /// Joslim (same authors) and pycls; learning rates are for the batch size given.
  public static let presets: [Recipe] = [
    Recipe(),
    Recipe(
      name: "quick", epochs: 3, batchSize: 128, learningRate: 0.2, warmUpEpochs: 0.5,
      augmentation: .padCropFlip(padding: 2, flip: true)),
    Recipe(
      name: "cifar", epochs: 160, learningRate: 0.1, decay: .step, decayAt: [0.5, 0.75], warmUpEpochs: 0,
      weightDecay: 1e-4, augmentation: .padCropFlip(padding: 4, flip: true)),
    imageNet(
      "imagenet-resnet18", epochs: 100, learningRate: 0.5, decay: .linear, weightDecay: 4e-5, nesterov: false,
      leastCrop: 0.25, color: jittered),
    imageNet(
      "imagenet-mobilenet", epochs: 250, learningRate: 0.5, decay: .linear, weightDecay: 4e-5, nesterov: false,
      leastCrop: 0.25, color: jittered),
    imageNet(
      "imagenet-resnet50", epochs: 100, learningRate: 0.8, decay: .cosine, weightDecay: 5e-5, nesterov: true,
      leastCrop: 0.08, color: augmented),
    imageNet(
      "imagenet-efficientnet", epochs: 100, learningRate: 1.6, decay: .cosine, weightDecay: 1e-5, nesterov: true,
      leastCrop: 0.08, color: augmented),
  ]

  // As the paper's sources have them: crops of a quarter of the image at least, jitter and lighting noise for the smaller networks; crops of
  // 8 % and RandAugment (2 operations of magnitude 9) for the larger ones.
  private static let jittered = ColorTransforms(
    colorJitter: ColorJitter(brightness: 0.4, contrast: 0.4, saturation: 0.4), lighting: LightingNoise(std: 0.1))
  private static let augmented = ColorTransforms(randAugment: RandAugment())

  private static func imageNet(
    _ name: String, epochs: Int, learningRate: Double, decay: Decay, weightDecay: Double, nesterov: Bool,
    leastCrop: Double, color: ColorTransforms
  ) -> Recipe {
    Recipe(
      name: name, epochs: epochs, batchSize: 1024, learningRate: learningRate, decay: decay, warmUpEpochs: 5,
      nesterov: nesterov, weightDecay: weightDecay, labelSmoothing: 0.1,
      augmentation: .randomResizedCrop(minimumScale: leastCrop, flip: true), color: color)
  }

  /// The recipe with a name.
  ///
  /// - Throws: `UsageFailure` that lists the known names.
  public static func named(_ name: String) throws -> Recipe {
    guard let recipe = presets.first(where: { $0.name == name }) else {
      throw UsageFailure(
        "`recipe` \(name): there is no such recipe or file; known are \(presets.map(\.name).joined(separator: ", "))")
    }
    return recipe
  }
}
