import Foundation
import Interchange
import Testing

/// Bytes that the Python library `safetensors` 0.8.0 wrote: `safetensors.numpy.save(tensors, metadata={"format": "pt"})`.
@Suite struct SafetensorsGoldenTests {
  // The tensors in an order that is not the file's: numpy arrays of one element type each, an empty one, a scalar, and a name
  // that needs every kind of escape.
  private let tensors: [SafetensorsWriter.Tensor] = [
    .init(
      name: "b.weight", type: .float32, shape: [2, 2], data: bytes(hexadecimal: "0000803f000000c00000c07f0000807f")),
    .init(name: "n", type: .int64, shape: [], data: data(of: [Int64(7)])),
    .init(name: "a", type: .float32, shape: [0, 3], data: Data()),
    .init(name: "m", type: .bool, shape: [3], data: Data([1, 0, 1])),
    .init(name: "h", type: .float16, shape: [1], data: Data([0x00, 0x3E])),
    .init(name: "u", type: .uint8, shape: [1], data: Data([200])),
    .init(name: "é\n\u{1}/\"q", type: .int16, shape: [2], data: data(of: [Int16(1), 2])),
    .init(name: "d", type: .float64, shape: [1], data: data(of: [0.5])),
    .init(name: "i", type: .int32, shape: [1], data: data(of: [Int32(-3)])),
    .init(name: "Z", type: .float32, shape: [1, 1, 1], data: data(of: [Float(9)])),
    .init(name: "c", type: .int8, shape: [1], data: data(of: [Int8(-1)])),
    .init(name: "v", type: .uint64, shape: [1], data: data(of: [UInt64(1)])),
    .init(name: "w", type: .uint32, shape: [1], data: data(of: [UInt32(2)])),
    .init(name: "x", type: .uint16, shape: [1], data: data(of: [UInt16(3)])),
    .init(name: "y", type: .complex64, shape: [1], data: data(of: [Float(1), 2])),
  ]

  private let golden =
    bytes(hexadecimal: "7003000000000000")
    + Data(
      [
        #"{"__metadata__":{"format":"pt"},"v":{"dtype":"U64","shape":[1],"data_offsets":[0,8]},"#,
        #""n":{"dtype":"I64","shape":[],"data_offsets":[8,16]},"d":{"dtype":"F64","shape":[1],"data_offsets":[16,24]},"#,
        #""y":{"dtype":"C64","shape":[1],"data_offsets":[24,32]},"#,
        #""Z":{"dtype":"F32","shape":[1,1,1],"data_offsets":[32,36]},"#,
        #""a":{"dtype":"F32","shape":[0,3],"data_offsets":[36,36]},"#,
        #""b.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[36,52]},"#,
        #""w":{"dtype":"U32","shape":[1],"data_offsets":[52,56]},"#,
        #""i":{"dtype":"I32","shape":[1],"data_offsets":[56,60]},"#,
        #""h":{"dtype":"F16","shape":[1],"data_offsets":[60,62]},"#,
        #""x":{"dtype":"U16","shape":[1],"data_offsets":[62,64]},"#,
        #""é\n\u0001/\"q":{"dtype":"I16","shape":[2],"data_offsets":[64,68]},"#,
        #""c":{"dtype":"I8","shape":[1],"data_offsets":[68,69]},"u":{"dtype":"U8","shape":[1],"data_offsets":[69,70]},"#,
        #""m":{"dtype":"BOOL","shape":[3],"data_offsets":[70,73]}}"#,
      ].joined().utf8)
    + bytes(
      hexadecimal: """
        0100000000000000 0700000000000000 000000000000e03f 0000803f00000040 00001041
        0000803f000000c00000c07f0000807f 02000000 fdffffff 003e 0300 01000200 ff c8 010001
        """)

  @Test func theWriterGivesTheBytesOfTheReferenceLibrary() throws {
    for tensors in [tensors, tensors.reversed()] {
      try withTemporaryPath { path in
        try SafetensorsWriter.write(tensors, to: path)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == golden)
      }
    }
  }

  @Test func theReaderReadsTheBytesOfTheReferenceLibrary() throws {
    let file = try open(golden)
    #expect(file.metadata == ["format": "pt"])
    #expect(
      file.names == ["Z", "a", "b.weight", "c", "d", "h", "i", "m", "n", "u", "v", "w", "x", "y", "é\n\u{1}/\"q"])
    for tensor in tensors {
      let entry = try #require(file.entries[tensor.name])
      #expect(entry.type == tensor.type && entry.shape == tensor.shape)
      var expected = Data()
      try tensor.withBytes { expected.append(contentsOf: $0) }
      #expect(try file.withBytes(of: tensor.name) { Data($0) } == expected)
    }
  }

  // The published format: no metadata, a header padded with two spaces.
  @Test func theReaderReadsTheSmallestFile() throws {
    let header = #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}  "#
    let small = file(header: header) + bytes(hexadecimal: "0000803f000000c0")
    #expect(small.first == 56)
    let file = try open(small)
    #expect(file.metadata.isEmpty)
    #expect(file.entries["a"]?.byteRange == 64..<72)
    #expect(try file.withBytes(of: "a") { Array($0.bindMemory(to: Float.self)) } == [1, -2])
  }
}
