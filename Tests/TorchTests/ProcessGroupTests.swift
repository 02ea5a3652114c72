import Foundation
import ProcessGroups
import Support
import Testing
import Torch

@Suite(.enabled(if: ProcessGroup.isAvailable, "Gloo's headers were not there"))
struct ProcessGroupTests {
  @Test("A sum is that of all processes, the same everywhere", arguments: [2, 3])
  func sum(count: Int) throws {
    let sums = try inProcesses(count) { group in
      let whole = try Tensor([Int64(group.rank), 10])
      let part = try Tensor([Float(group.rank) + 0.5])
      try group.sum([whole, part])
      return (try whole.array(Int64.self), try part.array(Float.self), group.bytes)
    }
    for (whole, part, bytes) in sums {
      #expect(whole == [Int64(count * (count - 1) / 2), Int64(10 * count)])
      #expect(part == [Float(count * (count - 1)) / 2 + 0.5 * Float(count)])
      #expect(bytes == 20)
    }
  }

  @Test("Tensors and bytes reach all from one, also where their elements do not lie in order")
  func broadcast() throws {
    let found = try inProcesses(2) { group in
      let values = (0..<6).map { Float($0 + 10 * group.rank) }
      let tensor = try Tensor(values, shape: [2, 3]).permuted([1, 0])
      try group.broadcast([tensor])
      let text = try group.broadcast(Data("rank \(group.rank)".utf8))
      return (try tensor.contiguous().array(Float.self), text, try group.broadcast(Data()))
    }
    for (values, text, nothing) in found {
      #expect(values == [0, 3, 1, 4, 2, 5])
      #expect(text == Data("rank 0".utf8))
      #expect(nothing.isEmpty)
    }
  }

  /// A small function of two tensors, one of which is used twice.
  private func loss(_ weights: [Tensor], _ input: Tensor) throws -> Tensor {
    try ((input * weights[0] + weights[1]).relu() * weights[0]).sum()
  }

  @Test("Gradients are averaged, after a pass or during it")
  func gradients() throws {
    let found = try inProcesses(2) { group in
      let weights = try [[1.5, -2, 3], [0.5, 0.25, -1]].map { values in
        let tensor = try Tensor(values.map(Float.init))
        try tensor.setRequiresGradient(true)
        return tensor
      }
      let input = try Tensor([Float(1 + group.rank), 2, -1])
      try loss(weights, input).backward()
      let own = try weights.map { try $0.gradient!.array(Float.self) }
      try group.averageGradients(of: weights)
      let after = try weights.map { try $0.gradient!.array(Float.self) }
      let reducer = try GradientReducer(weights, group)
      var during: [[[Float]]] = []
      for _ in 0..<3 {
        try Tensor.clearGradients(weights)
        try reducer.averaging { try loss(weights, input).backward() }
        during.append(try weights.map { try $0.gradient!.array(Float.self) })
        // The first pass is watched alone, and the latest is not counted yet.
        #expect((reducer.times == nil) == (during.count < 3))
      }
      let times = try #require(reducer.times)
      #expect(times.backward > 0 && times.exchange > 0 && times.overlap <= min(times.exchange, times.backward))
      return (own: own, after: after, during: during)
    }
    let mean = zip(found[0].own, found[1].own).map { zip($0, $1).map { ($0 + $1) / 2 } }
    #expect(found[0].own != found[1].own)
    for each in found {
      #expect(each.after == mean)
      #expect(each.during == [mean, mean, mean])
    }
  }

