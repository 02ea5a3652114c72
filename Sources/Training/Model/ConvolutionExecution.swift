import Networks
import Torch

/// The one place that decides how a convolution is carried out, so that knowledge about kernels has a home.
///
/// - A 1×1 convolution with a stride reads only every n-th position. oneDNN's AVX2 kernel for its weight gradient writes out
///   of bounds when the layout is channels-last and there are fewer than 8 input channels (oneDNN issue 6035): wrong
///   gradients, crashes, hangs. Taking the positions first and convolving with stride 1 is the same function, so it is
///   always done. `scripts/sweep-convolutions` looks for more of the kind; docs/results/convolution-sweep.md has what it
///   found: no other form, and with AVX-512 not even this one.
struct ConvolutionExecution: Sendable, Hashable {
  let stride: Size2D
  let padding: Size2D
  let dilation: Size2D
  let groups: Int
  let subsamples: Bool

  init(_ convolution: Convolution, inputChannels: Int) {
    let isPointwise =
      convolution.kernelSize.height == 1 && convolution.kernelSize.width == 1 && convolution.padding.height == 0
      && convolution.padding.width == 0
    subsamples = isPointwise && (convolution.stride.height > 1 || convolution.stride.width > 1)
    stride = Size2D(convolution.stride.height, convolution.stride.width)
    padding = Size2D(convolution.padding.height, convolution.padding.width)
    dilation = Size2D(convolution.dilation.height, convolution.dilation.width)
    groups = convolution.groups(inputChannels: inputChannels)
  }

  func callAsFunction(_ input: Tensor, weight: Tensor, bias: Tensor?) throws -> Tensor {
    guard subsamples else {
      return try input.conv2d(
        weight, bias: bias, stride: stride, padding: padding, dilation: dilation, groups: groups)
    }
    var positions = input
    if stride.height > 1 { positions = try positions.slice(2, 0..<Int.max, step: stride.height) }
    if stride.width > 1 { positions = try positions.slice(3, 0..<Int.max, step: stride.width) }
    return try positions.conv2d(weight, bias: bias, groups: groups)
  }
}
