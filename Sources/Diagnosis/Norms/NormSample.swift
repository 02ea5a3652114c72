/// How unequal the channels of one group were at one moment, by one mode.
public struct NormSample: Hashable, Sendable {
  /// Epochs trained so far; 0 is before training.
  public var epoch: Int
  /// The group or layer.
  public var group: String
  /// What the norms were summed up to.
  public var mode: NormMode
  /// The numbers; nil where there are none, as for a group of one channel.
  public var statistics: NormStatistics?
  /// The learning rate of the epoch's last step.
  public var learningRate: Double?

  /// Creates a sample.
  public init(
    epoch: Int, group: String, mode: NormMode, statistics: NormStatistics?, learningRate: Double? = nil
  ) {
    self.epoch = epoch
    self.group = group
    self.mode = mode
    self.statistics = statistics
    self.learningRate = learningRate
  }
}

extension NormSample: Codable {
  private enum CodingKeys: String, CodingKey {
    case epoch, group, mode
    case learningRate = "lr"
  }

  /// Reads one line of a series.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    epoch = try values.decode(Int.self, forKey: .epoch)
    group = try values.decode(String.self, forKey: .group)
    mode = try values.decode(NormMode.self, forKey: .mode)
    learningRate = try values.decodeIfPresent(Double.self, forKey: .learningRate)
    statistics = try? NormStatistics(from: decoder)
  }

  /// Writes one line of a series, flat: tables read it as it is.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(epoch, forKey: .epoch)
    try values.encode(group, forKey: .group)
    try values.encode(mode, forKey: .mode)
    try values.encodeIfPresent(learningRate, forKey: .learningRate)
    try statistics?.encode(to: encoder)
  }
}
