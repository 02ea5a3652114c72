import Foundation
import Interchange
import Support
import Testing

/// Files of weights that are not safetensors: what PyTorch's `torch.save` writes, and indices of shards.
@Suite struct WeightsFileTests {
  // Written by PyTorch 2.13 from, in this order: `a.weight` = arange(6) as [2, 3]; `turned` = arange(6) as int16 [2, 3], transposed;
  // `count` = 7; `half` = [1.5, -2] as bfloat16; `view` = arange(5) in double precision, [2:4]. `today` is a checkpoint
  // {'epoch': 3, 'rng': a tensor, 'state_dict': …}; `former` is the state dict alone, by _use_new_zipfile_serialization=False.
  private static let today = """
    UEsDBAAACAgAAAAAAAAAAAAAAAAAAAAAAAAQABIAYXJjaGl2ZS9kYXRhLnBrbEZCDgBaWlpaWlpaWlpaWlpaWoACfXEAKFgFAAAAZXBvY2hxAUsDWAMA
    AABybmdxAmN0b3JjaC5fdXRpbHMKX3JlYnVpbGRfdGVuc29yX3YyCnEDKChYBwAAAHN0b3JhZ2VxBGN0b3JjaApCeXRlU3RvcmFnZQpxBVgBAAAAMHEG
    WAMAAABjcHVxB0sCdHEIUUsASwKFcQlLAYVxColjY29sbGVjdGlvbnMKT3JkZXJlZERpY3QKcQspUnEMdHENUnEOWAoAAABzdGF0ZV9kaWN0cQ9oCylS
    cRAoWAgAAABhLndlaWdodHERaAMoKGgEY3RvcmNoCkZsb2F0U3RvcmFnZQpxElgBAAAAMXETaAdLBnRxFFFLAEsCSwOGcRVLA0sBhnEWiWgLKVJxF3Rx
    GFJxGVgGAAAAdHVybmVkcRpoAygoaARjdG9yY2gKU2hvcnRTdG9yYWdlCnEbWAEAAAAycRxoB0sGdHEdUUsASwNLAoZxHksBSwOGcR+JaAspUnEgdHEh
    UnEiWAUAAABjb3VudHEjaAMoKGgEY3RvcmNoCkxvbmdTdG9yYWdlCnEkWAEAAAAzcSVoB0sBdHEmUUsAKSmJaAspUnEndHEoUnEpWAQAAABoYWxmcSpo
    AygoaARjdG9yY2gKQkZsb2F0MTZTdG9yYWdlCnErWAEAAAA0cSxoB0sCdHEtUUsASwKFcS5LAYVxL4loCylScTB0cTFScTJYBAAAAHZpZXdxM2gDKCho
    BGN0b3JjaApEb3VibGVTdG9yYWdlCnE0WAEAAAA1cTVoB0sFdHE2UUsCSwKFcTdLAYVxOIloCylScTl0cTpScTt1fXE8WAkAAABfbWV0YWRhdGFxPX1x
    PlgAAAAAcT99cUBYBwAAAHZlcnNpb25xQUsBc3NzYnUuUEsHCFtHZXuZAgAAmQIAAFBLAwQAAAgIAAAAAAAAAAAAAAAAAAAAAAAAFwAiAGFyY2hpdmUv
    LmZvcm1hdF92ZXJzaW9uRkIeAFpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWjFQSwcIt+/cgwEAAAABAAAAUEsDBAAACAgAAAAAAAAAAAAAAAAA
    AAAAAAAaADcAYXJjaGl2ZS8uc3RvcmFnZV9hbGlnbm1lbnRGQjMAWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpa
    WlpaNjRQSwcIP3dx6QIAAAACAAAAUEsDBAAACAgAAAAAAAAAAAAAAAAAAAAAAAARAD8AYXJjaGl2ZS9ieXRlb3JkZXJGQjsAWlpaWlpaWlpaWlpaWlpa
    WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpsaXR0bGVQSwcIhT3jGQYAAAAGAAAAUEsDBAAACAgAAAAAAAAAAAAAAAAA
    AAAAAAAOAD4AYXJjaGl2ZS9kYXRhLzBGQjoAWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWgAA
    UEsHCP8S2UECAAAAAgAAAFBLAwQAAAgIAAAAAAAAAAAAAAAAAAAAAAAADgBCAGFyY2hpdmUvZGF0YS8xRkI+AFpaWlpaWlpaWlpaWlpaWlpaWlpaWlpa
    WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaAAAAAAAAgD8AAABAAABAQAAAgEAAAKBAUEsHCBeQ55EYAAAAGAAAAFBLAwQAAAgI
    AAAAAAAAAAAAAAAAAAAAAAAADgAsAGFyY2hpdmUvZGF0YS8yRkIoAFpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWloAAAEAAgAD
    AAQABQBQSwcIkLuzogwAAAAMAAAAUEsDBAAACAgAAAAAAAAAAAAAAAAAAAAAAAAOADgAYXJjaGl2ZS9kYXRhLzNGQjQAWlpaWlpaWlpaWlpaWlpaWlpa
    WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWgcAAAAAAAAAUEsHCHDW528IAAAACAAAAFBLAwQAAAgIAAAAAAAAAAAAAAAAAAAAAAAADgA8
    AGFyY2hpdmUvZGF0YS80RkI4AFpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpawD8AwFBLBwgHUVrj
    BAAAAAQAAABQSwMEAAAICAAAAAAAAAAAAAAAAAAAAAAAAA4AQABhcmNoaXZlL2RhdGEvNUZCPABaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpa
    WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWloAAAAAAAAAAAAAAAAAAPA/AAAAAAAAAEAAAAAAAAAIQAAAAAAAABBAUEsHCDcKC/woAAAAKAAAAFBL
    AwQAAAgIAAAAAAAAAAAAAAAAAAAAAAAADwAbAGFyY2hpdmUvdmVyc2lvbkZCFwBaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWjMKUEsHCNGeZ1UCAAAAAgAA
    AFBLAwQAAAgIAAAAAAAAAAAAAAAAAAAAAAAAHgAyAGFyY2hpdmUvLmRhdGEvc2VyaWFsaXphdGlvbl9pZEZCLgBaWlpaWlpaWlpaWlpaWlpaWlpaWlpa
    WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaMTI2ODU2NzM5Njk2NDY0NjI2MTEwNDk5MTAzOTAwNzM5MzI4MTY4M1BLBwhwJLWAKAAAACgAAABQSwECAAAA
    AAgIAAAAAAAAW0dle5kCAACZAgAAEAAAAAAAAAAAAAAAAAAAAAAAYXJjaGl2ZS9kYXRhLnBrbFBLAQIAAAAACAgAAAAAAAC379yDAQAAAAEAAAAXAAAA
    AAAAAAAAAAAAAOkCAABhcmNoaXZlLy5mb3JtYXRfdmVyc2lvblBLAQIAAAAACAgAAAAAAAA/d3HpAgAAAAIAAAAaAAAAAAAAAAAAAAAAAFEDAABhcmNo
    aXZlLy5zdG9yYWdlX2FsaWdubWVudFBLAQIAAAAACAgAAAAAAACFPeMZBgAAAAYAAAARAAAAAAAAAAAAAAAAANIDAABhcmNoaXZlL2J5dGVvcmRlclBL
    AQIAAAAACAgAAAAAAAD/EtlBAgAAAAIAAAAOAAAAAAAAAAAAAAAAAFYEAABhcmNoaXZlL2RhdGEvMFBLAQIAAAAACAgAAAAAAAAXkOeRGAAAABgAAAAO
    AAAAAAAAAAAAAAAAANIEAABhcmNoaXZlL2RhdGEvMVBLAQIAAAAACAgAAAAAAACQu7OiDAAAAAwAAAAOAAAAAAAAAAAAAAAAAGgFAABhcmNoaXZlL2Rh
    dGEvMlBLAQIAAAAACAgAAAAAAABw1udvCAAAAAgAAAAOAAAAAAAAAAAAAAAAANwFAABhcmNoaXZlL2RhdGEvM1BLAQIAAAAACAgAAAAAAAAHUVrjBAAA
    AAQAAAAOAAAAAAAAAAAAAAAAAFgGAABhcmNoaXZlL2RhdGEvNFBLAQIAAAAACAgAAAAAAAA3Cgv8KAAAACgAAAAOAAAAAAAAAAAAAAAAANQGAABhcmNo
    aXZlL2RhdGEvNVBLAQIAAAAACAgAAAAAAADRnmdVAgAAAAIAAAAPAAAAAAAAAAAAAAAAAHgHAABhcmNoaXZlL3ZlcnNpb25QSwECAAAAAAgIAAAAAAAA
    cCS1gCgAAAAoAAAAHgAAAAAAAAAAAAAAAADSBwAAYXJjaGl2ZS8uZGF0YS9zZXJpYWxpemF0aW9uX2lkUEsGBiwAAAAAAAAAHgMtAAAAAAAAAAAADAAA
    AAAAAAAMAAAAAAAAAPsCAAAAAAAAeAgAAAAAAABQSwYHAAAAAHMLAAAAAAAAAQAAAFBLBQYAAAAADAAMAPsCAAB4CAAAAAA=
    """
  private static let former = """
    gAKKCmz8nEb5IGqoUBkugAJN6QMugAJ9cQAoWBAAAABwcm90b2NvbF92ZXJzaW9ucQFN6QNYDQAAAGxpdHRsZV9lbmRpYW5xAohYCgAAAHR5cGVfc2l6
    ZXNxA31xBChYBQAAAHNob3J0cQVLAlgDAAAAaW50cQZLBFgEAAAAbG9uZ3EHSwR1dS6AAmNjb2xsZWN0aW9ucwpPcmRlcmVkRGljdApxAClScQEoWAgA
    AABhLndlaWdodHECY3RvcmNoLl91dGlscwpfcmVidWlsZF90ZW5zb3JfdjIKcQMoKFgHAAAAc3RvcmFnZXEEY3RvcmNoCkZsb2F0U3RvcmFnZQpxBVgO
    AAAAOTM5MjQxNzQ4NTkzMjhxBlgDAAAAY3B1cQdLBk50cQhRSwBLAksDhnEJSwNLAYZxColoAClScQt0cQxScQ1YBgAAAHR1cm5lZHEOaAMoKGgEY3Rv
    cmNoClNob3J0U3RvcmFnZQpxD1gOAAAAOTM5MjQwODgzNjE5NTJxEGgHSwZOdHERUUsASwNLAoZxEksBSwOGcROJaAApUnEUdHEVUnEWWAUAAABjb3Vu
    dHEXaAMoKGgEY3RvcmNoCkxvbmdTdG9yYWdlCnEYWA4AAAA5MzkyNDA4ODMzMDI3MnEZaAdLAU50cRpRSwApKYloAClScRt0cRxScR1YBAAAAGhhbGZx
    HmgDKChoBGN0b3JjaApCRmxvYXQxNlN0b3JhZ2UKcR9YDgAAADkzOTI0MTc0ODc2Mzg0cSBoB0sCTnRxIVFLAEsChXEiSwGFcSOJaAApUnEkdHElUnEm
    WAQAAAB2aWV3cSdoAygoaARjdG9yY2gKRG91YmxlU3RvcmFnZQpxKFgOAAAAOTM5MjQxNzQ4NzYyNDBxKWgHSwVOdHEqUUsCSwKFcStLAYVxLIloAClS
    cS10cS5ScS91fXEwWAkAAABfbWV0YWRhdGFxMX1xMlgAAAAAcTN9cTRYBwAAAHZlcnNpb25xNUsBc3NzYi6AAl1xAChYDgAAADkzOTI0MDg4MzMwMjcy
    cQFYDgAAADkzOTI0MDg4MzYxOTUycQJYDgAAADkzOTI0MTc0ODU5MzI4cQNYDgAAADkzOTI0MTc0ODc2MjQwcQRYDgAAADkzOTI0MTc0ODc2Mzg0cQVl
    LgEAAAAAAAAABwAAAAAAAAAGAAAAAAAAAAAAAQACAAMABAAFAAYAAAAAAAAAAAAAAAAAgD8AAABAAABAQAAAgEAAAKBABQAAAAAAAAAAAAAAAAAAAAAA
    AAAAAPA/AAAAAAAAAEAAAAAAAAAIQAAAAAAAABBAAgAAAAAAAADAPwDA
    """

