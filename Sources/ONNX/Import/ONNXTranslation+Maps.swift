import Networks
import Support

/// Pools, padding, flattening and dropout.
extension ONNXTranslation {
  mutating func pool(_ node: PBNodeProto) throws {
    let source = try layer(node, 0)
    let kernel = try extent(integers(node, "kernel_shape"), node, "kernel_shape", default: 1)
    let stride = try extent(integers(node, "strides"), node, "strides", default: 1)
    guard (integers(node, "dilations") ?? [1, 1]).allSatisfy({ $0 == 1 }) else {
      throw refusal(node, "its window is dilated")
    }
    guard stride.height > 0, stride.width > 0, kernel.height > 0, kernel.width > 0 else {
      throw refusal(node, "a stride or window of 0 leads nowhere")
    }
    guard node.output.count == 1 || node.output[1].isEmpty || readers[node.output[1]] == nil else {
      throw refusal(node, "where its largest numbers were is read by another node")
    }
    let pool = Pool(
      kernelSize: kernel, stride: stride, padding: try padding(node), roundsUp: integer(node, "ceil_mode") ?? 0 == 1,
      countsPadding: node.opType == "MaxPool" || integer(node, "count_include_pad") ?? 0 == 1)
    try emit(node.opType == "MaxPool" ? .maxPool(pool) : .averagePool(pool), [source], node)
  }

  mutating func mean(_ node: PBNodeProto) throws {
    guard let axes = try integers(node, "axes", input: 1), Set(axes.map { $0 < 0 ? $0 + 4 : $0 }) == [2, 3] else {
      throw refusal(node, "it takes the mean over something else than height and width")
    }
    let made = try emit(.globalAveragePool, [try layer(node, 0)], node)
    if integer(node, "keepdims") ?? 1 == 0 { try emit(.flatten, [made], node, name: "\(made).flatten") }
  }

  mutating func flatten(_ node: PBNodeProto) throws {
    let source = try layer(node, 0)
    guard [1, -3].contains(integer(node, "axis") ?? 1) || flat.contains(source) else {
      throw refusal(node, "it flattens the batch, too")
    }
    if flat.contains(source) { set(node, .layer(source)) } else { try emit(.flatten, [source], node) }
  }

  mutating func reshape(_ node: PBNodeProto) throws {
    let source = try layer(node, 0)
    guard let sizes = try sizes(node, 1) else { throw refusal(node, "what it makes of a map is not known") }
    let images = file.input.dimensions[0].map { ONNXValue.Size.known($0) }
    let isBatch = [.batch, .known(0), .known(-1), images].contains(sizes.first)
    guard sizes.count == 2, isBatch else {
      throw refusal(
        node, "it regroups a map into \(sizes.count) dimensions, as a channel shuffle does; only flattening is read")
    }
    if flat.contains(source) { set(node, .layer(source)) } else { try emit(.flatten, [source], node) }
  }

  mutating func squeeze(_ node: PBNodeProto) throws {
    let source = try layer(node, 0)
    let axes = try integers(node, "axes", input: 1) ?? []
    guard Set(axes.map { $0 < 0 ? $0 + 4 : $0 }) == [2, 3], !flat.contains(source) else {
      throw refusal(node, "it takes away other dimensions than height and width")
    }
    try emit(.flatten, [source], node)
  }

  mutating func pad(_ node: PBNodeProto) throws {
    let mode = attribute(node, "mode").map { String(decoding: $0.s, as: UTF8.self) } ?? "constant"
    guard mode == "constant", try number(node, "value", input: 2) ?? 0 == 0 else {
      throw refusal(node, "it pads with something else than zeros")
    }
    guard let pads = try integers(node, "pads", input: 1), pads.count == 8, [0, 1, 4, 5].allSatisfy({ pads[$0] == 0 })
    else {
      throw refusal(node, "it pads something else than height and width")
    }
    let source = try layer(node, 0)
    if pads.allSatisfy({ $0 == 0 }) { return set(node, .layer(source)) }
    guard (readers[node.output.first ?? ""] ?? []).allSatisfy({ file.nodes[$0].opType == "Conv" }) else {
      throw refusal(node, "only a convolution may read what it pads")
    }
    set(node, .padded(source, [pads[2], pads[3], pads[6], pads[7]]))
  }

  mutating func dropout(_ node: PBNodeProto) throws {
    let source = try layer(node, 0)
    let ratio = try number(node, "ratio", input: 1) ?? 0.5
    guard ratio > 0, ratio < 1 else { return set(node, .layer(source)) }
    try emit(.dropout(Dropout(probability: (ratio * 1e6).rounded() / 1e6)), [source], node)
  }
}
