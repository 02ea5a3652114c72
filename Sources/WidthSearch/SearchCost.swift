/// What a search spent, in multiply-accumulates and seconds (algorithms.md 1.5).
public struct SearchCost: Codable, Sendable, Equatable {
  /// Passes of one kind, for example all passes of the widest network.
  public struct Passes: Codable, Sendable, Equatable {
    /// Images that went through forward (and backward), over all steps.
    public var images = 0
    /// Σ over images of the pass network's MACs, forward only.
    public var forwardMACs = 0.0
    /// How many forward passes one pass costs: 3 with the backward pass, 1 without.
    public var factor = 3.0
  }

  /// Passes by kind.
  public var passes: [String: Passes] = [:]
  /// MACs of the network that the widest passes run, for one image.
  public var supernetMACs = 0
  /// Training images in one epoch of the search: full batches only.
  public var trainingImages = 0
  /// Seconds of work.
  public var seconds = 0.0

  /// Creates an empty account.
  public init() {}

  /// Multiply-accumulates spent.
  public var flops: Double { passes.values.reduce(0) { $0 + $1.factor * $1.forwardMACs } }

  /// Adds a pass of `images` images through a network of `macs`.
  public mutating func add(_ kind: String, images: Int, macs: Int, factor: Double = 3) {
    var entry = passes[kind] ?? Passes()
    entry.images += images
    entry.forwardMACs += Double(images) * Double(macs)
    entry.factor = factor
    passes[kind] = entry
  }

  /// What the same search would spend on a larger network and more data: the same passes, each as large a part of the
  /// supernet as it was here.
  ///
  /// - Parameters:
  ///   - supernetMACs: MACs of the larger network's supernet.
  ///   - trainingImages: Images in one epoch of the larger training set.
  public func flops(supernetMACs: Int, trainingImages: Int) -> Double {
    guard self.supernetMACs > 0, self.trainingImages > 0 else { return flops }
    return flops * (Double(supernetMACs) / Double(self.supernetMACs))
      * (Double(trainingImages) / Double(self.trainingImages))
  }
}