  private func content(_ text: String) throws -> Data {
    try #require(Data(base64Encoded: text.filter { !$0.isWhitespace }))
  }

  private func open(_ content: Data) throws -> WeightsFile {
    try withTemporaryPath { path in
      try content.write(to: URL(fileURLWithPath: path))
      return try WeightsFile(path: path)
    }
  }

  private func reason(_ content: Data) -> String {
    let failure = #expect(throws: FileFailure.self) { try open(content) }
    #expect(failure?.kind == .badData || failure?.kind == .beyondLimit)
    return failure?.description ?? ""
  }

  private func elements<Element>(_ name: String, of file: WeightsFile, as: Element.Type) throws -> [Element] {
    try file.withBytes(of: name) { bytes in
      stride(from: 0, to: bytes.count, by: MemoryLayout<Element>.stride).map {
        bytes.loadUnaligned(fromByteOffset: $0, as: Element.self)
      }
    }
  }

  @Test("Both forms of torch.save give the tensors of the state dict, row-major", arguments: [true, false])
  func golden(isToday: Bool) throws {
    let file = try open(try content(isToday ? Self.today : Self.former))
    #expect(file.names == ["a.weight", "count", "half", "turned", "view"])
    #expect(file.entries["a.weight"] == .init(type: .float32, shape: [2, 3]))
    #expect(try elements("a.weight", of: file, as: Float.self) == [0, 1, 2, 3, 4, 5])
    #expect(file.entries["turned"] == .init(type: .int16, shape: [3, 2]))
    #expect(try elements("turned", of: file, as: Int16.self) == [0, 3, 1, 4, 2, 5])
    #expect(file.entries["count"] == .init(type: .int64, shape: []))
    #expect(try elements("count", of: file, as: Int64.self) == [7])
    #expect(try elements("half", of: file, as: UInt16.self) == [0x3FC0, 0xC000])
    #expect(try elements("view", of: file, as: Double.self) == [2, 3])
    #expect(throws: FileFailure.self) { try file.withBytes(of: "no") { _ in } }
  }

