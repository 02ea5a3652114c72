/// What a search spent, in multiply-accumulates and seconds (Chin, Marculescu and Morcos 2021, section 3.3).
public struct SearchCost: Codable, Sendable, Equatable {
  /// Passes of one kind, for example all passes of the widest network.
  public struct Passes: Codable, Sendable, Equatable {
    /// Images that went through forward (and backward), over all steps.
    public var images = 0
    /// Σ over images of the pass network's MACs, forward only.
    public var forwardMACs = 0.0
    /// How many forward passes one pass costs: 3 with the backward pass, 1 without.
    public var factor = 3.0
    /// What the number of passes grows with.
    public var growth = Growth.training
  }

  /// What the number of passes grows with, from one network and data set to a larger one.
  public enum Growth: String, Codable, Sendable, Equatable {
    /// The training images: passes of training steps.
    case training
    /// The images that widths are compared on, times the square of the number of width groups: every group is tried at
    /// every step of a descent, and the descent has a number of steps for every group.
    case descent
  }

  /// The sizes that a search's cost grows with.
  public struct Scale: Codable, Sendable, Equatable {
    /// MACs of the network that the widest passes run, for one image.
    public var supernetMACs: Int
    /// Training images in one epoch of the search: full batches only.
    public var trainingImages: Int
    /// Images that widths are compared on.
    public var evaluationImages: Int
    /// Width groups that are searched.
    public var widthGroups: Int

    /// Describes sizes.
    public init(supernetMACs: Int, trainingImages: Int, evaluationImages: Int = 0, widthGroups: Int = 0) {
      self.supernetMACs = supernetMACs
      self.trainingImages = trainingImages
      self.evaluationImages = evaluationImages
      self.widthGroups = widthGroups
    }
  }

  /// Passes by kind.
  public var passes: [String: Passes] = [:]
  /// The sizes that the search had.
  public var scale = Scale(supernetMACs: 0, trainingImages: 0)
  /// Seconds of work.
  public var seconds = 0.0

  /// Creates an empty account.
  public init() {}

  /// Multiply-accumulates spent.
  public var flops: Double { inOrder.reduce(0) { $0 + $1.factor * $1.forwardMACs } }

  // Sums of equal searches are equal to the last digit.
  private var inOrder: [Passes] { passes.sorted { $0.key < $1.key }.map(\.value) }

  /// Adds a pass of `images` images through a network of `macs`.
  public mutating func add(
    _ kind: String, images: Int, macs: Int, factor: Double = 3, growth: Growth = .training
  ) {
    var entry = passes[kind] ?? Passes()
    entry.images += images
    entry.forwardMACs += Double(images) * Double(macs)
    entry.factor = factor
    entry.growth = growth
    passes[kind] = entry
  }

  /// Adds forward passes of several networks, given the multiply-accumulates of all together.
  public mutating func add(_ kind: String, macs: Double, growth: Growth) {
    var entry = passes[kind] ?? Passes()
    entry.forwardMACs += macs
    entry.factor = 1
    entry.growth = growth
    passes[kind] = entry
  }

  /// What the same search would spend on a larger network and more data: the same passes, each as large a part of the
  /// supernet as it was here.
  public func flops(at larger: Scale) -> Double {
    func ratio(_ size: KeyPath<Scale, Int>) -> Double {
      scale[keyPath: size] > 0 ? Double(larger[keyPath: size]) / Double(scale[keyPath: size]) : 1
    }
    return ratio(\.supernetMACs)
      * inOrder.reduce(0) { sum, passes in
        let number =
          passes.growth == .training
          ? ratio(\.trainingImages) : ratio(\.evaluationImages) * ratio(\.widthGroups) * ratio(\.widthGroups)
        return sum + passes.factor * passes.forwardMACs * number
      }
  }
}
