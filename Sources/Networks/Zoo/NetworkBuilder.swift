/// Collects layers in the order of computation, and the stages and blocks that they belong to.
struct NetworkBuilder {
  private(set) var layers: [Layer] = []
  private(set) var stages: [Stage] = []
  private var isInBlock = false

  /// Adds a layer and returns its name, for the layers that read it.
  @discardableResult
  mutating func add(_ name: String, _ operation: Operation, _ inputs: String...) -> String {
    layers.append(Layer(name: name, operation: operation, inputs: inputs))
    if isInBlock, let stage = stages.indices.last, let block = stages[stage].blocks.indices.last {
      stages[stage].blocks[block].layers.append(name)
    }
    return name
  }

  /// Opens a stage; the blocks that follow belong to it.
  mutating func beginStage(_ name: String) { stages.append(Stage(name: name, blocks: [])) }

  /// Adds a block; the layers that `body` adds belong to it. Returns what `body` returns, the block's output.
  mutating func block(_ name: String, _ body: (inout NetworkBuilder) -> String) -> String {
    guard let stage = stages.indices.last else { return body(&self) }
    stages[stage].blocks.append(Block(name: name, layers: []))
    isInBlock = true
    defer { isInBlock = false }
    return body(&self)
  }

  /// Adds the pooling, flattening and dropout that a classifier begins with; returns what the linear layer reads.
  mutating func pooled(_ input: String, poolName: String = "avgpool") -> String {
    let pool = add(poolName, .globalAveragePool, input)
    return add("flatten", .flatten, pool)
  }

  func network(name: String, request: ZooRequest, native: Int) -> Network {
    let side = request.resolution ?? native
    return Network(
      name: name, input: Shape(channels: request.inputChannels, height: side, width: side), layers: layers,
      stages: stages)
  }
}

/// What a user may choose about a network of the zoo.
struct ZooRequest {
  var classes = 1000
  var inputChannels = 3
  /// Side of the square input; nil for the network's native one.
  var resolution: Int?
}
