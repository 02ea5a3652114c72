#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// How alike the filters of a layer are: the cosines between what computes its channels. Figures 8 and A4 of Chen, Bu, Yan (2024).
public struct FilterCosines: Codable, Hashable, Sendable {
  /// Filters.
  public var count: Int
  /// Weights of a filter.
  public var size: Int
  /// The mean of |cosine| over all pairs of filters.
  public var mean: Double
  /// The same over the tenth of the filters with the largest norms; nil when these are fewer than two.
  public var meanOfLargest: Double?
  /// The share of pairs whose |cosine| is above a half.
  public var shareAboveHalf: Double
  /// The filters that ``matrix`` shows, as places in the order of norms, the largest first.
  public var shown: [Int]
  /// Cosines between the filters shown, to two decimals.
  public var matrix: [[Double]]

  /// About the mean of |cosine| of random filters: √(2/(πd)) for d weights.
  public var ofRandom: Double { (2 / (.pi * Double(size))).squareRoot() }

  /// The most filters that are shown.
  public static let largestShown = 40

  /// Compares the rows of a matrix with each other; rows of zeros have a cosine of 0 with all others.
  ///
  /// - Returns: nil for fewer than two filters, or numbers that are not finite.
  public init?(rows values: [Float], count: Int) {
    guard count >= 2, !values.isEmpty, values.count % count == 0 else { return nil }
    let size = values.count / count
    let norms = (0..<count).map { row in
      values[row * size..<(row + 1) * size].reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    }
    guard norms.allSatisfy(\.isFinite) else { return nil }
    let order = norms.indices.sorted { (norms[$0], -$0) > (norms[$1], -$1) }
    // Unit rows in the order of norms.
    let unit = order.flatMap { row in
      let scale = norms[row] > 0 ? Float(1 / norms[row]) : 0
      return values[row * size..<(row + 1) * size].map { $0 * scale }
    }
    let largest = max(1, count / 10)
    var (sum, sumOfLargest, above) = (0.0, 0.0, 0)
    var all = Array(repeating: Float(0), count: count * count)
    unit.withUnsafeBufferPointer { unit in
      for i in 0..<count {
        all[i * count + i] = norms[order[i]] > 0 ? 1 : 0
        for j in i + 1..<max(count, i + 1) {
          var product = SIMD8<Float>()
          var place = 0
          while place + 8 <= size {
            var (a, b) = (SIMD8<Float>(), SIMD8<Float>())
            for lane in 0..<8 {
              a[lane] = unit[i * size + place + lane]
              b[lane] = unit[j * size + place + lane]
            }
            product += a * b
            place += 8
          }
          var cosine = product.sum()
          while place < size {
            cosine += unit[i * size + place] * unit[j * size + place]
            place += 1
          }
          let size = Double(abs(cosine))
          sum += size
          if j < largest { sumOfLargest += size }
          if size > 0.5 { above += 1 }
          all[i * count + j] = cosine
          all[j * count + i] = cosine
        }
      }
    }
    let pairs = Double(count * (count - 1) / 2)
    self.count = count
    self.size = size
    mean = sum / pairs
    meanOfLargest = largest >= 2 ? sumOfLargest / Double(largest * (largest - 1) / 2) : nil
    shareAboveHalf = Double(above) / pairs
    let places = min(count, Self.largestShown)
    // Evenly spaced over the order, the first and the last among them.
    let chosen = (0..<places).map { $0 * (count - 1) / max(places - 1, 1) }
    shown = chosen
    matrix = chosen.map { i in chosen.map { j in (Double(all[i * count + j]) * 100).rounded() / 100 } }
  }
}
