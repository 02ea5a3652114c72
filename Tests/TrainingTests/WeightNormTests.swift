import Diagnosis
import Foundation
import ImageFiles
import Interchange
import Loading
import Methods
import Networks
import Records
import Support
import Testing
import Torch

@testable import Training

@Suite struct WeightNormTests {
  private func job(_ epochs: Int = 3, tracks: Bool = true) throws -> TrainingJob {
    var recipe = ToyTraining.base
    recipe.epochs = epochs
    return TrainingJob(
      network: try toyNetwork().resolved(), dataset: toyDataset, recipe: recipe, seed: 4,
      tracks: tracks ? [.weightNorms] : [])
  }

  private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

  @Test("Equal seeds give equal series, and following changes nothing in the weights")
  func changesNothing() throws {
    let place = try TemporaryFolder()
    let folders = ["a", "b", "plain"].map { RunFolder(path: place.file($0)) }
    _ = try job().run(in: folders[0])
    _ = try job().run(in: folders[1])
    _ = try job(tracks: false).run(in: folders[2])
    #expect(try bytes(folders[0].weightNorms.series) == bytes(folders[1].weightNorms.series))
    #expect(try bytes(folders[0].model) == bytes(folders[2].model))
    #expect(!folders[2].weightNorms.exists)
    #expect(folders[0].weightNorms.snapshotEpochs == [0, 1, 2, 3])
    let samples = try folders[0].weightNorms.samples()
    #expect(Set(samples.map(\.epoch)) == [0, 1, 2, 3])
    // A complete training is not done again; one that was not followed cannot be followed any more.
    _ = try job().run(in: folders[0])
    let refused = #expect(throws: UsageFailure.self) { try job().run(in: folders[2]) }
    #expect(refused?.message.contains("`overwrite`") == true)
  }

