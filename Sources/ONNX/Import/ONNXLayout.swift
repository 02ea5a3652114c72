import Networks

/// What the axes of a tensor stand for: each is a list of factors, the coarsest first.
///
/// A result of a layer starts as batch, channels, rows, columns. Transposing permutes the axes; reshaping regroups their factors in
/// row-major order, where channels may fall into parts. Islands of channels-last code, shuffles and flattenings are then read off the
/// axes, and need no patterns.
struct ONNXLayout: Equatable {
  enum Factor: Equatable {
    case batch
    case rows(Int)
    case columns(Int)
    /// Some of the rows, each so many apart; likewise of the columns.
    case rowPart(Int, stride: Int)
    case columnPart(Int, stride: Int)
    /// So many channels, each so many of the layer's apart.
    case channels(Int, stride: Int)

    /// So many parts of so many each; nil for what does not fall apart.
    func split(_ coarse: Int, _ fine: Int) -> (Factor, Factor)? {
      switch self {
      case .batch: nil
      case .rows: (.rowPart(coarse, stride: fine), .rowPart(fine, stride: 1))
      case .columns: (.columnPart(coarse, stride: fine), .columnPart(fine, stride: 1))
      case .rowPart(_, let stride): (.rowPart(coarse, stride: stride * fine), .rowPart(fine, stride: stride))
      case .columnPart(_, let stride): (.columnPart(coarse, stride: stride * fine), .columnPart(fine, stride: stride))
      case .channels(_, let stride): (.channels(coarse, stride: stride * fine), .channels(fine, stride: stride))
      }
    }

    /// Nil for the batch.
    var size: Int? {
      switch self {
      case .batch: nil
      case .rows(let size), .columns(let size), .channels(let size, _), .rowPart(let size, _),
        .columnPart(let size, _):
        size
      }
    }
  }

  var axes: [[Factor]]

  /// Batch, channels, rows, columns: what convolutions see.
  static func map(_ shape: Shape) -> ONNXLayout {
    ONNXLayout(axes: [[.batch], [.channels(shape.channels, stride: 1)], rows(shape), columns(shape)])
  }

  /// Batch, rows, columns, channels.
  static func last(_ shape: Shape) -> ONNXLayout {
    ONNXLayout(axes: [[.batch], rows(shape), columns(shape), [.channels(shape.channels, stride: 1)]])
  }

  /// Batch and channels of what has one place.
  static func features(_ shape: Shape) -> ONNXLayout {
    ONNXLayout(axes: [[.batch], [.channels(shape.channels, stride: 1)]])
  }

  // An axis of one place needs no factor, so that it can come and go.
  private static func rows(_ shape: Shape) -> [Factor] { shape.height == 1 ? [] : [.rows(shape.height)] }
  private static func columns(_ shape: Shape) -> [Factor] { shape.width == 1 ? [] : [.columns(shape.width)] }

  /// Rows and columns of a map, as one axis has them.
  func places(_ shape: Shape) -> [Factor] { Self.rows(shape) + Self.columns(shape) }

  /// The side of the squares whose pixels stand beside each other as channels, all of the first pixel in front.
  func squares(_ shape: Shape) -> Int? {
    guard axes.count == 4, axes[0] == [.batch], axes[1].count == 3, case .rowPart(let side, 1) = axes[1][0],
      side > 1,
      axes[1] == [.rowPart(side, stride: 1), .columnPart(side, stride: 1), .channels(shape.channels, stride: 1)],
      shape.height.isMultiple(of: side), shape.width.isMultiple(of: side),
      axes[2] == [.rowPart(shape.height / side, stride: side)],
      axes[3] == [.columnPart(shape.width / side, stride: side)]
    else { return nil }
    return side
  }

  /// The axes' sizes.
  var sizes: [ONNXValue.Size] {
    axes.map { axis in
      axis == [.batch] ? .batch : axis.contains(.batch) ? .open : .known(axis.reduce(1) { $0 * ($1.size ?? 1) })
    }
  }

  /// The axis that holds all channels and nothing else.
  func channelAxis(_ shape: Shape) -> Int? { axes.firstIndex(of: [.channels(shape.channels, stride: 1)]) }

