/// What a name in a graph stands for while it is read.
enum ONNXValue {
  /// The result of a layer, by its name; `input` for the image.
  case layer(String)
  /// Numbers of the file.
  case constant(ONNXTensor)
  /// Whole numbers that are computed from shapes.
  case sizes([Size])
  /// Numbers with a fraction that are computed from shapes; nil for what is not known.
  case numbers([Double?])
  /// The same in rows of equal length: exporters compute a Pad's numbers so.
  case table([[Size]])
  /// Places in a tensor, which are computed.
  case index(ONNXIndex)
  /// The result of a layer between zeros: above, left, below and right.
  case padded(String, [Int])
  /// A gate that is still to be multiplied with what it was made of: x · sigmoid(x), x · hardSigmoid(x).
  case gate(of: String, isHard: Bool)
  /// A part of x · ½ · (1 + erf(x / √2)).
  case gelu(GELUPart)
  /// A part of a global response normalization.
  case response(ResponsePart)
  /// Numbers of the file times one number.
  case scaled(ONNXTensor, Double)
  /// Something that is computed from weights and read by nothing that counts: their means and variances.
  case statistic
  /// Weights that are standardized filter by filter.
  case standardized(StandardizedWeight)
  /// Results of layers along an axis of their own: the layout's factor of channels that is one branch apart.
  case branches([String])
  /// What branches, the results of these layers, get by a softmax of them; each becomes a layer when it is asked for.
  case softmax(of: [String], path: String)
  /// The shares of the places of a map by a softmax of the one channel that a layer gives.
  case shares(String)
  /// A tensor of a part that is passed as it is, by its number.
  case passed(Int)
  /// Parts of one tensor, of which others are taken by number.
  case sequence(SplitParts)

  /// Weights that are standardized filter by filter before a convolution reads them.
  struct StandardizedWeight {
    var weight: ONNXTensor
    /// The learnt factors of the filters.
    var gain: ONNXTensor?
    /// One number times the filters.
    var factor: Double?
    var epsilon: Double
  }

  /// What SplitToSequence makes of a map: a part becomes a layer when it is taken.
  struct SplitParts {
    /// The layer that is split, and what its axes stand for.
    var source: String
    var layout: ONNXLayout
    /// The channels of each part.
    var parts: [Range<Int>]
    /// What the parts' layers are called, but for their numbers.
    var path: String
  }

  /// A dimension in a computation of shapes.
  enum Size: Equatable {
    case known(Int)
    /// The number of images.
    case batch
    /// So many times the number of images.
    case batches(Int)
    /// Something that follows from the network, and is not asked for.
    case open
  }

  /// How much of a global response normalization has been met.
  struct ResponsePart {
    /// The layer whose result is x.
    var source: String
    var stage: Stage
    var epsilon = 0.0
    var weight: ONNXTensor?
    var bias: ONNXTensor?

    enum Stage: Equatable {
      /// n, the norms of the channels over all places.
      case norms
      /// The mean of n over the channels.
      case mean
      /// The same with ε.
      case shifted
      /// n / (mean + ε)
      case share
      /// x · share, weight · x · share, bias + weight · x · share
      case product, weighted, moved
    }
  }

  /// How much of the function has been met.
  struct GELUPart {
    /// The layer whose result is x.
    var source: String
    var stage: Stage

    enum Stage: Equatable {
      /// x / √2
      case scaled
      /// erf(x / √2)
      case erf
      /// 1 + erf(x / √2), perhaps with one of the two other factors.
      case product(hasSource: Bool, hasHalf: Bool)
      /// x · ½
      case half
    }

    /// Whether it is x times a number, and nothing of the function yet.
    var isProduct: Bool { stage == .half || stage == .scaled }
  }
}

/// Where a tensor of the state dict comes from.
enum ONNXWeight: Equatable {
  /// A tensor of the file, with its axes turned.
  case tensor(String, turn: ONNXTurn?)
  /// So many times one number: what a batch normalization that was put back starts from.
  case constant(Double, count: Int)
}
