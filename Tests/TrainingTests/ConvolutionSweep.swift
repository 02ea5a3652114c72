import Networks
import Testing
import Torch

@testable import Training

/// A form of convolution that a zoo network uses, to be tried at every width.
struct ConvolutionForm: Sendable, CustomTestStringConvertible {
  enum Kind: Sendable { case dense, depthwise, linear }

  var name: String
  var kind = Kind.dense
  var kernel = 1
  var stride = 1
  var hasBias = false
  /// Input channels to try; nil for all widths.
  var inputs: [Int]?
  /// Sides of the images, odd and even, that take turns.
  var sides = [7, 8, 5, 13]
  /// The side at which narrow widths are tried once more with a batch of 16; nil for none.
  var largeSide: Int? = 32
  var testDescription: String { name }

  static let all: [ConvolutionForm] = [
    ConvolutionForm(name: "1x1"), ConvolutionForm(name: "1x1-bias", hasBias: true),
    ConvolutionForm(name: "1x1-bias-gate", hasBias: true, sides: [1], largeSide: nil),
    ConvolutionForm(name: "1x1-stride2", stride: 2), ConvolutionForm(name: "3x3", kernel: 3),
    ConvolutionForm(name: "3x3-bias", kernel: 3, hasBias: true),
    ConvolutionForm(name: "3x3-stride2", kernel: 3, stride: 2),
    ConvolutionForm(name: "3x3-stem", kernel: 3, inputs: [1, 3]),
    ConvolutionForm(name: "3x3-stem-stride2", kernel: 3, stride: 2, inputs: [1, 3]),
    ConvolutionForm(name: "7x7-stem-stride2", kernel: 7, stride: 2, inputs: [1, 3], sides: [15, 16, 9, 21]),
    ConvolutionForm(name: "3x3-depthwise", kind: .depthwise, kernel: 3),
    ConvolutionForm(name: "3x3-depthwise-stride2", kind: .depthwise, kernel: 3, stride: 2),
    ConvolutionForm(name: "5x5-depthwise", kind: .depthwise, kernel: 5),
    ConvolutionForm(name: "5x5-depthwise-stride2", kind: .depthwise, kernel: 5, stride: 2),
    // More channels, and maps smaller than the filter: those forms are carried out in other ways.
    ConvolutionForm(
      name: "1x1-stride2-wide", stride: 2, inputs: [41, 55, 63, 65, 97, 127, 129, 255], sides: [2, 4, 7, 13],
      largeSide: nil),
    // Larger maps, on which kernels of narrow layers write out of bounds that are right on smaller ones.
    ConvolutionForm(
      name: "1x1-stride2-large", stride: 2, inputs: [1, 3, 4, 6, 7, 8, 9, 10, 12, 14, 15, 16, 17, 20, 24, 31],
      sides: [56, 64, 95, 112], largeSide: nil),
    ConvolutionForm(name: "3x3-depthwise-small", kind: .depthwise, kernel: 3, sides: [1, 2], largeSide: nil),
    ConvolutionForm(
      name: "5x5-depthwise-small-stride2", kind: .depthwise, kernel: 5, stride: 2, sides: [1, 2, 3, 4], largeSide: nil),
    ConvolutionForm(name: "7x7-depthwise-small", kind: .depthwise, kernel: 7, sides: [1, 2, 4, 6], largeSide: nil),
    ConvolutionForm(name: "5x5-small", kernel: 5, sides: [1, 2, 3, 4], largeSide: nil),
    ConvolutionForm(name: "linear", kind: .linear, hasBias: true),
  ]
}

/// One convolution, forward and backward, against the same in double precision.
struct ConvolutionCase: Sendable, CustomStringConvertible {
  var form: ConvolutionForm
  var input: Int
  var output: Int
  var batch: Int
  var side: Int
  var format: MemoryFormat
  /// Whether the weight is the front of a wider one, as in a narrower run of a model.
  var isSliced: Bool

  var description: String {
    "\(form.name) \(input)→\(output), batch \(batch), \(side)×\(side), \(format)\(isSliced ? ", sliced weight" : "")"
  }

  /// The largest relative error (of the maximum norm) among the result and all gradients.
  ///
  /// - Parameter isProtected: Whether the convolution goes through `ConvolutionExecution` as in a model.
  func error(isProtected: Bool = true) throws -> Double {
    let seed = UInt64(input * 1_000_003 + output * 101 + batch * 7 + side)
    let generator = try Generator(seed: seed)
    let (images, weight, bias) = try operands(generator)
    for tensor in [images, weight, bias].compactMap({ $0 }) { try tensor.setRequiresGradient(true) }
    let used = isSliced ? try front(of: weight) : weight
    let convolution = self.convolution
    let result: Tensor
    if form.kind == .linear {
      result = try images.linear(used, bias: bias)
    } else if isProtected {
      result = try ConvolutionExecution(convolution, inputChannels: input)(images, weight: used, bias: bias)
    } else {
      result = try plain(images, used, bias)
    }
    let seedGradient = try Tensor.normal(result.shape, generator: generator)
    let outgoing = result.rank == 4 ? try seedGradient.contiguous(format) : seedGradient
    try result.backward(seed: outgoing)

    let exact = try [images, weight, bias].map { tensor in
      guard let tensor else { return nil as Tensor? }
      let double = try tensor.detached().to(.float64).contiguous()
      try double.setRequiresGradient(true)
      return double
    }
    let exactWeight = isSliced ? try front(of: exact[1]!).contiguous() : exact[1]!
    let reference =
      form.kind == .linear
      ? try exact[0]!.linear(exactWeight, bias: exact[2]) : try plain(exact[0]!, exactWeight, exact[2])
    try reference.backward(seed: seedGradient.to(.float64))
    var worst = try Self.distance(result, reference)
    for (found, expected) in zip([images, weight, bias], exact) {
      guard let found, let expected, let one = found.gradient, let other = expected.gradient else { continue }
      worst = max(worst, try Self.distance(one, other))
    }
    return worst
  }