  // 640 is written as the first bytes of torch.save, 123 as the brace of a JSON document.
  @Test("A header may have any length, also those that look like other kinds of files", arguments: [640, 123, 0x4B50])
  func headerLengths(_ length: Int) throws {
    let header = #"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
    let padded = header + String(repeating: " ", count: length - header.utf8.count)
    let start = (0..<8).map { UInt8(length >> (8 * $0) & 0xFF) }
    let file = try open(Data(start + Array(padded.utf8) + [0, 0, 0x80, 0x3F]))
    #expect(file.names == ["w"])
    #expect(try elements("w", of: file, as: Float.self) == [1])
  }

  @Test("A damaged file is refused or read, whatever the damage", arguments: [true, false])
  func damage(isToday: Bool) throws {
    let sound = try content(isToday ? Self.today : Self.former)
    for length in stride(from: 4, to: sound.count, by: 97) { _ = try? open(sound.prefix(length)) }
    var random = SeededGenerator(seed: 1)
    var refused = 0
    for _ in 0..<300 {
      var broken = sound
      for _ in 0..<3 { broken[random.nextInt(below: broken.count)] = UInt8(random.nextInt(below: 256)) }
      do {
        let file = try open(broken)
        for name in file.names { try file.withBytes(of: name) { _ in } }
      } catch let failure as FileFailure {
        refused += 1
        #expect(!failure.description.isEmpty)
      }
    }
    #expect(refused > 50)
  }

