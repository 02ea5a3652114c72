import Foundation
import Support
import Testing

@testable import Interchange

/// A catalogue of broken files; each must be refused with a reason that names the place.
@Suite struct SafetensorsBrokenFileTests {
  struct Broken: Sendable, CustomTestStringConvertible {
    var content: Data
    var reason: String
    var testDescription: String { reason }

    init(_ content: Data, _ reason: String) {
      self.content = content
      self.reason = reason
    }

    init(_ header: String, data: Int = 0, _ reason: String) {
      self.init(file(header: header, data: data), reason)
    }

    /// One or several F32 vectors given by their offsets.
    init(offsets: [(Int, Int)], data: Int, _ reason: String) {
      let members = offsets.enumerated().map { index, range in
        #""t\#(index)":{"dtype":"F32","shape":[\#((range.1 - range.0) / 4)],"data_offsets":[\#(range.0),\#(range.1)]}"#
      }
      self.init("{" + members.joined(separator: ",") + "}", data: data, reason)
    }

    /// One tensor given by the text of its entry.
    init(entry: String, data: Int = 0, _ reason: String) { self.init(#"{"a":\#(entry)}"#, data: data, reason) }
  }

  static let structure: [Broken] = [
    .init(Data(), "it has 0 bytes"),
    .init(Data([1, 0, 0, 0, 0, 0, 0]), "it has 7 bytes"),
    .init(bytes(hexadecimal: "01e1f505 00000000"), "its header claims 100000001 bytes; the limit is 100000000"),
    .init(bytes(hexadecimal: "ffffffff ffffffff"), "its header claims 18446744073709551615 bytes"),
    .init(bytes(hexadecimal: "0a00000000000000 7b7d"), "its header claims 10 bytes, but the file ends after 2"),
    .init(Data("PK\u{3}\u{4}".utf8) + Data(repeating: 8, count: 90), "a file of torch.save"),
    .init(bytes(hexadecimal: "80027d71005800000000000000"), "a file of torch.save"),
    .init(Data("version https://git-lfs.github.com/spec/v1\noid sha256:00".utf8), "a pointer of Git LFS"),
    .init(Data("<!doctype html><html>Access restricted</html>".utf8), "a web page"),
    .init(Data(#"{"metadata": {}, "weight_map": {}}"#.utf8), "an index of shards"),
    .init(bytes(hexadecimal: "0000000000000000"), "header, byte 0: expected an object"),
    .init(offsets: [(0, 8)], data: 4, "it is cut short: the tensors take 8 bytes, 4 are there"),
    .init(offsets: [(0, 8)], data: 9, "1 bytes follow the last tensor"),
    .init(offsets: [], data: 1, "1 bytes follow the last tensor"),
    .init(offsets: [(4, 8)], data: 8, "t0: bytes 0..<4 before it belong to no tensor"),
    .init(offsets: [(0, 4), (8, 12)], data: 12, "t1: bytes 4..<8 before it belong to no tensor"),
    .init(offsets: [(0, 8), (4, 12)], data: 12, "t1: it begins at 4, inside another tensor"),
    .init(offsets: [(0, 8), (0, 8)], data: 8, "t1: it begins at 0, inside another tensor"),
    .init(offsets: [(0, 8), (4, 4)], data: 8, "t1: it begins at 4, inside another tensor"),
  ]

  static let entries: [Broken] = [
    .init(entry: #"{"dtype":"F32","shape":[2],"data_offsets":[8,0]}"#, data: 8, "begin ≤ end, found [8, 0]"),
    .init(entry: #"{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}"#, data: 8, "data_offsets must be"),
    .init(entry: #"{"dtype":"F32","shape":[2],"data_offsets":[0,7]}"#, data: 7, "a: F32 of shape [2] takes 8 bytes"),
    .init(entry: #"{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}"#, "expected a whole number"),
    .init(entry: #"{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}"#, data: 8, "expected a whole number"),
    .init(entry: #"{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}"#, data: 8, "expected a whole number"),
    .init(entry: #"{"dtype":"F32","shape":[02],"data_offsets":[0,8]}"#, data: 8, "a number starts with 0"),
    .init(entry: #"{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}"#, data: 8, "expected a whole number"),
    .init(entry: #"{"dtype":"F32","shape":2,"data_offsets":[0,8]}"#, data: 8, "expected an array"),
    .init(entry: #"{"dtype":"F32","shape":[2,],"data_offsets":[0,8]}"#, data: 8, "expected a whole number"),
    .init(
      entry: #"{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}"#, "the size of shape"),
    .init(entry: #"{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}"#, "the size of shape"),
    .init(entry: #"{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,0]}"#, "the number is too large"),
    .init(
      entry: #"{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]}"#, "overflow"),
    .init(
      entry: #"{"dtype":"U8","shape":[0],"data_offsets":[9223372036854775807,9223372036854775807]}"#, "overflow"),
    .init(entry: #"{"dtype":"F4","shape":[2],"data_offsets":[0,1]}"#, data: 1, "the dtype 'F4' is not supported"),
    .init(entry: #"{"dtype":"f32","shape":[],"data_offsets":[0,4]}"#, data: 4, "the dtype 'f32' is not supported"),
    .init(entry: #"{"dtype":3,"shape":[],"data_offsets":[0,4]}"#, data: 4, "expected a string"),
    .init(entry: #"{"shape":[],"data_offsets":[0,4]}"#, data: 4, "a tensor needs dtype, shape and data_offsets"),
    .init(entry: #"{"dtype":"F32","data_offsets":[0,4]}"#, data: 4, "a tensor needs"),
    .init(entry: #"{"dtype":"F32","shape":[]}"#, data: 4, "a tensor needs"),
    .init(entry: #"{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}"#, data: 4, "'dtype' occurs twice"),
    .init(entry: "[]", "expected an object"),
    .init(entry: "null", "expected an object"),
  ]

  static let text: [Broken] = [
    .init(" {}", "header, byte 0: expected an object"),
    .init("[]", "expected an object"),
    .init("{", "expected a string"),
    .init("{}}", "something follows the header's object"),
    .init("{}\u{0}", "something follows the header's object"),
    .init(#"{"a""#, "expected a colon"),
    .init(#"{"a":"#, "expected an object"),
    .init(#"{"__metadata__":{},}"#, "expected a string"),
    .init(#"{"__metadata__":{} "b":{}}"#, "expected a comma or the end of the object"),
    .init(#"{"__metadata__":{"a":1}}"#, "header, byte 21: expected a string"),
    .init(#"{"__metadata__":{"a":{}}}"#, "expected a string"),
    .init(#"{"__metadata__":"a"}"#, "expected an object"),
    .init(#"{"__metadata__":{"a":"1","a":"2"}}"#, "the key 'a' occurs twice"),
    .init(#"{"__metadata__":{},"__metadata__":{}}"#, "the key '__metadata__' occurs twice"),
    .init(
      #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#,
      "the key 'a' occurs twice"),
    .init(
      #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#,
      "the key 'a' occurs twice"),
    .init(#"{"__metadata__":{"a":"\ud800"}}"#, "half a surrogate pair"),
    .init(#"{"__metadata__":{"a":"\udc00"}}"#, "half a surrogate pair"),
    .init(#"{"__metadata__":{"a":"\ud800\u0041"}}"#, "half a surrogate pair"),
    .init(#"{"__metadata__":{"a":"\u00g0"}}"#, "four hexadecimal digits"),
    .init(#"{"__metadata__":{"a":"\u+041"}}"#, "four hexadecimal digits"),
    .init(#"{"__metadata__":{"a":"\x"}}"#, "an unknown escape"),
    .init("{\"__metadata__\":{\"a\":\"\n\"}}", "a control character"),
    .init(file(header: Array(#"{"__metadata__":{"a":""#.utf8) + [0xFF] + Array(#""}}"#.utf8)), "not UTF-8"),
    .init(file(header: Array(#"{"__metadata__":{"a":""#.utf8) + [0xED, 0xA0, 0x80, 0x22, 0x7D, 0x7D]), "not UTF-8"),
    .init(file(header: Array(#"{"__metadata__":{"a"#.utf8)), "the string has no end"),
    .init(#"{"a":{"x":"# + String(repeating: "[", count: 100_000), "values are nested too deeply"),
    .init(#"{"a":{"x":"# + String(repeating: #"{"y":"#, count: 100_000), "values are nested too deeply"),
    .init(#"{"a":{"x":?}}"#, "expected a value"),
  ]

  @Test(arguments: structure + entries + text)
  func isRefusedWithTheReason(broken: Broken) {
    let error = #expect(throws: FileFailure.self) { try open(broken.content) }
    #expect(error?.kind == .badData)
    #expect(error?.reason.hasPrefix("not a valid safetensors file: ") == true)
    #expect(error?.reason.contains(broken.reason) == true, "\(error?.reason ?? "")")
  }

  @Test func whatTheFormatAllowsIsRead() throws {
    let unusual = try open(
      file(
        header: """
          {\t"b" : {"data_offsets":[0, 0], "shape":[3,0,9223372036854775807], "dtype":"F32", "extra":[{"x":[]},-1.5e3,true,null]},
           "a":{"dtype":"BF16","shape":[],"data_offsets":[0,2]} , "\\ud83d\\ude00\\/":{"dtype":"U8","shape":[0],\
          "data_offsets":[2,2]}}  \n
          """, data: 2))
    #expect(unusual.names == ["a", "b", "😀/"])
    #expect(unusual.entries["a"]?.shape == [])
    #expect(try unusual.withBytes(of: "b") { $0.count } == 0)
    #expect(try open(file(header: "{}")).entries.isEmpty)
  }

  @Test func aPlaceThatIsNoFileIsNamed() {
    let missing = #expect(throws: FileFailure.self) { try SafetensorsFile(path: "/nowhere/w.safetensors") }
    #expect(missing?.kind == .missing)
    #expect(missing?.message == "/nowhere/w.safetensors: there is no such file")
    for path in ["/", "/dev/null"] {
      let error = #expect(throws: FileFailure.self) { try SafetensorsFile(path: path) }
      #expect(error?.kind == .badData)
    }
  }

  @Test func aMissingTensorIsNamed() throws {
    let file = try open(file(header: "{}"))
    let error = #expect(throws: FileFailure.self) { try file.withBytes(of: "fc.weight") { _ in } }
    #expect(error?.message.contains("it holds no tensor named 'fc.weight'") == true)
  }

  @Test func randomMutationsNeverCrash() throws {
    let header = #"""
      {"__metadata__":{"format":"pt","k\u00e9y":"\ud83d\ude00"},"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[8,16],"x":[1,{"y":null}]}}
      """#
    let valid = Array(file(header: header, data: 16))
    _ = try open(Data(valid))
    var generator = SeededGenerator(seed: 2024)
    let interesting = Array(#"{}[]",:\u0019-eé"#.utf8) + [0x00, 0x7F, 0x80, 0xFF]
    var accepted = 0
    for _ in 0..<30_000 {
      var mutated = valid
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let place = Int.random(in: 0..<mutated.count, using: &generator)
        let byte = interesting.randomElement(using: &generator) ?? 0
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: mutated[place] = UInt8.random(in: 0...255, using: &generator)
        case 1: mutated[place] = byte
        case 2: mutated.insert(byte, at: place)
        case 3: mutated.remove(at: place)
        default: mutated.removeLast(Int.random(in: 0..<mutated.count, using: &generator) / 8)
        }
        // A header length that fits lets the mutation reach the JSON.
        if Bool.random(using: &generator), mutated.count > 24 {
          let length = UInt64(mutated.count - 24).littleEndian
          mutated.replaceSubrange(0..<8, with: withUnsafeBytes(of: length) { Array($0) })
        }
        if mutated.isEmpty { mutated = [0] }
      }
      // The header alone, without a file in between: thirty thousand files would take long.
      do {
        let header = try mutated.withUnsafeBytes { try SafetensorsHeader(file: $0, path: "") }
        let isInside = header.entries.values.allSatisfy { $0.byteRange.upperBound <= mutated.count }
        if !isInside { Issue.record("a tensor lies outside the file: \(mutated)") }
        accepted += 1
      } catch let error as FileFailure {
        if error.kind != .badData { Issue.record(error) }
      }
    }
    #expect(accepted > 0 && accepted < 15_000)
  }
}