  private var convolution: Convolution {
    Convolution(
      outputChannels: output, kernelSize: Extent(form.kernel), stride: Extent(form.stride),
      padding: Extent(form.kernel / 2), grouping: form.kind == .depthwise ? .depthwise : .dense, hasBias: form.hasBias)
  }

  private func plain(_ images: Tensor, _ weight: Tensor, _ bias: Tensor?) throws -> Tensor {
    try images.conv2d(
      weight, bias: bias, stride: Size2D(form.stride), padding: Size2D(form.kernel / 2),
      groups: form.kind == .depthwise ? input : 1)
  }

  private func operands(_ generator: Generator) throws -> (images: Tensor, weight: Tensor, bias: Tensor?) {
    let extra = isSliced ? 5 : 0
    let bias = form.hasBias ? try Tensor.normal([output], generator: generator) : nil
    guard form.kind != .linear else {
      return (
        try .normal([batch, input], generator: generator),
        try .normal([output + extra, input + extra], generator: generator), bias
      )
    }
    let inner = form.kind == .depthwise ? 1 : input + extra
    return (
      try .normal([batch, input, side, side], generator: generator).contiguous(format),
      try .normal([output + extra, inner, form.kernel, form.kernel], generator: generator).contiguous(format), bias
    )
  }

  private func front(of weight: Tensor) throws -> Tensor {
    let outer = try weight.slice(0, 0..<output)
    return form.kind == .depthwise ? outer : try outer.slice(1, 0..<input)
  }

  // All elements are sums of products of numbers of order one: a single one that cancels out is no scale to measure by.
  private static func distance(_ found: Tensor, _ expected: Tensor) throws -> Double {
    let difference = try (found.detached().to(.float64) - expected.detached()).abs().max().item()
    let error = difference / max(try expected.detached().abs().max().item(), 0.1)
    return error.isNaN ? .infinity : error
  }
}

extension ConvolutionForm {
  /// A few dozen cases, with the widths around the block sizes of vector kernels.
  var shortCases: [ConvolutionCase] {
    let widths = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 15, 16, 17, 24, 31, 33]
    var cases: [ConvolutionCase] = []
    for (index, width) in widths.enumerated() {
      let input = inputs.map { $0[index % $0.count] } ?? width
      let output = kind == .depthwise ? input : widths[(index * 5 + 11) % widths.count]
      for format in [MemoryFormat.contiguous, .channelsLast] {
        cases.append(
          ConvolutionCase(
            form: self, input: input, output: output, batch: [1, 2, 16][index % 3], side: sides[index % sides.count],
            format: format, isSliced: index % 2 == 1))
      }
    }
    if let largeSide, inputs == nil {
      cases += [(6, 15), (4, 9), (3, 7)].map { pair in
        ConvolutionCase(
          form: self, input: pair.0, output: kind == .depthwise ? pair.0 : pair.1, batch: 16, side: largeSide,
          format: .channelsLast, isSliced: false)
      }
    }
    return cases
  }

  /// All widths from 1 to 40, in and out.
  var fullCases: [ConvolutionCase] {
    var cases: [ConvolutionCase] = []
    let batches = [1, 2, 3, 16, 5]
    for input in inputs ?? Array(1...(kind == .depthwise ? 120 : 40)) {
      for output in kind == .depthwise ? [input] : Array(1...40) {
        let isNarrow = input <= 17 && output <= 17
        for format in [MemoryFormat.contiguous, .channelsLast] {
          // Sizes, batches and weights take turns, each with a period of its own.
          for turn in 0..<(isNarrow || kind == .depthwise || inputs != nil ? 4 : 1) {
            let number = input * 3 + output + turn * 7
            cases.append(
              ConvolutionCase(
                form: self, input: input, output: output, batch: batches[number % batches.count],
                side: sides[(number + turn) % sides.count], format: format, isSliced: (input + turn) % 2 == 1))
          }
        }
        if isNarrow, let largeSide {
          cases.append(
            ConvolutionCase(
              form: self, input: input, output: output, batch: 16, side: largeSide, format: .channelsLast,
              isSliced: output % 2 == 1))
        }
      }
    }
    return cases
  }
}
