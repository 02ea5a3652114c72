import Support

/// A network as a Python file: an `nn.Module` with its widths as plain numbers and the names of its state dict.
///
/// It needs PyTorch alone, and no more of this program; a state dict of the network loads into it.
public struct PyTorchSource {
  private let network: ResolvedNetwork
  private let weights: String
  private let version: String

  /// Describes the file.
  ///
  /// - Parameter weights: The name of the safetensors file that holds its state dict.
  public init(_ network: ResolvedNetwork, weights: String = "weights.safetensors", version: String = "") {
    self.network = network
    self.weights = weights
    self.version = version
  }

  /// The file's text.
  ///
  /// - Throws: `UsageFailure` for an operation that is not PyTorch's, ``NetworkFailure`` for a layer name that its modules cannot have.
  public func text() throws -> String {
    var layers: [(name: String, text: String)] = []
    var steps: [String] = []
    var names: [String] = []
    var flat: [Bool] = []
    var taken: Set<String> = [
      "x", "layer", "self", "torch", "nn", "F", "drop_path", "layers", "ResponseNorm", "StandardizedConv2d",
      "GroupNormNoBias",
    ]
    for layer in network.layers {
      let own = layer.layer.name
      let flatInputs = layer.inputIndices.map { $0 >= 0 && flat[$0] }
      let needsMaps = layer.needsMaps(flatInputs)
      let inputs = zip(layer.inputIndices, flatInputs).map { index, isFlat in
        (index < 0 ? "x" : names[index]) + (isFlat && needsMaps ? "[:, :, None, None]" : "")
      }
      let isFlat = !needsMaps && flatInputs.first ?? false
      flat.append(layer.leavesFlat(flatInputs))
      if let module = try module(layer, isFlat: isFlat) {
        layers.append((own, "        \(Self.quoted(own)): \(module),"))
      }
      let name = Self.variable(own, &taken)
      names.append(name)
      if let program = layer.layer.operation.definition as? TensorProgram {
        for (part, registration) in program.registrations {
          layers.append(("\(own).\(part)", "        \(Self.quoted("\(own).\(part)")): \(registration),"))
        }
        let statements = program.statements(for: name, inputs) {
          Self.variable($0, &taken)
        } parameter: {
          "self.get_parameter(\(Self.quoted("\(own).\($0)")))"
        }
        steps += statements.map { "        \($0)" }
        continue
      }
      steps.append("        \(name) = \(try expression(layer, inputs, isFlat: isFlat))")
    }
    for (name, _) in layers { try Self.check(name) }
    // A module comes before those inside of it, which would else be put into a container that it replaces.
    let depths = layers.map { $0.name.split(separator: ".").count }
    let ordered = layers.indices.sorted { (depths[$0], $0) < (depths[$1], $1) }.map { layers[$0].text }
    let (input, cost) = (network.input, network.cost)
    func uses(_ type: any OperationDefinition.Type) -> Bool {
      network.layers.contains { Swift.type(of: $0.layer.operation.definition) == type }
    }
    let usesPlainGroups = network.layers.contains { ($0.layer.operation.definition as? GroupNorm)?.hasBias == false }
    let usesDropPath = network.layers.contains { if case .stochasticDepth = $0.layer.operation { true } else { false } }
    return """
      \"\"\"\(Self.plain(network.name)), as width-transfer\(version.isEmpty ? "" : " \(version)") wrote it: widths are plain numbers here.

      Weights come from the file that was written beside it:

          model = Network()
          model.load_state_dict(safetensors.torch.load_file(\(Self.quoted(weights))))
          model.eval()
      \"\"\"

      import torch
      import torch.nn.functional as F
      from torch import nn


      def layers():
          \"\"\"All layers with weights, by their names in the state dict.\"\"\"
          return {
      \(ordered.joined(separator: "\n"))
          }

      \(usesDropPath ? Self.dropPath : "")\(uses(GlobalResponseNorm.self) ? Self.responseNorm : "")\(uses(StandardizedConvolution.self) ? Self.standardized : "")\(usesPlainGroups ? Self.groupNorm : "")
      class Network(nn.Module):
          \"\"\"Images of \(input.channels) x \(input.height) x \(input.width), \(network.output.channels) outputs; \(cost.macs) multiply-accumulates, \(cost.parameters) parameters.\"\"\"

          def __init__(self):
              super().__init__()
              for name, layer in layers().items():
                  *outer, last = name.split(".")
                  place = self
                  for part in outer:
                      if part not in place._modules:
                          place.add_module(part, nn.Module())
                      place = place._modules[part]
                  if isinstance(layer, nn.Parameter):
                      place.register_parameter(last, layer)
                  else:
                      place.add_module(last, layer)

          def forward(self, x):
              layer = self.get_submodule
      \(steps.joined(separator: "\n"))
              return \(names.last ?? "x")

      """
  }