  @Test("A series goes on after a stop with what a training without one writes", arguments: [3, 5, 8, 9])
  func resumes(_ stop: Int) throws {
    let place = try TemporaryFolder()
    let (whole, parts) = (RunFolder(path: place.file("whole")), RunFolder(path: place.file("parts")))
    _ = try job().run(in: whole)
    var asked = 0
    #expect(throws: Interrupted.self) {
      try job().run(
        in: parts,
        cancellation: Cancellation(signal: {
          asked += 1
          return asked == stop ? SIGINT : nil
        }))
    }
    // As a process that was killed after it took a sample, and before the checkpoint of that epoch.
    if let line = try folderLine(parts) { try parts.weightNorms.append([line]) }
    _ = try job().run(in: parts)
    #expect(try bytes(parts.weightNorms.series) == bytes(whole.weightNorms.series))
    #expect(try bytes(parts.weightNorms.snapshot(epoch: 3)) == bytes(whole.weightNorms.snapshot(epoch: 3)))
  }

  @Test("Signs: all turned is 100 %, each half in turn is 50 % and 100 % since the start; a stop changes nothing")
  func signs() throws {
    let place = try TemporaryFolder()
    let model = try Model(toyNetwork(), seed: 1)
    let folder = RunFolder(path: place.path).weightNorms
    let tracker = SignChangeTracker(epochs: 20, in: folder)
    func turn(_ part: (Int) -> Range<Int>) throws {
      for parameter in model.parameters where parameter.tensor.shape.count >= 2 {
        let flat = try parameter.tensor.permuted(Array(parameter.tensor.shape.indices))
        let chosen = part(parameter.tensor.shape[0])
        try withoutGradients { try flat.slice(0, chosen).multiply(inPlace: -1) }
      }
    }
    try tracker.begin(model, afterEpochs: 0, isNew: true)
    try turn { 0..<$0 }
    try tracker.endEpoch(model, endedEpochs: 1, learningRate: 0.1)
    try tracker.endEpoch(model, endedEpochs: 2, learningRate: 0.1)
    #expect(try folder.signChanges().map(\.sinceEpochBefore) == [100, 0])
    #expect(try folder.signChanges().map(\.sinceStart) == [100, 100])
    // From the start again, half by half; 2 of conv1's 5 rows come first.
    try tracker.begin(model, afterEpochs: 0, isNew: true)
    try turn { 0..<$0 / 2 }
    try tracker.endEpoch(model, endedEpochs: 1, learningRate: 0.1)
    // Stopped after the second record and before its checkpoint.
    try turn { $0 / 2..<$0 }
    try tracker.endEpoch(model, endedEpochs: 2, learningRate: 0.1)
    try tracker.begin(model, afterEpochs: 1, isNew: false)
    #expect(try folder.signChanges().count == 1)
    try tracker.endEpoch(model, endedEpochs: 2, learningRate: 0.1)
    let changes = try folder.signChanges()
    #expect(changes.count == 2 && abs(changes[0].sinceEpochBefore - 100 * 403.0 / 860) < 1e-9)
    #expect(abs(changes[0].sinceEpochBefore + changes[1].sinceEpochBefore - 100) < 1e-9)
    #expect(changes[1].sinceStart == 100)
    for epoch in 3...11 { try tracker.endEpoch(model, endedEpochs: epoch, learningRate: 0.1) }
    #expect(try folder.signChanges().count == 10)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["sign-changes.json"])
  }

  @Test(
    "Signs are followed through a stop with the same records, and change nothing in the weights", arguments: [4, 9])
  func signsResume(_ stop: Int) throws {
    let place = try TemporaryFolder()
    let (whole, parts) = (RunFolder(path: place.file("whole")), RunFolder(path: place.file("parts")))
    var job = try job()
    job.tracks = [.signChanges]
    _ = try job.run(in: whole)
    try runInParts(job, in: parts, stoppedAt: stop)
    #expect(try parts.weightNorms.signChanges() == whole.weightNorms.signChanges())
    #expect(try whole.weightNorms.signChanges().map(\.epoch) == [1, 2, 3])
    #expect(try bytes(parts.model) == bytes(whole.model))
  }

  @Test(
    "Gradients' cosines are those of the matrices' rows, of the same batch after each epoch, and change nothing in the weights"
  )
  func gradientCosines() throws {
    let place = try TemporaryFolder()
    let model = try Model(toyNetwork(), seed: 1)
    let loader = try BatchLoader(
      source: toyDataset.training, indices: Array(0..<12), batchSize: 12, resolution: model.network.input.height,
      normalization: toyDataset.normalization)
    let batch = try #require(try loader.epoch(0).next())
    let folder = RunFolder(path: place.path).weightNorms
    let means = try model.statistics.means.map { try $0.array(Float.self) }
    let tracker = GradientCosineTracker(epochs: 20, labelSmoothing: 0.1, in: folder) { batch }
    try tracker.begin(model, afterEpochs: 0, isNew: true)
    try tracker.endEpoch(model, endedEpochs: 11, learningRate: 0.1)
    try tracker.endEpoch(model, endedEpochs: 20, learningRate: 0.1)
    let records = try folder.gradientCosines()
    // The eleventh epoch is none that is looked at, and the twentieth sees the same model and images.
    #expect(records.map(\.epoch) == [0, 20] && records[0].layers == records[1].layers)
    #expect(try model.statistics.means.map { try $0.array(Float.self) } == means)
    // By the accumulated gradients of a backward pass, row by row.
    let tensors = model.parameters.map(\.tensor)
    try batch.crossEntropy(try model.forward(batch.images, .init(.batch)), labelSmoothing: 0.1).backward()
    for group in model.plan.resolved.channelGroups {
      let slice = try #require(group.slices.first { $0.side == .incoming })
      let place = try #require(model.parameters.firstIndex { $0.name == slice.tensor })
      let gradient = try #require(tensors[place].gradient)
      let rows = try (0..<group.width).map { try gradient.slice(0, $0..<$0 + 1).reshaped([-1]).array(Float.self) }
      var (sum, pairs) = (0.0, 0.0)
      for (i, a) in rows.enumerated() {
        for b in rows[(i + 1)...] {
          func dot(_ x: [Float], _ y: [Float]) -> Double { zip(x, y).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
          sum += abs(dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot())
          pairs += 1
        }
      }
      let found = try #require(records[0].layers.first { $0.group == group.id })
      #expect(abs(found.mean - sum / pairs) < 1e-5)
      #expect(abs(found.ofRandom - (2 / (.pi * Double(rows[0].count))).squareRoot()) < 1e-12)
    }
  }

  @Test("Gradients' cosines go on after a stop with the same records", arguments: [4, 9])
  func gradientCosinesResume(_ stop: Int) throws {
    let place = try TemporaryFolder()
    let (whole, parts) = (RunFolder(path: place.file("whole")), RunFolder(path: place.file("parts")))
    var job = try job(tracks: false)
    _ = try job.run(in: RunFolder(path: place.file("plain")))
    job.tracks = [.gradientCosines]
    _ = try job.run(in: whole)
    try runInParts(job, in: parts, stoppedAt: stop)
    let records = try whole.weightNorms.gradientCosines()
    #expect(records.map(\.epoch) == [0, 1, 2, 3])
    #expect(try parts.weightNorms.gradientCosines() == records)
    #expect(try bytes(parts.model) == bytes(whole.model))
    #expect(try bytes(RunFolder(path: place.file("plain")).model) == bytes(whole.model))
  }

  /// Trains with a signal at the moment when it is asked for one so many times, and then to the end.
  private func runInParts(_ job: TrainingJob, in folder: RunFolder, stoppedAt stop: Int) throws {
    var asked = 0
    #expect(throws: Interrupted.self) {
      try job.run(
        in: folder,
        cancellation: Cancellation(signal: {
          asked += 1
          return asked == stop ? SIGINT : nil
        }))
    }
    _ = try job.run(in: folder)
  }

  private func folderLine(_ folder: RunFolder) throws -> NormSample? {
    try folder.weightNorms.samples().last.map { sample in
      var late = sample
      late.epoch = 3
      return late
    }
  }

  @Test("Norms of rows, columns, flattened maps, depthwise and grouped filters are those of a loop by hand")
  func slices() throws {
    func loop(_ weight: Tensor, _ take: (_ index: [Int]) -> Int?, width: Int) throws -> [Double] {
      let values = try weight.contiguous().array(Float.self)
      var squares = Array(repeating: 0.0, count: width)
      let shape = weight.shape
      for (position, value) in values.enumerated() {
        var (rest, index) = (position, [Int]())
        for length in shape.reversed() {
          index.insert(rest % length, at: 0)
          rest /= length
        }
        if let channel = take(index) { squares[channel] += Double(value) * Double(value) }
      }
      return squares.map { $0.squareRoot() }
    }
    let weight = try noise([6, 4, 3, 3])
    let flat = try noise([3, 20], seed: 2)
    let grouped = try noise([6, 2, 3, 3], seed: 3)
    let cases: [(ChannelSlice, Int, Tensor, [Double])] = [
      (ChannelSlice(tensor: "w", axis: 0, side: .incoming), 6, weight, try loop(weight, { $0[0] }, width: 6)),
      (ChannelSlice(tensor: "w", axis: 1, side: .outgoing), 4, weight, try loop(weight, { $0[1] }, width: 4)),
      (
        ChannelSlice(tensor: "f", axis: 1, offset: 4, positions: 4, side: .outgoing), 4, flat,
        try loop(flat, { $0[1] < 4 ? nil : ($0[1] - 4) / 4 }, width: 4)
      ),
      // Three groups of two outputs and two inputs: input c is column c mod 2 of the rows of group c / 2.
      (
        ChannelSlice(tensor: "g", axis: 1, blocks: 3, side: .outgoing), 6, grouped,
        try loop(grouped, { $0[0] / 2 * 2 + $0[1] }, width: 6)
      ),
    ]
    for (slice, width, tensor, expected) in cases {
      let group = ChannelGroup(id: "x", width: width, slices: [slice])
      let norms = try WeightNormReader([group]).read { _ in tensor }[0].norms[0]
      #expect(norms.count == expected.count)
      for (a, b) in zip(norms, expected) { #expect(abs(a - b) < 1e-9) }
    }
    let wrong = ChannelGroup(id: "x", width: 7, slices: [ChannelSlice(tensor: "w", axis: 0, side: .incoming)])
    #expect(throws: UsageFailure.self) { try WeightNormReader([wrong]).read { _ in weight } }
  }

  @Test("Permuting a group's channels everywhere leaves V and the model's output as they are")
  func permutation() throws {
    let network = try NetworkZoo.resolved(named: "resnet20").network.scalingWidth(by: 0.25, divisor: 2).resolved()
    let model = try Model(network, seed: 2)
    let reader = WeightNormReader(network)
    let before = reader.samples(try reader.read { try model.tensor(named: $0) }, epoch: 0)
    let images = try noise([2, 3, 32, 32])
    let options = ForwardOptions(.evaluation)
    let output = try withoutGradients { try model.forward(images, options) }
    let group = try #require(network.channelGroups.first { $0.id == "layer2.0.conv2" })
    let order = try Tensor((0..<group.width).map { Int64(($0 * 3 + 1) % group.width) })
    try withoutGradients {
      for slice in group.slices {
        let tensor = try model.tensor(named: slice.tensor)
        try tensor.copy(from: tensor.selecting(slice.axis, order))
      }
    }
    let after = reader.samples(try reader.read { try model.tensor(named: $0) }, epoch: 0)
    for (a, b) in zip(before, after) {
      #expect(abs((a.statistics?.variance ?? 0) - (b.statistics?.variance ?? 0)) < 1e-12, "\(a.group) \(a.mode)")
    }
    // Fresh normalizations are alike for all channels, so that weights alone are the whole permutation.
    #expect(try withoutGradients { try model.forward(images, options).relativeDistance(to: output) } < 1e-5)
  }

  @Test("Checkpoints of another program are ordered by number, and wrappers' names passed over")
  func checkpoints() throws {
    let place = try TemporaryFolder()
    let network = try toyNetwork().resolved()
    for (epoch, name) in [(1, "w-1.safetensors"), (9, "w-9.safetensors"), (10, "w-10.safetensors")] {
      let model = try Model(network, seed: epoch)
      try SafetensorsWriter.write(
        try model.stateDict().map { try .init(name: "module._orig_mod." + $0.name, $0.tensor) }, to: place.file(name))
    }
    let series = try CheckpointSeries([place.file("w-*.safetensors")])
    #expect(series.files.map(\.epoch) == [1, 9, 10])
    let reader = WeightNormReader(network)
    let samples = try reader.samples(of: series, network: network)
    let direct = try Model(network, seed: 9)
    let expected = reader.samples(try reader.read { try direct.tensor(named: $0) }, epoch: 9)
    let ninth = samples.filter { $0.epoch == 9 }
    #expect(ninth.map(\.group) == expected.map(\.group) && ninth.map(\.mode) == expected.map(\.mode))
    for (a, b) in zip(ninth, expected) {
      #expect(abs((a.statistics?.variance ?? 0) - (b.statistics?.variance ?? 1)) < 1e-12)
    }
    for step in [500, 1000] {
      try FileManager.default.createDirectory(
        atPath: place.file("checkpoint-\(step)"), withIntermediateDirectories: true)
      try Data().write(to: URL(fileURLWithPath: place.file("checkpoint-\(step)/model.safetensors")))
    }
    #expect(try CheckpointSeries([place.file("checkpoint-*/model.safetensors")]).files.map(\.epoch) == [500, 1000])
    // Other widths, another network, no number, the same number twice, nothing there.
    var narrow = toyNetwork()
    narrow.layers[3] = .conv("conv1", 4, stride: 2, from: "stem_relu")
    let other = try narrow.resolved()
    let failure = #expect(throws: FileFailure.self) {
      try WeightNormReader(other).samples(of: series, network: other)
    }
    #expect(failure?.message.contains("file has") == true)
    try FileManager.default.createDirectory(atPath: place.file("none"), withIntermediateDirectories: true)
    try Data().write(to: URL(fileURLWithPath: place.file("none/final.safetensors")))
    #expect(throws: UsageFailure.self) { try CheckpointSeries([place.file("none/final.safetensors")]) }
    try Data().write(to: URL(fileURLWithPath: place.file("x-9.safetensors")))
    #expect(throws: UsageFailure.self) { try CheckpointSeries([place.file("*-9.safetensors")]) }
    #expect(throws: FileFailure.self) { try CheckpointSeries([place.file("nothing-*")]) }
  }
}