  @Test(
    "Passes of equal gradients bring equal bits, from the first on and with a reducer made anew", arguments: [2, 3])
  func samePlaces(processes: Int) throws {
    let found = try inProcesses(processes) { group in
      // More than the reducer's first message holds, one with channels last, and one that nothing depends on; the last is the first to be ready.
      let shapes = [[200, 300], [70, 40, 3, 3], [11], [500, 700], [5]]
      let weights = try shapes.enumerated().map { place, shape in
        var random = SeededGenerator(seed: UInt64(place))
        let values = (0..<shape.reduce(1, *)).map { _ in Float(random.nextUnit() - 0.5) }
        let tensor = try Tensor(values).reshaped(shape)
        let own = try shape.count == 4 ? tensor.contiguous(.channelsLast) : tensor.cloned()
        try own.setRequiresGradient(true)
        return own
      }
      func gradients(_ reducer: GradientReducer) throws -> [[Float]] {
        try Tensor.clearGradients(weights)
        try reducer.averaging {
          let parts = try weights.dropLast().map { try ($0 * $0 * (1 + 0.1 * Double(group.rank))).sum() }
          try parts.dropFirst().reduce(parts[0]) { try $0 + $1 }.backward()
        }
        return try weights.dropLast().map { try $0.gradient!.contiguous().array(Float.self) }
      }
      let (one, other) = (try GradientReducer(weights, group), try GradientReducer(weights, group))
      return try [one, one, one, one, other, other].map(gradients)
    }
    for process in found { for gradient in process { #expect(gradient == found[0][0]) } }
    let own = found[0][0][0].map { Double($0) }
    #expect(own.contains { $0 != 0 })
  }

  private struct Normalized {
    var output: [Float]
    var gradients: [[Float]]
    var running: [[Float]]
  }

  /// Batch normalization of a part of a batch and its derivatives, by a weighted sum of the outputs.
  private func normalize(_ all: Tensor, _ part: Range<Int>, _ group: ProcessGroup?) throws -> Normalized {
    let x = try all.slice(0, part).cloned()
    let (gamma, beta) = (try Tensor([Float(1.5), -0.5]), try Tensor([Float(0.25), 2]))
    for tensor in [x, gamma, beta] { try tensor.setRequiresGradient(true) }
    let (mean, variance) = (try Tensor.zeros([2]), try Tensor.ones([2]))
    let output =
      try group.map {
        try x.synchronizedBatchNorm(
          weight: gamma, bias: beta, runningMean: mean, runningVariance: variance, momentum: 0.1, epsilon: 1e-5,
          group: $0)
      }
      ?? x.batchNorm(
        weight: gamma, bias: beta, runningMean: mean, runningVariance: variance, training: true, momentum: 0.1,
        epsilon: 1e-5)
    let weights = try Tensor((0..<all.count).map { Float(($0 * 7) % 11) - 4 }, shape: all.shape).slice(0, part)
    try (output * weights).sum().backward()
    return Normalized(
      output: try output.detached().contiguous().array(),
      gradients: try [x, gamma, beta].map { try $0.gradient!.contiguous().array() },
      running: try [mean, variance].map { try $0.array() })
  }

  private func expectClose(_ found: [Float], _ expected: [Float], sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(found.count == expected.count, sourceLocation: sourceLocation)
    for (a, b) in zip(found, expected) {
      #expect(abs(a - b) < 2e-5 * max(1, abs(b)), "\(a), not \(b)", sourceLocation: sourceLocation)
    }
  }

  @Test("Synchronized normalization of unequal shares is LibTorch's of the whole batch, with its derivatives")
  func synchronizedNorm() throws {
    let all = try Tensor((0..<60).map { Float(($0 * 13) % 17) / 4 + 100 }, shape: [5, 2, 2, 3])
    let whole = try normalize(all, 0..<5, nil)
    let parts = try inProcesses(2) { group in
      try self.normalize(all, group.rank == 0 ? 0..<2 : 2..<5, group)
    }
    expectClose(parts[0].output + parts[1].output, whole.output)
    expectClose(parts[0].gradients[0] + parts[1].gradients[0], whole.gradients[0])
    // Each holds its share of what belongs to the channels.
    for index in 1...2 {
      expectClose(zip(parts[0].gradients[index], parts[1].gradients[index]).map { $0 + $1 }, whole.gradients[index])
    }
    for part in parts {
      for (found, expected) in zip(part.running, whole.running) { expectClose(found, expected) }
    }
    #expect(parts[0].running == parts[1].running)
  }

  @Test(
    "Activations in half precision are normalized by statistics in single precision",
    arguments: [ScalarType.bfloat16, .float16])
  func halfPrecision(type: ScalarType) throws {
    let all = try Tensor((0..<48).map { Float(($0 * 13) % 17) / 4 }, shape: [4, 2, 2, 3]).to(type)
    let (gamma, beta) = (try Tensor([Float(1.5), -0.5]), try Tensor([Float(0.25), 2]))
    let expected = try all.to(.float32).batchNorm(
      weight: gamma, bias: beta, runningMean: nil, runningVariance: nil, training: true, momentum: 0.1, epsilon: 1e-5)
    let parts = try inProcesses(2) { group in
      let part = try all.slice(0, 2 * group.rank..<2 * group.rank + 2)
      let result = try part.synchronizedBatchNorm(
        weight: gamma, bias: beta, runningMean: nil, runningVariance: nil, momentum: 0.1, epsilon: 1e-5, group: group)
      #expect(result.scalarType == type)
      return try result.to(.float32).contiguous().array(Float.self)
    }
    let found = parts[0] + parts[1]
    let values: [Float] = try expected.contiguous().array()
    #expect(zip(found, values).allSatisfy { abs($0 - $1) < 0.02 })
  }

  @Test(
    "What LibTorch says of a lost process is told from its other failures",
    arguments: [
      ("Application timeout caused pair closure", true), ("Connection closed by peer [10.77.0.2]:59035", true),
      ("Read error [127.0.0.1]:8095: Connection reset by peer", true),
      ("Timed out waiting 10000ms for recv operation", true),
      ("[/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:547] writev: Broken pipe", true),
      ("No route to host", true),
      ("could not create a primitive", false), ("The size of tensor a (3) must match the size of tensor b (4)", false),
    ])
  func words(reason: String, isLost: Bool) {
    let failure = GroupFailure(TorchError(operation: "backward", reason: reason), rank: 1, size: 2)
    #expect((failure != nil) == isLost)
    if let failure { #expect(failure.message.hasPrefix("rank 1 of 2 processes lost the others while backward: ")) }
  }

  @Test("A process that nobody comes to says where it waited")
  func alone() throws {
    let port = try freePort()
    let place = LaunchedProcess(rank: 0, worldSize: 2, address: "127.0.0.1", port: port)
    let failure = #expect(throws: GroupFailure.self) { try ProcessGroup(place, timeout: 1) }
    #expect(failure?.message.hasPrefix("rank 0 of 2 processes did not meet the others at 127.0.0.1:\(port): ") == true)
    #expect(failure?.message.contains("`collective-timeout`") == true)
  }

  @Test("Whoever waits in vain is told so, with the exit code of a failed input or output")
  func loss() throws {
    let ends = try inProcesses(2, timeout: 2) { group -> GroupFailure? in
      if group.rank == 1 { return nil }
      do { try group.sum([Tensor([1.0])]) } catch let failure as GroupFailure { return failure }
      return nil
    }
    let failure = try #require(ends[0])
    #expect(failure.exitCode == .ioError)
    #expect(failure.message.hasPrefix("rank 0 of 2 processes lost the others while adding up numbers: "))
    #expect(ends[1] == nil)
  }
}
