import Methods
import Networks
import Torch

/// MorphNet's pull on the scales, computed where they lie: to the bit what ``Methods/FLOPsRegularizer`` says on the host, so that
/// a step reads nothing from the device, save under a cost that was measured.
///
/// Groups differ in channels and members. All lie in one block `[groups, members, channels]`, in double precision, and what a
/// group lacks is a zero.
struct ScaleShrinkage {
  private let regularizer: FLOPsRegularizer
  private let scales: GroupScales
  private let shape: (groups: Int, members: Int, channels: Int, positions: Int)
  /// For each place of the block its scale among all, one after the other; what is lacking names the zero behind them.
  private let places: Tensor
  /// For each place of a block of one number a scale, all places that have the same scale; nil where none has another's. What is lacking
  /// names the zero behind them.
  private let sharers: Tensor?
  private let isChannel: Tensor
  private let floors: Tensor
  private let memberNumbers: Tensor
  private let channelNumbers: Tensor
  private let products: Tensor
  private let linear: Tensor
  private let depthwise: Tensor

  /// - Parameter floors: How many channels of each group are kept alive.
  init(_ regularizer: FLOPsRegularizer, _ scales: GroupScales, floors: [Int], device: Device) throws {
    self.regularizer = regularizer
    self.scales = scales
    let all = scales.members.flatMap { $0 }
    let (groups, members) = (scales.groups.count, max(1, scales.members.map(\.count).max() ?? 1))
    let (channels, positions) = (max(1, scales.widths.max() ?? 1), max(1, all.map(\.segment.positions).max() ?? 1))
    shape = (groups, members, channels, positions)
    let behind = scales.starts.last ?? 0
    var places = [Int64](repeating: Int64(behind), count: groups * members * channels * positions)
    for (group, width) in scales.widths.enumerated() {
      for (number, member) in scales.members[group].enumerated() {
        for channel in 0..<width {
          for (position, place) in member.elements(of: channel).enumerated() {
            places[((group * members + number) * channels + channel) * positions + position] =
              Int64(scales.starts[member.normalization] + place)
          }
        }
      }
    }
    self.places = try Tensor(places, device: device)
    // Rows with the same first place have the same scale.
    let rows = groups * members * channels
    let shared = Dictionary(grouping: (0..<rows).filter { places[$0 * positions] < Int64(behind) }) {
      places[$0 * positions]
    }
    let most = shared.values.map(\.count).max() ?? 1
    sharers =
      most > 1
      ? try Tensor(
        (0..<rows).flatMap { row in
          let own = (shared[places[row * positions]] ?? []).map(Int64.init)
          return own + [Int64](repeating: Int64(rows), count: most - own.count)
        }, device: device) : nil
    isChannel = try Tensor(
      scales.widths.flatMap { width in (0..<channels).map { $0 < width ? Float(1) : 0 } }, device: device
    ).isGreater(than: 0).reshaped([groups, channels])
    self.floors = try Tensor(floors.map(Int64.init), device: device).reshaped([groups, 1])
    memberNumbers = try Tensor((0..<members).map(Int64.init), device: device).reshaped([1, members, 1])
    channelNumbers = try Tensor((0..<groups * channels).map { Int64($0 % channels) }, device: device)
      .reshaped([groups, channels])
    // dG/dR is linear in the counts of living channels.
    var matrix = [Double](repeating: 0, count: groups * groups)
    for product in regularizer.polynomial.products {
      matrix[product.first * groups + product.second] += product.coefficient
      matrix[product.second * groups + product.first] += product.coefficient
    }
    products = try Tensor(matrix, device: device).reshaped([groups, groups])
    linear = try Tensor(regularizer.polynomial.linear, device: device)
    depthwise = try Tensor(
      regularizer.polynomial.depthwise.map { (regularizer.depthwiseFactor - 1) * $0 }, device: device)
  }

  /// A step of size `step` · dG/dR towards 0 for every magnitude, and no further than 0; the largest `floors` channels of a group
  /// stay just alive.
  func softThreshold(_ step: Double) throws {
    guard shape.groups > 0 else { return }
    try withoutGradients {
      let now = try read()
      let pull = try summed((now.slopes * step).reshaped([shape.groups, 1, 1]) * now.directions.abs())
      let order = try isChannel.selecting(now.magnitudes, else: Tensor.full([], -1, .float64, device: places.device))
        .sortingIndices(1, descending: true)
      var isProtected = try channelNumbers.scattering(1, order, channelNumbers).isLess(than: floors).unsqueezed(1)
      if sharers != nil {
        isProtected = try summed(now.sizes.zerosLike() + isProtected.to(.float64)).isGreater(than: 0)
      }
      let zeros = try now.sizes.zerosLike()
      let least = try isProtected.selecting(now.sizes.clamped(0, 1.01 * regularizer.threshold), else: zeros)
      let factors = try now.sizes.isGreater(than: 0)
        .selecting(least.maximum(now.sizes - pull) / now.sizes, else: zeros)
      for (scale, factor) in zip(scales.scales, try spread(factors, rest: 1)) { try scale.multiply(inPlace: factor) }
    }
  }