  /// Refuses a name that PyTorch's modules cannot have.
  private static func check(_ name: String) throws {
    for part in name.split(separator: ".", omittingEmptySubsequences: false)
    where part.isEmpty || reserved.contains(String(part)) {
      throw NetworkFailure(
        layer: name,
        part.isEmpty
          ? "PyTorch has no module whose name has an empty part; give it another name"
          : "PyTorch's modules have an attribute \(part) of their own; give it another name")
    }
  }

  // The public attributes of torch.nn.Module, of torch 2.13.
  private static let reserved: Set<String> = [
    "T_destination", "add_module", "apply", "bfloat16", "buffers", "call_super_init", "children", "compile", "cpu",
    "cuda", "double", "dump_patches", "eval", "extra_repr", "float", "forward", "get_buffer", "get_extra_state",
    "get_parameter", "get_submodule", "half", "ipu", "load_state_dict", "modules", "mtia", "named_buffers",
    "named_children", "named_modules", "named_parameters", "parameters", "register_backward_hook", "register_buffer",
    "register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook",
    "register_full_backward_pre_hook", "register_load_state_dict_post_hook", "register_load_state_dict_pre_hook",
    "register_module", "register_parameter", "register_state_dict_post_hook", "register_state_dict_pre_hook",
    "requires_grad_", "set_extra_state", "set_submodule", "share_memory", "state_dict", "to", "to_empty", "train",
    "training", "type", "xpu", "zero_grad",
  ]

  private static let dropPath = """

    def drop_path(x, probability, training):
        \"\"\"Leaves a branch out for some images of a batch (stochastic depth).\"\"\"
        if not training or probability == 0:
            return x
        kept = torch.rand(x.shape[0], *[1] * (x.dim() - 1), device=x.device, dtype=x.dtype) >= probability
        return x * kept / max(1 - probability, 1e-12)


    """

  private static let responseNorm = """

    class ResponseNorm(nn.Module):
        \"\"\"Weighs channels by their norms beside the mean of all norms (ConvNeXt V2).\"\"\"

        def __init__(self, channels, eps):
            super().__init__()
            self.eps = eps
            self.weight = nn.Parameter(torch.zeros(channels))
            self.bias = nn.Parameter(torch.zeros(channels))

        def forward(self, x):
            norms = x.norm(p=2, dim=(2, 3), keepdim=True)
            share = norms / (norms.mean(dim=1, keepdim=True) + self.eps)
            return x + x * share * self.weight[:, None, None] + self.bias[:, None, None]


    """

  private static let groupNorm = """

    class GroupNormNoBias(nn.GroupNorm):
        \"\"\"Normalization of groups of channels with a scale and without a shift.\"\"\"

        def __init__(self, groups, channels, eps):
            super().__init__(groups, channels, eps=eps)
            self.register_parameter("bias", None)


    """

