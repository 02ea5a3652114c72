import Foundation
import Networks
import Records
import Support
import Testing
import Transfer

/// Widths files and YAML files, good and broken.
@Suite struct DocumentFileTests {
  private struct Settings: Codable, Equatable {
    struct Optimizer: Codable, Equatable {
      var learningRate: Double
      var steps: [Int]
    }
    var epochs: Int
    var name: String?
    var optimizer: Optimizer
  }

  private func withFile<Result>(_ content: some DataProtocol, _ body: (String) throws -> Result) throws -> Result {
    let path = NSTemporaryDirectory() + "/document-\(UUID().uuidString)"
    try Data(content).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
  }

  private func settings(_ text: String) throws -> Settings {
    try withFile(Data(text.utf8)) { try YAMLFile.read(Settings.self, path: $0, expecting: "settings are expected") }
  }

  @Test func aHandWrittenWidthsFileNeedsTwoKeys() throws {
    let file = try withFile(Data(#"{"network": "resnet20", "widths": {"layer1": 12}, "note": "mine"}"#.utf8)) {
      try WidthsFile(path: $0)
    }
    #expect(file == WidthsFile(network: "resnet20", widths: ["layer1": 12]))
  }

  @Test func aFullWidthsFileComesBackAsItWas() throws {
    let file = WidthsFile(
      network: "resnet20", algorithm: "dmcp", macs: 10, targetMacs: 11, parameters: 12, widths: ["a": 1, "b": 2],
      multipliers: ["a": 0.5], projection: .init(width: 0.5, depth: 1, resolution: 16, data: 0.25),
      overhead: .init(flops: 1e12, seconds: 3.5, directFlops: 4e12, reduction: 4, nominalReduction: 4.5),
      history: [.init(step: 1, macs: 20, widths: ["a": 1.25])])
    try withFile(Data()) { path in
      try file.write(to: path)
      #expect(try WidthsFile(path: path) == file)
    }
  }

  @Test func aLossThatIsNoNumberComesBack() throws {
    let result = TrainingResult(
      top1: 10, top5: 50, loss: .nan, images: 1, seconds: 1, imagesPerSecond: 1, macs: 1, parameters: 1)
    try withFile(Data()) { path in
      try JSONFile.write(result, to: path)
      let read = try JSONFile.read(TrainingResult.self, path: path, expecting: "a result")
      #expect(read.loss.isNaN && read.top5 == 50)
    }
  }

  @Test(arguments: [
    (#"{"widths": {"a": 1}}"#, "network is missing"),
    (#"{"network": "resnet20"}"#, "widths is missing"),
    (#"{"network": "resnet20", "widths": {"a": "many"}}"#, "widths.a: "),
    (#"{"network": "resnet20", "widths": {"a": 1.5}}"#, "widths.a: "),
    (#"{"network": "resnet20", "widths": [1, 2]}"#, "widths: "),
    (
      #"{"network": "x", "widths": {}, "history": [{"step": 1, "macs": 1, "widths": {}}, {"step": 2}]}"#,
      "history[1].macs is missing"
    ),
    (#"{"network": "x", "widths": {}, "projection": {"width": 1}}"#, "projection.depth is missing"),
    (#"{"network": "resnet20", "widths": {"a": 1"#, "line 2, column 1: "),
    ("{\n  \"network\": \"resnet20\"\n  \"widths\": {}\n}", "line 3, column 3: "),
    ("", "top level: "),
    ("[]", "top level: "),
  ])
  func aBrokenWidthsFileNamesTheKey(text: String, place: String) throws {
    try withFile(Data(text.utf8)) { path in
      let error = #expect(throws: FileFailure.self) { try WidthsFile(path: path) }
      #expect(error?.kind == .badData)
      #expect(error?.message.hasPrefix("\(path): \(place)") == true, "\(error?.message ?? "")")
      #expect(error?.reason.contains(#""network": NAME"#) == true)
    }
  }

  @Test func aMissingFileIsMissing() {
    #expect(throws: FileFailure.self) { try WidthsFile(path: "/nowhere/widths.json") }
    let error = #expect(throws: FileFailure.self) {
      try YAMLFile.read(Settings.self, path: "/nowhere/run.yaml", expecting: "")
    }
    #expect(error?.kind == .missing)
    #expect(throws: FileFailure.self) { try YAMLFile.read(Settings.self, path: "/", expecting: "") }
  }

  @Test func aYAMLFileComesBackAsItWas() throws {
    let value = Settings(epochs: 3, name: "a: b # c\n", optimizer: .init(learningRate: 0.1, steps: [1, 2]))
    try withFile(Data()) { path in
      try YAMLFile.write(value, to: path)
      #expect(try YAMLFile.read(Settings.self, path: path, expecting: "") == value)
    }
    #expect(try YAMLFile.text(value) == YAMLFile.text(value))
  }

  @Test func wordsWithSignsAreNoAnchors() throws {
    let value = try settings("# *2* of it\nname: data/R&D/2*3\nepochs: 5\noptimizer: {learningRate: 1, steps: []}\n")
    #expect(value.name == "data/R&D/2*3")
  }

  @Test func aHandWrittenYAMLFileIsRead() throws {
    let value = try settings("# mine\nepochs: 5\noptimizer: {learningRate: 1e-3, steps: [30, 60]}\n")
    #expect(value == Settings(epochs: 5, optimizer: .init(learningRate: 0.001, steps: [30, 60])))
  }

  @Test(arguments: [
    ("optimizer: {learningRate: 1, steps: []}", "epochs is missing"),
    ("epochs: many\noptimizer: {learningRate: 1, steps: []}", "epochs: "),
    ("epochs: 1\noptimizer: {learningRate: 1, steps: [1, x]}", "optimizer.steps[1]: "),
    ("epochs: 1\nepochs: 2\noptimizer: {learningRate: 1, steps: []}", "line 1: the key 'epochs' occurs twice"),
    ("epochs: [1\noptimizer: 2", "line 2"),
    ("epochs: 1\n\toptimizer: 2", "line 2"),
    ("", "it holds no value"),
    ("--- 1\n--- 2\n", "line 2"),
    ("epochs: &e 1\noptimizer: *e", "line 1: anchors"),
    // Keys are hashed while they are read, with all that aliases in them stand for.
    (
      "a: &a [x]\n"
        + (1..<12).map {
          "k\($0): &\(Character(UnicodeScalar(97 + UInt8($0)))) ["
            + Array(repeating: "*\(Character(UnicodeScalar(96 + UInt8($0))))", count: 9).joined(separator: ",") + "]\n"
        }.joined() + "? *l : 1", "line 1: anchors"
    ),
    // libyaml takes these for the ends of lines, too.
    ("a: &a [x]\nb: &b [\u{2028}*a,\u{2028}*a]\n? [\u{2028}*b]\n: 1", "line 1: anchors"),
    ("a: &a [x]\nb: &b [\u{85}*a,\u{2029}*a]\n? [\u{85}*b]\n: 1", "line 1: anchors"),
    ("epochs: 1\noptimizer: *nowhere", "line 2"),
    (String(repeating: "[", count: 200_000), "line 1"),
    ("a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: &d [*c,*c]", "line 1: anchors"),
    (String(repeating: "# comment\n", count: 110_000), "it is larger than"),
  ])
  func aBrokenYAMLFileNamesThePlace(text: String, place: String) throws {
    let error = #expect(throws: FileFailure.self) { try settings(text) }
    #expect(error?.kind == .badData)
    #expect(error?.reason.hasPrefix(place) == true, "\(error?.reason ?? "")")
  }

  @Test func aYAMLFileMustBeText() throws {
    try withFile(Data([0x61, 0x3A, 0xFF, 0xFE])) { path in
      let error = #expect(throws: FileFailure.self) {
        try YAMLFile.read(Settings.self, path: path, expecting: "")
      }
      #expect(error?.kind == .badData)
    }
  }
}
