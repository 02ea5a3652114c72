import Foundation
import Support
import Testing

@testable import Interchange

@Suite("Pickles that mean harm")
struct PickleReaderTests {
  private func read(_ bytes: [UInt8]) throws -> Pickle {
    try bytes.withUnsafeBytes { bytes in
      var reader = PickleReader(bytes)
      return try reader.read()
    }
  }

  @Test("A call that builds itself of itself, without end, is no value")
  func recursion() throws {
    let call = Array("ctorch._tensor\n_rebuild_from_type_v2\n".utf8)
    // l = [call, None, l]; call(*l)
    var bytes: [UInt8] = [0x80, 2] + Array("]q".utf8) + [0] + Array("(".utf8) + call
    bytes += Array("Nh".utf8) + [0] + Array("e".utf8) + call + Array("h".utf8) + [0] + Array("R.".utf8)
    guard case .opaque = try read(bytes) else {
      Issue.record("it is a value")
      return
    }
  }

  @Test("A remembered list that is made dictionaries of again and again does not fill memory")
  func copies() throws {
    // pairs = [(None, None)] * 2000, by a thousand times 0x86 of two values.
    var bytes: [UInt8] = [0x80, 2] + Array("]q".utf8) + [0] + Array("(".utf8)
    for _ in 0..<2000 { bytes += Array("NN".utf8) + [0x86] }
    bytes += Array("e0".utf8)
    for _ in 0..<3000 {
      bytes += Array("ccollections\nOrderedDict\nh".utf8) + [0, 0x85] + Array("R0".utf8)
    }
    bytes += Array("ccollections\nOrderedDict\nh".utf8) + [0, 0x85] + Array("R.".utf8)
    guard case .opaque = try read(bytes) else {
      Issue.record("six million entries were copied")
      return
    }
  }

  @Test("A storage whose announced size does not fit in 64 bits is refused")
  func size() throws {
    // torch.save's older form: three pickles about the file, the state dict, the keys, and each storage behind its number of elements.
    func number(_ value: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) } }
    func long(_ bytes: [UInt8]) -> [UInt8] { [0x8A, UInt8(bytes.count)] + bytes }
    func text(_ text: String) -> [UInt8] { [0x58, UInt8(text.utf8.count), 0, 0, 0] + Array(text.utf8) }
    let magic: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
    let elements = UInt64(1) << 62 + 1
    var bytes = [0x80, 2] + long(magic) + Array(".".utf8)
    bytes += [0x80, 2, 0x4D, 0xE9, 3] + Array(".".utf8) + [0x80, 2] + Array("}.".utf8)
    bytes += [0x80, 2] + Array("}".utf8) + text("w") + Array("ctorch._utils\n_rebuild_tensor_v2\n((".utf8)
    bytes += text("storage") + Array("ctorch\nFloatStorage\n".utf8) + text("0") + text("cpu") + long(number(elements))
    bytes += Array("NtQK".utf8) + [0] + Array("K".utf8) + [16, 0x85] + Array("K".utf8) + [1, 0x85]
    bytes += [0x89] + Array("NtRs.".utf8) + [0x80, 2] + Array("](".utf8) + text("0") + Array("e.".utf8)
    bytes += number(1) + [0, 0, 0, 0]
    let path = NSTemporaryDirectory() + "pickle-\(UUID().uuidString).pth"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let failure = #expect(throws: FileFailure.self) { try PyTorchCheckpoint(path: path) }
    #expect(failure?.reason.contains("elements are announced") == true, "\(String(describing: failure))")
  }
}
