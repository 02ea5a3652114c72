import Networks

extension ONNXTranslation {
  /// Reads two products with matrices as the means over windows that this program writes as such (`ONNXGraphBuilder`), where the matrices are
  /// those of an adaptive pool: from the right over columns, and from the left over rows. False where a node is neither of the two.
  mutating func poolsAdaptively(_ node: PBNodeProto) throws -> Bool {
    guard node.opType == "MatMul", node.input.count == 2, let output = node.output.first else { return false }
    if let begun = adaptivePools.removeValue(forKey: node.input[1]) {
      let made = try emit(.adaptiveAveragePool(begun.pool), [begun.source], path: ONNXNames.path(of: node))
      set(node, .layer(made), shapes[made].map { .map($0) })
      return true
    }
    guard case .layer(let source)? = values[node.input[0]], let shape = shapes[source],
      layouts[node.input[0]] == .map(shape), let columns = matrix(node.input[1]),
      let reader = readers[output], reader.count == 1, output != file.output
    else { return false }
    let next = file.nodes[reader[0]]
    guard next.opType == "MatMul", next.input.count == 2, next.input[1] == output, let rows = matrix(next.input[0]),
      columns.dimensions.count == 2, rows.dimensions.count == 2,
      columns.dimensions[0] == shape.width, rows.dimensions[1] == shape.height,
      rows.dimensions[0] > 0, columns.dimensions[1] > 0,
      // Their sizes are real where their numbers are there.
      columns.floats?.count == columns.dimensions[0] * columns.dimensions[1],
      rows.floats?.count == rows.dimensions[0] * rows.dimensions[1]
    else { return false }
    let pool = AdaptivePool(height: rows.dimensions[0], width: columns.dimensions[1])
    let means = ONNXGraphBuilder.means(shape.width, pool.width)
    let turned = (0..<shape.width).flatMap { column in means.map { $0[column] } }
    guard Self.same(columns, turned),
      Self.same(rows, ONNXGraphBuilder.means(shape.height, pool.height).flatMap { $0 })
    else { return false }
    adaptivePools[output] = (source, pool)
    return true
  }

  // Of the file's own, or of a node that may come later.
  private func matrix(_ name: String) -> ONNXTensor? {
    if case .constant(let tensor)? = values[name] { return tensor }
    guard let writer = writers[name], file.nodes[writer].opType == "Constant" else { return nil }
    return try? constant(file.nodes[writer])
  }

  private static func same(_ tensor: ONNXTensor, _ numbers: [Float]) -> Bool {
    guard let floats = tensor.floats, floats.count == numbers.count else { return false }
    return zip(floats, numbers).allSatisfy { abs($0 - Double($1)) < 1e-6 }
  }
}
