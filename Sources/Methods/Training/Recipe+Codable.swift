import ImageFiles
import Support

// Written by hand so that a recipe file may leave out what it does not change, and so that a misspelt key is an error.
extension Recipe {
  private enum Key: String, CodingKey, CaseIterable {
    case name, epochs, batchSize, optimizer, learningRate, finalLearningRate, decay, decayAt, decayFactor, warmUpEpochs
    case warmUpFrom, momentum, nesterov, weightDecay, normWeightDecay, labelSmoothing, augmentation, precision
    case colorJitter, randAugment, lighting, mixup, cutmix
    case clipNorm, averagingDecay, evaluationInterval, recalibrationBatches
  }

  /// Reads a recipe; values that are left out are those of the `small` preset.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(withOnly: Key.self, of: "a recipe")
    self.init()
    func read<Value: Decodable>(_ key: Key, _ path: WritableKeyPath<Recipe, Value>) throws {
      if let value = try values.decodeIfPresent(Value.self, forKey: key) { self[keyPath: path] = value }
    }
    try read(.name, \.name)
    // Of a value that is none of a list, the list is the answer.
    func choose<Value: RawRepresentable & CaseIterable>(
      _ key: Key, _ path: WritableKeyPath<Recipe, Value>
    ) throws where Value.RawValue == String {
      guard let text = try values.decodeIfPresent(String.self, forKey: key) else { return }
      guard let value = Value(rawValue: text) else {
        let all = Value.allCases.map(\.rawValue).joined(separator: ", ")
        throw DecodingError.dataCorruptedError(forKey: key, in: values, debugDescription: "\(text) is none of \(all)")
      }
      self[keyPath: path] = value
    }
    try read(.epochs, \.epochs)
    try read(.batchSize, \.batchSize)
    try choose(.optimizer, \.optimizer)
    try read(.learningRate, \.learningRate)
    if !values.contains(.learningRate) { learningRate = optimizer.usualLearningRate }
    // To YAML, a name without a value is nothing, and nobody writes it to say that.
    for key in [Key.colorJitter, .randAugment, .lighting] where values.contains(key) {
      guard try !values.decodeNil(forKey: key) else {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: values,
          debugDescription: "its settings are missing; with its usual ones it is `\(key.rawValue): {}`")
      }
    }
    try read(.finalLearningRate, \.finalLearningRate)
    try choose(.decay, \.decay)
    try read(.decayAt, \.decayAt)
    try read(.decayFactor, \.decayFactor)
    try read(.warmUpEpochs, \.warmUpEpochs)
    try read(.warmUpFrom, \.warmUpFrom)
    try read(.momentum, \.momentum)
    try read(.nesterov, \.nesterov)
    try read(.weightDecay, \.weightDecay)
    try read(.normWeightDecay, \.normWeightDecay)
    try read(.labelSmoothing, \.labelSmoothing)
    try read(.augmentation, \.augmentation)
    color.colorJitter = try values.decodeIfPresent(ColorJitter.self, forKey: .colorJitter)
    color.randAugment = try values.decodeIfPresent(RandAugment.self, forKey: .randAugment)
    color.lighting = try values.decodeIfPresent(LightingNoise.self, forKey: .lighting)
    try read(.mixup, \.mixing.mixup)
    try read(.cutmix, \.mixing.cutmix)
    try choose(.precision, \.precision)
    clipNorm = try values.decodeIfPresent(Double.self, forKey: .clipNorm)
    averagingDecay = try values.decodeIfPresent(Double.self, forKey: .averagingDecay)
    try read(.evaluationInterval, \.evaluationInterval)
    try read(.recalibrationBatches, \.recalibrationBatches)
  }

  /// Writes all values; transforms that are not wanted are left out.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(name, forKey: .name)
    try values.encode(epochs, forKey: .epochs)
    try values.encode(batchSize, forKey: .batchSize)
    try values.encode(optimizer, forKey: .optimizer)
    try values.encode(learningRate, forKey: .learningRate)
    try values.encode(finalLearningRate, forKey: .finalLearningRate)
    try values.encode(decay, forKey: .decay)
    try values.encode(decayAt, forKey: .decayAt)
    try values.encode(decayFactor, forKey: .decayFactor)
    try values.encode(warmUpEpochs, forKey: .warmUpEpochs)
    try values.encode(warmUpFrom, forKey: .warmUpFrom)
    try values.encode(momentum, forKey: .momentum)
    try values.encode(nesterov, forKey: .nesterov)
    try values.encode(weightDecay, forKey: .weightDecay)
    try values.encode(normWeightDecay, forKey: .normWeightDecay)
    try values.encode(labelSmoothing, forKey: .labelSmoothing)
    try values.encode(augmentation, forKey: .augmentation)
    try values.encodeIfPresent(color.colorJitter, forKey: .colorJitter)
    try values.encodeIfPresent(color.randAugment, forKey: .randAugment)
    try values.encodeIfPresent(color.lighting, forKey: .lighting)
    if mixing.mixup != 0 { try values.encode(mixing.mixup, forKey: .mixup) }
    if mixing.cutmix != 0 { try values.encode(mixing.cutmix, forKey: .cutmix) }
    try values.encode(precision, forKey: .precision)
    try values.encodeIfPresent(clipNorm, forKey: .clipNorm)
    try values.encodeIfPresent(averagingDecay, forKey: .averagingDecay)
    try values.encode(evaluationInterval, forKey: .evaluationInterval)
    try values.encode(recalibrationBatches, forKey: .recalibrationBatches)
  }
}