  private static let standardized = """

    class StandardizedConv2d(nn.Conv2d):
        \"\"\"A convolution whose filters have mean 0 and deviation 1 before they are used (NFNet, BiT).\"\"\"

        def __init__(self, *sizes, eps, gamma, gain, **settings):
            super().__init__(*sizes, **settings)
            self.eps = eps
            self.gamma = gamma
            if gain is not None:
                self.gain = nn.Parameter(torch.full((self.out_channels, 1, 1, 1), gain))

        def forward(self, x):
            variance, mean = torch.var_mean(self.weight, dim=(1, 2, 3), keepdim=True, unbiased=False)
            weight = (self.weight - mean) / (variance + self.eps).sqrt()
            if hasattr(self, "gain"):
                weight = weight * self.gain
            if self.gamma is not None:
                weight = weight * (self.gamma * self.weight[0].numel() ** -0.5)
            return F.conv2d(x, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


    """

  // MARK: - Layers with weights

  private func module(_ layer: ResolvedLayer, isFlat: Bool) throws -> String? {
    switch layer.layer.operation {
    case .convolution(let convolution): return "nn.Conv2d(\(Self.words(convolution, layer)))"
    case .batchNorm(let norm):
      var words = ["\(layer.output.channels)"]
      if norm.epsilon != 1e-5 { words.append("eps=\(norm.epsilon)") }
      if norm.momentum != 0.1 { words.append("momentum=\(norm.momentum)") }
      return "nn.BatchNorm\(isFlat ? 1 : 2)d(\(words.joined(separator: ", ")))"
    case .linear(let linear):
      let entries = layer.inputs[0].channels * layer.inputs[0].height * layer.inputs[0].width
      return "nn.Linear(\(entries), \(linear.outputFeatures)\(linear.hasBias ? "" : ", bias=False"))"
    case .other(let other): return Self.module(other.definition, layer)
    default: return nil
    }
  }

  private static func words(_ convolution: Convolution, _ layer: ResolvedLayer) -> String {
    let channels = layer.inputs[0].channels
    var words = ["\(channels)", "\(layer.output.channels)", text(convolution.kernelSize)]
    if convolution.stride != 1 { words.append("stride=\(text(convolution.stride))") }
    if convolution.padding != 0 { words.append("padding=\(text(convolution.padding))") }
    if convolution.dilation != 1 { words.append("dilation=\(text(convolution.dilation))") }
    switch convolution.grouping {
    case .dense: break
    case .depthwise: words.append("groups=\(channels)")
    case .grouped(let groups): words.append("groups=\(groups)")
    }
    if !convolution.hasBias { words.append("bias=False") }
    return words.joined(separator: ", ")
  }