  // A file of before 1.6 around one pickle.
  private func former(_ pickle: [UInt8]) -> Data {
    let magic: [UInt8] = [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]
    let version: [UInt8] = [0x80, 2, 0x4D, 0xE9, 0x03, 0x2E]
    let machine: [UInt8] = [0x80, 2, 0x7D, 0x2E]
    let keys: [UInt8] = [0x80, 2, 0x5D, 0x58, 1, 0, 0, 0, 0x30, 0x61, 0x2E]
    let storage: [UInt8] = [2, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 8)
    return Data(magic + version + machine + pickle + keys + storage)
  }

  private func text(_ value: String) -> [UInt8] { [0x8C, UInt8(value.utf8.count)] + value.utf8 }

  // {'w': a view of a storage of two floats}
  private func tensor(
    offset: Int = 0, shape: [UInt8], strides: [UInt8], elements: UInt8 = 2, type: String = "FloatStorage"
  )
    -> [UInt8]
  {
    func tuple(_ numbers: [UInt8]) -> [UInt8] { [0x28] + numbers.flatMap { [0x4B, $0] } + [0x74] }
    let storage: [UInt8] =
      [0x28] + text("storage") + Array("ctorch\n\(type)\n".utf8) + text("0") + text("cpu") + [
        0x4B, elements, 0x74, 0x51,
      ]
    let offset = withUnsafeBytes(of: Int32(offset).littleEndian) { [0x4A] + Array($0) }
    return [0x80, 2, 0x7D] + text("w") + Array("ctorch._utils\n_rebuild_tensor_v2\n".utf8) + [0x28] + storage + offset
      + tuple(shape) + tuple(strides) + [0x89, 0x7D, 0x74, 0x52, 0x73, 0x2E]
  }

