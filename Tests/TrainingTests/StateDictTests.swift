import Foundation
import Interchange
import Support
import Testing
import Torch

@testable import Training

@Suite struct StateDictTests {
  private func trained() throws -> Model {
    let model = try Model(toyNetwork(), seed: 1)
    _ = try model.forward(noise([4, 1, 8, 8]), ForwardOptions(.training))
    return model
  }

  @Test("A saved model comes back bit by bit, with its network and widths in the metadata")
  func roundTrip() throws {
    let folder = try TemporaryFolder()
    let model = try trained()
    try model.save(to: folder.file("m.safetensors"))
    let file = try WeightsFile(path: folder.file("m.safetensors"))
    let copy = try Model(try #require(try file.network()), seed: 9)
    #expect(copy.network == model.network)
    try copy.load(file)
    #expect(try copy.bits() == model.bits())
    #expect(copy.statistics.batchesTracked == [1, 1, 1, 1])
    #expect(copy["stem.weight"].isContiguous(.channelsLast) && copy["stem.weight"].requiresGradient)
    #expect(file.metadata["format"] == "pt")
    #expect(file.metadata["widths"] == #"{"conv1":5,"conv2":8,"stem":6}"#)
    #expect(file.entries["stem_bn.num_batches_tracked"]?.shape == [])
  }

  @Test(
    "Names may have in front what wrappers put there",
    arguments: ["module.", "_orig_mod.", "model.", "module.backbone."])
  func wrappers(prefix: String) throws {
    let folder = try TemporaryFolder()
    let model = try trained()
    let path = folder.file("m.safetensors")
    try SafetensorsWriter.write(
      try model.stateDict().map { try .init(name: prefix + $0.name, $0.tensor) }, metadata: [:], to: path)
    let copy = try Model(toyNetwork(), seed: 9)
    try copy.load(WeightsFile(path: path))
    #expect(try copy.bits() == model.bits() && copy.statistics.batchesTracked == [1, 1, 1, 1])
  }

  /// Writes the model's state after `change`, and expects it to be refused with every bit left alone.
  private func expectRefusal(
    _ words: String..., change: (inout [(name: String, tensor: Tensor)]) throws -> Void,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let folder = try TemporaryFolder()
    var state = try trained().stateDict()
    try change(&state)
    let path = folder.file("m.safetensors")
    try SafetensorsWriter.write(
      try state.map { try .init(name: $0.name, $0.tensor) }, metadata: [:], to: path)
    let model = try Model(toyNetwork(), seed: 5)
    let before = try model.bits()
    let failure = #expect(throws: FileFailure.self, sourceLocation: sourceLocation) {
      try model.load(WeightsFile(path: path))
    }
    let message = failure?.message ?? ""
    for word in words + [path] { #expect(message.contains(word), "\(message)", sourceLocation: sourceLocation) }
    #expect(try model.bits() == before, sourceLocation: sourceLocation)
  }

  @Test("A file that does not fit is refused by the tensor's name and changes nothing")
  func misfits() throws {
    try expectRefusal("conv2.weight", "[8, 4, 3, 3]", "[8, 5, 3, 3]", "`widths`") { state in
      let index = try #require(state.firstIndex { $0.name == "conv2.weight" })
      state[index].tensor = try state[index].tensor.detached().slice(1, 0..<4).contiguous()
    }
    try expectRefusal("fc.bias is missing") { $0.removeAll { $0.name == "fc.bias" } }
    try expectRefusal("bn2.running_var is missing") { $0.removeAll { $0.name == "bn2.running_var" } }
    try expectRefusal("extra.weight", "not part of") { $0.append(("extra.weight", try Tensor.ones([2]))) }
  }

  @Test("A truncated file is refused, wherever it was cut")
  func truncated() throws {
    let folder = try TemporaryFolder()
    try trained().save(to: folder.file("m.safetensors"))
    let whole = try Data(contentsOf: URL(fileURLWithPath: folder.file("m.safetensors")))
    for length in [0, 7, 100, whole.count / 2, whole.count - 1] {
      let path = folder.file("cut-\(length).safetensors")
      try whole.prefix(length).write(to: URL(fileURLWithPath: path))
      let model = try Model(toyNetwork(), seed: 5)
      let before = try model.bits()
      let failure = #expect(throws: FileFailure.self) { try model.load(WeightsFile(path: path)) }
      #expect(failure?.path == path)
      #expect(try model.bits() == before)
    }
  }

  @Test("Halves and brain floats are read", arguments: [ScalarType.float16, .bfloat16])
  func halfPrecision(type: ScalarType) throws {
    let folder = try TemporaryFolder()
    let model = try trained()
    let state = try model.stateDict().map { name, tensor in
      (name: name, tensor: tensor.scalarType == .float32 ? try tensor.detached().to(type) : tensor)
    }
    let path = folder.file("half.safetensors")
    try SafetensorsWriter.write(try state.map { try .init(name: $0.name, $0.tensor) }, metadata: [:], to: path)
    let copy = try Model(toyNetwork(), seed: 5)
    try copy.load(WeightsFile(path: path))
    #expect(copy["conv2.weight"].scalarType == .float32)
    for (found, expected) in zip(copy.parameters, model.parameters) {
      #expect(try found.tensor.floats == expected.tensor.detached().to(type).floats)
    }
  }

  @Test("PyTorch's files may lack the counts of batches")
  func withoutCounts() throws {
    let folder = try TemporaryFolder()
    let model = try trained()
    let state = try model.stateDict().filter { !$0.name.hasSuffix("num_batches_tracked") }
    let path = folder.file("m.safetensors")
    try SafetensorsWriter.write(try state.map { try .init(name: $0.name, $0.tensor) }, metadata: [:], to: path)
    let copy = try Model(toyNetwork(), seed: 5)
    try copy.load(WeightsFile(path: path))
    #expect(try copy.bits() == model.bits())
    #expect(copy.statistics.batchesTracked == [0, 0, 0, 0])
  }
}
