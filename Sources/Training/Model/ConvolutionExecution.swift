import Networks
import Torch

/// The one place that decides how a convolution is carried out, so that knowledge about kernels has a home.
///
/// - A 1×1 convolution with a stride reads only every n-th position. oneDNN's kernels for its weight gradient write out
///   of bounds when the layout is channels-last and there are fewer input channels than a vector holds (oneDNN issue 6035): wrong
///   gradients, crashes, hangs with AVX2 under 8, crashes with AVX-512 under 16 on maps of some 56 pixels or more. Taking the positions
///   first and convolving with stride 1 is the same function, and is done there. From 16 channels on the strided form is right and up to
///   five times as fast. `scripts/sweep-convolutions` looks for more of the kind; docs/results/convolution-sweep.md has what it found.
/// - On a small map the outer part of a large filter meets nothing but padding: of 5×5 on a map of 2×2 only the inner 3×3 is ever
///   multiplied with a pixel. Convolving with that part is the same function, and the derivative of the rest is zero as it should be.
///   Searches on images of low resolution end in such maps.
/// - Of a depthwise convolution of a map smaller than its filter oneDNN takes the weight gradient by a matrix product for each channel,
///   which is 4 to 30 times slower than its own kernel (docs/results/small-maps.md). With zeros laid around the
///   map until it is as large it takes the kernel.
/// - Where an output lies wholly in the padding, oneDNN's AVX2 kernel may read out of bounds (1×1 at stride 2, padding 1 and dilation 2 on a
///   map one pixel wide crashes PyTorch 2.13, with a bias); there, too, the zeros are laid around the map.
struct ConvolutionExecution: Sendable, Hashable {
  let stride: Size2D
  let padding: Size2D
  let dilation: Size2D
  let groups: Int
  let subsamples: Bool

  /// The least number of input channels with which a strided 1×1 convolution is left to oneDNN.
  private static let safeInputs = 16

  init(_ convolution: Convolution, inputChannels: Int) {
    let isPointwise =
      convolution.kernelSize.height == 1 && convolution.kernelSize.width == 1 && convolution.padding.height == 0
      && convolution.padding.width == 0
    groups = convolution.groups(inputChannels: inputChannels)
    subsamples =
      isPointwise && (convolution.stride.height > 1 || convolution.stride.width > 1)
      && (inputChannels < Self.safeInputs || groups > 1)
    stride = Size2D(convolution.stride.height, convolution.stride.width)
    padding = Size2D(convolution.padding.height, convolution.padding.width)
    dilation = Size2D(convolution.dilation.height, convolution.dilation.width)
  }

  func callAsFunction(_ input: Tensor, weight: Tensor, bias: Tensor?) throws -> Tensor {
    guard !subsamples else {
      var positions = input
      if stride.height > 1 { positions = try positions.slice(2, 0..<Int.max, step: stride.height) }
      if stride.width > 1 { positions = try positions.slice(3, 0..<Int.max, step: stride.width) }
      return try positions.conv2d(weight, bias: bias, groups: groups)
    }
    guard padding.height > 0 || padding.width > 0 else { return try convolve(input, weight, bias, padding) }
    let (shape, kernel) = (input.shape, weight.shape)
    let rows = Reach(
      size: shape[2], kernel: kernel[2], stride: stride.height, padding: padding.height, dilation: dilation.height)
    let columns = Reach(
      size: shape[3], kernel: kernel[3], stride: stride.width, padding: padding.width, dilation: dilation.width)
    var filters = weight
    if rows.taps.count < kernel[2] { filters = try filters.slice(2, rows.taps) }
    if columns.taps.count < kernel[3] { filters = try filters.slice(3, columns.taps) }
    let isDepthwise = groups > 1 && groups == shape[1] && groups == kernel[0]
    let isSmall = shape[2] < rows.taps.count || shape[3] < columns.taps.count
    let isOutside =
      rows.before > dilation.height * (rows.taps.count - 1)
      || columns.before > dilation.width * (columns.taps.count - 1)
    guard rows.before == rows.after, columns.before == columns.after, !(isOutside && input.device == .cpu) else {
      let padded = try input.padded([columns.before, columns.after, rows.before, rows.after])
      return try convolve(padded.contiguous(.channelsLast), filters, bias, Size2D(0))
    }
    guard isDepthwise, isSmall, input.device == .cpu else {
      return try convolve(input, filters, bias, Size2D(rows.before, columns.before))
    }
    // As many as make the map as large as the filter; the convolution does the others for less.
    let (above, beside) = (rows.missing(shape[2]), columns.missing(shape[3]))
    let larger = try input.padded([beside, beside, above, above]).contiguous(.channelsLast)
    return try convolve(larger, filters, bias, Size2D(rows.before - above, columns.before - beside))
  }

  private func convolve(_ input: Tensor, _ weight: Tensor, _ bias: Tensor?, _ padding: Size2D) throws -> Tensor {
    try input.conv2d(weight, bias: bias, stride: stride, padding: padding, dilation: dilation, groups: groups)
  }

  /// What of a filter meets pixels, along one side of a map.
  struct Reach: Hashable {
    /// The rows of the filter that do.
    var taps: Range<Int>
    /// Zeros in front of the map and behind it with which that part gives the same.
    var before: Int
    var after: Int

    /// Zeros at each side that make a map as large as the part.
    func missing(_ size: Int) -> Int { min(before, max(0, (taps.count - size + 1) / 2)) }

    /// All of it, where a part would not give the same.
    init(size: Int, kernel: Int, stride: Int, padding: Int, dilation: Int) {
      (taps, before, after) = (0..<kernel, padding, padding)
      let outputs = (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1
      guard size > 0, outputs > 0 else { return }
      // The last output meets the map with its first tap that does, the first output with its last.
      let first = max(0, (padding - (outputs - 1) * stride + dilation - 1) / dilation)
      let last = min(kernel - 1, (padding + size - 1) / dilation)
      guard first <= last, first > 0 || last < kernel - 1 else { return }
      let front = padding - first * dilation
      let behind = (outputs - 1) * stride + dilation * (last - first) + 1 - size - front
      guard front >= 0, behind >= 0 else { return }
      (taps, before, after) = (first..<last + 1, front, behind)
    }
  }
}