  @Test("Views lead nowhere but to their own elements")
  func views() throws {
    #expect(try open(former(tensor(shape: [2], strides: [1]))).entries["w"]?.shape == [2])
    #expect(try open(former(tensor(shape: [0, 9], strides: [9, 1]))).entries["w"]?.shape == [0, 9])
    for (offset, shape, strides) in [
      (0, [3], [1]), (1, [2], [1]), (-1, [2], [1]), (0, [2], [2]), (0, [200], [0]), (0, [2], [1, 1]),
    ]
      as [(Int, [UInt8], [UInt8])]
    {
      #expect(
        reason(former(tensor(offset: offset, shape: shape, strides: strides))).contains("leads out of its elements"))
    }
    #expect(reason(former(tensor(shape: [2], strides: [1], elements: 3))).contains("3 elements are announced"))
    #expect(
      reason(former(tensor(shape: [2], strides: [1], type: "QInt8Storage"))).contains("tensors of another kind"))
  }

  @Test("A pickle is never run, and none can take the stack")
  func hostile() throws {
    let call =
      [0x80, 2] + Array("cos\nsystem\n".utf8) + [0x28] + text("touch /tmp/width-transfer-was-here") + [
        0x74, 0x52, 0x2E,
      ]
    #expect(reason(former(call)).contains("an object of os.system"))
    #expect(!FileManager.default.fileExists(atPath: "/tmp/width-transfer-was-here"))
    let nest = [0x80, 2] + [UInt8](repeating: 0x5D, count: 200_000) + [UInt8](repeating: 0x61, count: 199_999) + [0x2E]
    #expect(reason(former(nest)).contains("no state dict"))
    // A list that holds itself.
    #expect(reason(former([0x80, 2, 0x5D, 0x71, 0, 0x68, 0, 0x61, 0x2E])).contains("no state dict"))
    for broken in [
      [0x2E], [0x61], [0x74], [0x68, 9], [0x8D, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0x63, 0x61], [0xFF],
    ]
      as [[UInt8]]
    {
      #expect(reason(former([0x80, 2] + broken)).contains("not a valid file of torch.save"))
    }
    #expect(reason(Data([0x80, 2, 0x7D, 0x2E])).contains("none of torch.save"))
  }

  @Test("An index of shards is the one file that it means")
  func shards() throws {
    let folder = NSTemporaryDirectory() + "/shards-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for (index, name) in ["a", "b"].enumerated() {
      try SafetensorsWriter.write(
        [.init(name: name, type: .uint8, shape: [1], data: Data([UInt8(index)]))],
        metadata: ["from": name], to: "\(folder)/\(name).safetensors")
    }
    func index(_ map: String) throws -> WeightsFile {
      try Data("{\"metadata\": {\"total_size\": 2}, \"weight_map\": \(map)}".utf8).write(
        to: URL(fileURLWithPath: folder + "/index.json"))
      return try WeightsFile(path: folder + "/index.json")
    }
    let file = try index(#"{"a": "a.safetensors", "b": "b.safetensors"}"#)
    #expect(file.names == ["a", "b"] && file.metadata["from"] == "a")
    #expect(try file.withBytes(of: "b") { Array($0) } == [1])
    func refusal(_ map: String) -> String {
      (#expect(throws: FileFailure.self) { try index(map) })?.description ?? ""
    }
    #expect(refusal(#"{"a": "b.safetensors"}"#).contains("says that a is in b.safetensors"))
    #expect(refusal(#"{"a": "../a.safetensors"}"#).contains("not beside it"))
    #expect(refusal(#"{"a": "c.safetensors"}"#).contains("c.safetensors"))
    #expect(refusal("3").contains("no index of shards"))
  }
}