  private static func module(_ definition: any OperationDefinition, _ layer: ResolvedLayer) -> String? {
    let channels = layer.output.channels
    switch definition {
    case let norm as LayerNorm:
      return
        "nn.LayerNorm(\(channels)\(norm.epsilon == 1e-5 ? "" : ", eps=\(norm.epsilon)")\(norm.hasBias ? "" : ", bias=False"))"
    case let norm as GroupNorm where !norm.hasBias:
      return "GroupNormNoBias(\(norm.groups), \(channels), \(norm.epsilon))"
    case let norm as GroupNorm:
      return "nn.GroupNorm(\(norm.groups), \(channels)\(norm.epsilon == 1e-5 ? "" : ", eps=\(norm.epsilon)"))"
    case let linear as PointwiseLinear:
      return "nn.Linear(\(layer.inputs[0].channels), \(channels)\(linear.hasBias ? "" : ", bias=False"))"
    case let convolution as ChannelConvolution:
      return "nn.Conv1d(1, 1, \(convolution.kernelSize), padding=\(convolution.kernelSize / 2), bias=False)"
    case let scale as ChannelScale:
      return
        "nn.Parameter(torch.full((\(scale.rank == 1 ? "\(channels),)" : "\(channels), 1, 1)"), \(scale.initialValue)))"
    case let number as LearnedNumber:
      return "nn.Parameter(torch.full((\(number.rank == 1 ? "1," : "")), \(number.initialValue)))"
    case let standardized as StandardizedConvolution:
      let own = [
        "eps=\(standardized.epsilon)", "gamma=\(standardized.gamma.map { "\($0)" } ?? "None")",
        "gain=\(standardized.initialGain.map { "\($0)" } ?? "None")",
      ]
      return "StandardizedConv2d(\(words(standardized.convolution, layer)), \(own.joined(separator: ", ")))"
    case let norm as GlobalResponseNorm: return "ResponseNorm(\(channels), \(norm.epsilon))"
    case let slope as LearnedSlope:
      return
        "nn.PReLU(\(slope.isShared ? 1 : channels)\(slope.initialValue == 0.25 ? "" : ", init=\(slope.initialValue)"))"
    default: return nil
    }
  }

  // MARK: - Steps

  private func expression(_ layer: ResolvedLayer, _ inputs: [String], isFlat: Bool) throws -> String {
    let own = layer.layer.name
    let first = inputs.first ?? "x"
    switch layer.layer.operation {
    case .convolution, .batchNorm: return "layer(\(Self.quoted(own)))(\(first))"
    case .linear: return "layer(\(Self.quoted(own)))(\(isFlat ? first : "torch.flatten(\(first), 1)"))"
    case .activation(let function): return Self.call(function, first)
    case .add: return inputs.joined(separator: " + ")
    case .multiply: return inputs.joined(separator: " * ")
    case .concatenate: return "torch.cat([\(inputs.joined(separator: ", "))], 1)"
    case .maxPool(let pool): return "F.max_pool2d(\(first), \(Self.words(pool)))"
    case .averagePool(let pool):
      return "F.avg_pool2d(\(first), \(Self.words(pool))\(pool.countsPadding ? "" : ", count_include_pad=False"))"
    case .adaptiveAveragePool(let pool): return "F.adaptive_avg_pool2d(\(first), (\(pool.height), \(pool.width)))"
    case .globalAveragePool: return "F.adaptive_avg_pool2d(\(first), 1)"
    case .flatten: return "torch.flatten(\(first), 1)"
    case .dropout(let dropout): return "F.dropout(\(first), \(dropout.probability), self.training)"
    case .stochasticDepth(let depth): return "drop_path(\(first), \(depth.probability), self.training)"
    case .other(let other): return try Self.expression(other.definition, own, inputs)
    }
  }

  private static func expression(
    _ definition: any OperationDefinition, _ own: String, _ inputs: [String]
  ) throws -> String {
    let first = inputs.first ?? "x"
    // On maps of which the channels are last.
    let turned = "layer(\(quoted(own)))(\(first).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)"
    switch definition {
    case let slice as ChannelPart: return "\(first)[:, \(slice.start):\(slice.end)]"
    case let shuffle as ChannelShuffle: return "F.channel_shuffle(\(first), \(shuffle.groups))"
    case is LayerNorm, is PointwiseLinear: return turned
    case is GroupNorm, is GlobalResponseNorm, is LearnedSlope: return "layer(\(quoted(own)))(\(first))"
    case let number as LearnedNumber:
      return "\(first) \(number.isShift ? "+" : "*") self.get_parameter(\(quoted(own)))"
    case let scale as ChannelScale:
      return "\(first) * self.get_parameter(\(quoted(own)))\(scale.rank == 1 ? "[:, None, None]" : "")"
    case let rescaling as Rescaling: return "\(first) * \(rescaling.factor) + \(rescaling.shift)"
    case let upsample as Upsample:
      return "F.interpolate(\(first), scale_factor=(\(upsample.factor.height), \(upsample.factor.width)), "
        + (upsample.isBilinear ? "mode=\"bilinear\", align_corners=False)" : "mode=\"nearest\")")
    case is ChannelConvolution:
      return "layer(\(quoted(own)))(\(first).flatten(1).unsqueeze(1)).squeeze(1).reshape(\(first).shape)"
    case let pad as Padding:
      return "F.pad(\(first), (\(pad.left), \(pad.right), \(pad.top), \(pad.bottom))"
        + (pad.isReflected ? ", mode=\"reflect\")" : ")")
    case is VectorAddition: return inputs.joined(separator: " + ")
    case let function as ElementFunction: return call(function, first)
    case let unit as ExponentialUnit: return "F.\(unit.kind)(\(first), \(unit.alpha))"
    case let bounds as Clamp: return "torch.clamp(\(first), \(bounds.least), \(bounds.most))"
    case let leak as NegativeSlope: return "F.leaky_relu(\(first), \(leak.slope))"
    case is StandardizedConvolution: return "layer(\(quoted(own)))(\(first))"
    case let filter as FixedFilter:
      let rows = filter.coefficients.map { "[" + $0.map { "\($0)" }.joined(separator: ", ") + "]" }
      let size = filter.kernelSize
      return
        "F.conv2d(\(first), torch.tensor([\(rows.joined(separator: ", "))], dtype=\(first).dtype, device=\(first).device)"
        + ".expand(\(first).shape[1], 1, \(size.height), \(size.width)), stride=\(text(filter.stride)), groups=\(first).shape[1])"
    case let regrouping as SpaceToDepth:
      let side = regrouping.blockSize
      return "F.pixel_unshuffle(\(first), \(side)).unflatten(1, (-1, \(side * side))).transpose(1, 2).flatten(1, 2)"
    case is AttentionPool:
      return "(\(first).flatten(2) @ \(inputs[1]).flatten(2).softmax(2).transpose(1, 2)).unsqueeze(3)"
    case is ResizeLike: return "F.interpolate(\(first), size=\(inputs[1]).shape[2:], mode=\"nearest\")"
    case let share as SoftmaxShare:
      return "torch.stack([\(inputs.joined(separator: ", "))]).softmax(0)[\(share.branch)]"
    default: throw UsageFailure("\(own): \(definition.kind) is none of PyTorch's operations")
    }
  }

  private static func call(_ function: ElementFunction, _ input: String) -> String {
    switch function {
    case .tanh: "torch.tanh(\(input))"
    case .selu: "F.selu(\(input))"
    case .softplus: "F.softplus(\(input))"
    case .softsign: "F.softsign(\(input))"
    case .geluTanh: "F.gelu(\(input), approximate=\"tanh\")"
    }
  }

  private static func call(_ function: Activation, _ input: String) -> String {
    switch function {
    case .relu: "F.relu(\(input))"
    case .relu6: "F.relu6(\(input))"
    case .silu: "F.silu(\(input))"
    case .sigmoid: "torch.sigmoid(\(input))"
    case .hardSwish: "F.hardswish(\(input))"
    case .hardSigmoid: "F.hardsigmoid(\(input))"
    case .leakyRelu: "F.leaky_relu(\(input), 0.01)"
    case .gelu: "F.gelu(\(input))"
    }
  }

  private static func words(_ pool: Pool) -> String {
    var words = [text(pool.kernelSize)]
    if pool.stride != pool.kernelSize { words.append("stride=\(text(pool.stride))") }
    if pool.padding != 0 { words.append("padding=\(text(pool.padding))") }
    if pool.roundsUp { words.append("ceil_mode=True") }
    return words.joined(separator: ", ")
  }

  private static func text(_ extent: Extent) -> String {
    extent.height == extent.width ? "\(extent.height)" : "(\(extent.height), \(extent.width))"
  }

  // MARK: - Names

  // Names may come from a file of somebody else's, and must not become code.
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\", "\"": result += "\\\(scalar)"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f || scalar.value > 0x7e:
        let digits = String(scalar.value, radix: 16)
        result +=
          scalar.value > 0xffff
          ? "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
          : "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  // For the doc string.
  private static func plain(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.filter {
          $0.isASCII && ($0.properties.isAlphabetic || "0123456789_-. ".unicodeScalars.contains($0))
        }))
  }

  /// A Python name for a layer's result, given to no other.
  private static func variable(_ layer: String, _ taken: inout Set<String>) -> String {
    let letters = layer.unicodeScalars.map { scalar -> Character in
      scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)) ? Character(scalar) : "_"
    }
    var name = String(letters)
    if name.first.map({ !$0.isLetter }) ?? true { name = "x" + name }
    while keywords.contains(name) || !taken.insert(name).inserted { name += "_" }
    return name
  }

  private static let keywords: Set<String> = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif",
    "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or",
    "pass", "raise", "return", "try", "while", "with", "yield", "max", "super",
  ]
}