  /// The layout of a result that has another shape, where this is one of the usual three; or the same channels and places.
  func replaced(_ shape: Shape, by other: Shape) -> ONNXLayout? {
    if shape == other { return self }
    if self == .map(shape) { return .map(other) }
    if self == .last(shape) { return .last(other) }
    if self == .features(shape), other.height * other.width == 1 { return .features(other) }
    // Tokens, for example: places as they are, with other channels.
    guard shape.height == other.height, shape.width == other.width, let axis = channelAxis(shape) else { return nil }
    var result = self
    result.axes[axis] = [.channels(other.channels, stride: 1)]
    return result
  }

  func transposed(_ order: [Int]) -> ONNXLayout? {
    guard order.sorted() == Array(axes.indices) else { return nil }
    return ONNXLayout(axes: order.map { axes[$0] })
  }

  /// The factors regrouped into axes of other sizes; nil where that takes more than this knows.
  ///
  /// - Parameter images: The number of images that the file was made for, when it was.
  func reshaped(_ wanted: [ONNXValue.Size], images: Int?, zeroCopies: Bool = true) -> ONNXLayout? {
    guard axes.first == [.batch], let first = wanted.first else { return nil }
    let known = wanted.dropFirst()
    let isBatch =
      [.batch, .known(-1), .open].contains(first) || first == .known(0) && zeroCopies
      || images.map { first == .known($0) } ?? false
    guard isBatch else { return nil }
    var factors = axes.dropFirst().flatMap { $0 }
    let total = factors.reduce(1) { $0 * ($1.size ?? 1) }
    guard !factors.contains(.batch) else { return nil }
    var sizes: [Int?] = []
    for (index, size) in known.enumerated() {
      switch size {
      case .known(0) where zeroCopies:
        guard index + 1 < axes.count else { return nil }
        sizes.append(axes[index + 1].reduce(1) { $0 * ($1.size ?? 1) })
      case .known(let size) where size > 0: sizes.append(size)
      case .known(-1), .open: sizes.append(nil)
      case .known, .batch, .batches: return nil
      }
    }
    let product = sizes.reduce(1) { $0.multipliedReportingOverflow(by: $1 ?? 1).partialValue }
    if sizes.count(where: { $0 == nil }) == 1, product > 0, total % product == 0 {
      sizes = sizes.map { $0 ?? total / product }
    }
    guard sizes.allSatisfy({ $0 != nil }) else { return nil }
    var result: [[Factor]] = [[.batch]]
    for size in sizes.compactMap({ $0 }) {
      var axis: [Factor] = []
      var rest = size
      while rest > 1 || rest == 1 && factors.first?.size == 1 && axis.isEmpty {
        guard let factor = factors.first, let own = factor.size else { return nil }
        if rest % own == 0 {
          axis.append(factor)
          rest /= own
          factors.removeFirst()
          if own == 1 { break }
        } else if own % rest == 0, let (coarse, fine) = factor.split(rest, own / rest) {
          axis.append(coarse)
          factors[0] = fine
          rest = 1
        } else {
          return nil
        }
      }
      guard rest == 1 else { return nil }
      result.append(axis)
    }
    guard factors.isEmpty else { return nil }
    return ONNXLayout(axes: result).joined
  }

  /// With channels that lie side by side again as one factor.
  private var joined: ONNXLayout {
    ONNXLayout(
      axes: axes.map { axis in
        axis.reduce(into: []) { result, factor in
          if case .channels(let coarse, let far)? = result.last, case .channels(let fine, let near) = factor,
            far == fine * near
          {
            result[result.count - 1] = .channels(coarse * fine, stride: near)
          } else {
            result.append(factor)
          }
        }
      })
  }

  /// The number of parts whose channels take turns on an axis, where that is all that was done to a map.
  func shuffle(_ shape: Shape) -> Int? {
    let usual = ONNXLayout.map(shape)
    guard axes.count == usual.axes.count, axes.indices.allSatisfy({ $0 == 1 || axes[$0] == usual.axes[$0] }),
      axes[1].count == 2, case .channels(let fine, 1) = axes[1][0], case .channels(let parts, let stride) = axes[1][1],
      stride == fine, fine * parts == shape.channels
    else { return nil }
    return parts
  }

  /// Whether an axis holds all channels and then all places: what a flattening makes.
  func isFlattened(_ shape: Shape) -> Bool {
    let usual = ONNXLayout.map(shape)
    return axes.count == 2 && axes[0] == [.batch] && axes[1] == usual.axes[1] + usual.axes[2] + usual.axes[3]
  }
}
