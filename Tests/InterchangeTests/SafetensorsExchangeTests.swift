import Foundation
import Interchange
import Testing

/// The Swift side of `scripts/check-safetensors`: copies a file that the Python library wrote, tensor by tensor.
@Suite struct SafetensorsExchangeTests {
  private static let folder = ProcessInfo.processInfo.environment["SAFETENSORS_EXCHANGE"]

  @Test(.enabled(if: folder != nil, "run by scripts/check-safetensors"))
  func copiesWhatPythonWrote() throws {
    let folder = try #require(Self.folder)
    let file = try SafetensorsFile(path: folder + "/python.safetensors")
    let tensors = file.entries.map { name, entry in
      SafetensorsWriter.Tensor(name: name, type: entry.type, shape: entry.shape) { body in
        try file.withBytes(of: name, body)
      }
    }
    #expect(tensors.count > 10)
    try SafetensorsWriter.write(tensors, metadata: file.metadata, to: folder + "/swift.safetensors")
  }
}