  /// Adds `weight` · dG/dγ to the gradients.
  func addGradient(_ weight: Double) throws {
    guard shape.groups > 0 else { return }
    try withoutGradients {
      let now = try read()
      let added = try summed((now.slopes * weight).reshaped([shape.groups, 1, 1]) * now.directions)
      for (scale, addition) in zip(scales.scales, try spread(added, rest: 0)) {
        try scale.gradient?.add(inPlace: addition)
      }
    }
  }

  private struct Values {
    /// |γ|, `[groups, members, channels]`.
    var sizes: Tensor
    /// r, `[groups, channels]`.
    var magnitudes: Tensor
    /// dr/dγ, `[groups, members, channels]`.
    var directions: Tensor
    /// dG/dR, `[groups]`.
    var slopes: Tensor
  }

  private func read() throws -> Values {
    let (groups, members, channels, positions) = shape
    let all = try Tensor.concatenate(
      scales.scales.map { try $0.to(.float32) } + [Tensor.zeros([1], device: places.device)])
    var values = try all.selecting(0, places).to(.float64).reshaped([groups, members, channels, positions])
    if positions > 1 { values = try values.gathering(3, values.abs().argmax(3).unsqueezed(3)) }
    values = try values.reshaped([groups, members, channels])
    let sizes = try values.abs()
    let magnitudes: Tensor
    let directions: Tensor
    switch regularizer.grouping {
    case .max:
      magnitudes = try fold(sizes) { try $0.maximum($1) }
      directions = try values.sign() * sizes.argmax(1).unsqueezed(1).equal(memberNumbers).to(.float64)
    case .norm:
      magnitudes = try fold(values * values) { try $0 + $1 }.sqrt()
      let norm = try magnitudes.unsqueezed(1)
      directions = try norm.isGreater(than: 0).selecting(values / norm, else: values.zerosLike())
    }
    let counts = try magnitudes.isGreater(than: regularizer.threshold).sum([1]).to(.float64).reshaped([1, groups])
    let gradient =
      regularizer.polynomial.isMeasured
      ? try measuredGradient(counts) : try linear + (products * counts).sum([1]) + depthwise
    return Values(
      sizes: sizes, magnitudes: magnitudes, directions: directions,
      slopes: try gradient.clamped(0, .greatestFiniteMagnitude) * FLOPsRegularizer.operations)
  }

  // What was measured has other slopes at every count, which the host reads off its grids.
  private func measuredGradient(_ counts: Tensor) throws -> Tensor {
    let gradient = regularizer.polynomial.gradient(try counts.array())
    return try Tensor(gradient, device: places.device) + depthwise
  }

  /// Of numbers for each channel, the sums over those that share a scale.
  private func summed(_ block: Tensor) throws -> Tensor {
    guard let sharers else { return block }
    let all = try Tensor.concatenate([block.flattened(), Tensor.zeros([1], .float64, device: places.device)])
    return try all.selecting(0, sharers).reshaped([block.count, -1]).sum([1]).reshaped(block.shape)
  }

  // One member after the other, so that sums round as on the host.
  private func fold(_ values: Tensor, _ join: (Tensor, Tensor) throws -> Tensor) throws -> Tensor {
    func member(_ number: Int) throws -> Tensor {
      try values.slice(1, number..<number + 1).reshaped([shape.groups, shape.channels])
    }
    return try (1..<shape.members).reduce(member(0)) { try join($0, member($1)) }
  }

  /// One tensor a normalization from a block; what lies on no group's channels is `rest`.
  private func spread(_ block: Tensor, rest: Double) throws -> [Tensor] {
    var block = try block.to(.float32).unsqueezed(3)
    if shape.positions > 1 {
      block = try block.selecting(
        3, Tensor([Int64](repeating: 0, count: shape.positions), device: places.device))
    }
    let count = scales.starts.last ?? 0
    let all = try Tensor.full([count + 1], rest, device: places.device)
      .scattering(0, places, block.reshaped([places.count]))
    return try zip(scales.starts, scales.starts.dropFirst()).map { try all.slice(0, $0..<$1) }
  }
}
