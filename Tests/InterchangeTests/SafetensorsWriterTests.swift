import Foundation
import Interchange
import Support
import Testing

@Suite struct SafetensorsWriterTests {
  @Test func metadataComesBackAndIsByteStable() throws {
    let metadata = ["widths": #"{"a":1}"#, "empty": "", "ключ": "\u{0}\u{8}\u{c}\r\t\\ 👩‍👩‍👧", "format": "tf"]
    try withTemporaryPath { path in
      try SafetensorsWriter.write([], metadata: metadata, to: path)
      let first = try Data(contentsOf: URL(fileURLWithPath: path))
      #expect(first.count % 8 == 0)
      #expect(try SafetensorsFile(path: path).metadata == metadata.merging(["format": "pt"]) { $1 })
      try SafetensorsWriter.write([], metadata: metadata, to: path)
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == first)
    }
  }

  @Test func bytesMayComeInPiecesAndOneTensorAtATime() throws {
    try withTemporaryPath { path in
      let tensors = (0..<100).map { index in
        SafetensorsWriter.Tensor(name: "layer\(index)", type: .int32, shape: [10]) { body in
          for value in 0..<10 as Range<Int32> {
            try withUnsafeBytes(of: Int32(index) * 10 + value) { try body($0) }
          }
        }
      }
      try SafetensorsWriter.write(tensors, to: path)
      let file = try SafetensorsFile(path: path)
      #expect(file.entries.count == 100)
      for index in 0..<100 {
        let values = try file.withBytes(of: "layer\(index)") { Array($0.bindMemory(to: Int32.self)) }
        #expect(values == (0..<10).map { Int32(index * 10 + $0) })
      }
    }
  }

  @Test func aFileStaysReadableWhenItIsReplaced() throws {
    try withTemporaryPath { path in
      let tensor = { (value: Float) in
        [SafetensorsWriter.Tensor(name: "a", type: .float32, shape: [], data: data(of: [value]))]
      }
      try SafetensorsWriter.write(tensor(1), to: path)
      let old = try SafetensorsFile(path: path)
      try SafetensorsWriter.write(tensor(2), to: path)
      #expect(try old.withBytes(of: "a") { $0.load(as: Float.self) } == 1)
      #expect(try SafetensorsFile(path: path).withBytes(of: "a") { $0.load(as: Float.self) } == 2)
    }
  }

  @Test func randomTensorsComeBackAsTheyWere() throws {
    var generator = SeededGenerator(seed: 11)
    for _ in 0..<50 {
      let tensors = (0..<Int.random(in: 0...12, using: &generator)).map { index in
        let type = SafetensorsType.allCases.randomElement(using: &generator) ?? .uint8
        let shape = (0..<Int.random(in: 0...4, using: &generator)).map { _ in Int.random(in: 0...5, using: &generator) }
        let count = shape.reduce(1, *) * type.byteSize
        let content = Data((0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) })
        return SafetensorsWriter.Tensor(name: "t.\(index)", type: type, shape: shape, data: content)
      }
      try withTemporaryPath { path in
        try SafetensorsWriter.write(tensors, to: path)
        let file = try SafetensorsFile(path: path)
        #expect(file.entries.count == tensors.count)
        for tensor in tensors {
          let entry = try #require(file.entries[tensor.name])
          #expect(entry.type == tensor.type && entry.shape == tensor.shape)
          #expect(entry.byteRange.lowerBound % tensor.type.byteSize == 0 || entry.byteRange.isEmpty)
          var expected = Data()
          try tensor.withBytes { expected.append(contentsOf: $0) }
          #expect(try file.withBytes(of: tensor.name) { Data($0) } == expected)
        }
      }
    }
  }

  @Test func impossibleTensorsAreRefusedAndTheFormerFileStays() throws {
    func tensor(_ name: String, _ shape: [Int], _ count: Int) -> SafetensorsWriter.Tensor {
      .init(name: name, type: .float32, shape: shape, data: Data(count: count))
    }
    let wrong: [([SafetensorsWriter.Tensor], String)] = [
      ([tensor("a", [1], 4), tensor("a", [2], 8)], "two tensors have the name 'a'"),
      ([tensor("__metadata__", [1], 4)], "reserved"),
      ([tensor("a", [-1], 4)], "a: a tensor of shape [-1] cannot exist"),
      ([tensor("a", [Int.max, 2], 4)], "cannot exist"),
      ([tensor("a", [Int.max / 4], 0), tensor("b", [Int.max / 4], 0)], "b: a tensor of shape"),
      ([tensor("a", [2], 4)], "a: F32 of shape [2] takes 8 bytes, got 4"),
      ([tensor("a", [2], 12)], "a: F32 of shape [2] takes 8 bytes, got 12"),
    ]
    try withTemporaryPath { path in
      try AtomicFile.write("former", to: path)
      for (tensors, reason) in wrong {
        let error = #expect(throws: FileFailure.self) { try SafetensorsWriter.write(tensors, to: path) }
        #expect(error?.kind == .badData)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "former")
      }
    }
  }
}
