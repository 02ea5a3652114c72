import Foundation
import Testing

/// Networks that leave for other programs; scripts/check-onnx runs them there.
@Suite struct ExportTests {
  @Test("A trained network is written as ONNX, safetensors and PyTorch, and nothing is replaced unasked")
  func forms() throws {
    let place = try Workplace()
    try place.run(Workplace.training + ["--output", "out", "--quiet"]).expect(0)
    let words = ["export", "--weights", "out/model.safetensors"]
    for file in ["a.onnx", "a.safetensors", "b.py"] {
      try place.run(words + ["--output", file]).expect(0)
    }
    #expect(place.has("b.safetensors"))
    try place.run(words + ["--output", "folded.onnx", "--batch-norm", "fold"]).expect(0)
    #expect(try place.bytes("folded.onnx").count < place.bytes("a.onnx").count)
    #expect(try place.text("b.py").contains("nn.Conv2d(1, 4, 3, padding=1, bias=False)"))
    // What comes back is the network with its classes.
    let own = ["evaluate", "--json"] + Workplace.data + ["--weights"]
    func top1(_ file: String) throws -> [Double?] {
      let result = try place.run(own + [file])
      result.expect(0)
      return try [result.json()["top1"] as? Double, result.json()["loss"] as? Double]
    }
    #expect(try top1("a.safetensors") == top1("out/model.safetensors"))
    #expect(try place.bytes("a.safetensors") == place.bytes("b.safetensors"))
    try place.run(words + ["--output", "a.onnx"]).expect(73, "a.onnx", "--overwrite")
    try place.run(words + ["--output", "b.py", "--overwrite"]).expect(0)
    try place.run(words + ["--output", "plain", "--format", "onnx"]).expect(0)
    #expect(try place.bytes("plain") == place.bytes("a.onnx"))
  }

  @Test("What cannot be written is refused before anything is")
  func refusals() throws {
    let place = try Workplace()
    try place.run(Workplace.training + ["--output", "out", "--quiet"]).expect(0)
    let words = ["export", "--weights", "out/model.safetensors"]
    try place.run(words + ["--output", "network.txt"]).expect(64, "--format onnx, safetensors or pytorch")
    try place.run(words + ["--output", "a.safetensors", "--batch-norm", "fold"]).expect(64, "--format onnx")
    try place.run(words + ["--output", "a.onnx", "--format", "pytorch"]).expect(64, ".py")
    try place.run("export", "--weights", "none.safetensors", "--output", "a.onnx").expect(66, "none.safetensors")
    try place.run(words + ["--structure", "none.yaml", "--output", "a.onnx"]).expect(
      64, "structure", "how an .onnx is read")
    try place.run("inspect", "resnet18", "--graph-output", "scores").expect(64, "graph-output", "resnet18")
    try place.run(words + ["--network", "resnet18", "--output", "a.onnx"]).expect(65, "network expects")
    try place.write(place.bytes("out/model.safetensors").dropLast(40), to: "cut.safetensors")
    try place.run("export", "--weights", "cut.safetensors", "--output", "a.onnx").expect(65, "cut.safetensors")
    try place.run(words + ["--output", "nowhere/a.onnx"]).expect(73, "nowhere")
    #expect(!place.has("a.onnx") && !place.has("a.safetensors"))
  }

  @Test("A network that was exported comes in again, and is searched and trained as the zoo's")
  func importing() throws {
    let place = try Workplace()
    try place.run(Workplace.training + ["--output", "out", "--quiet"]).expect(0)
    try place.run("export", "--weights", "out/model.safetensors", "--output", "mine.onnx", "--quiet").expect(0)
    func summary(_ words: [String]) throws -> [String: Any] {
      let result = try place.run(["inspect", "--json"] + words)
      result.expect(0)
      return try result.json()
    }
    let (own, zoo) = (
      try summary(["mine.onnx"]),
      try summary([
        "resnet20", "--width", "0.25", "--divisor", "2", "--classes", "4", "--input-channels", "1", "--resolution", "8",
      ])
    )
    for key in ["macs", "parameters", "activations"] { #expect(own[key] as? Int == zoo[key] as? Int, "\(key)") }
    #expect((own["stages"] as? [Any])?.count == 3)
    let words =
      ["--network", "mine.onnx", "--divisor", "2", "--batch-size", "16"] + Workplace.data + [
        "--epochs", "1", "--quiet",
      ]
    try place.run(
      ["run"] + words + ["--search-epochs", "1", "--project", "width=0.5,depth=0.34", "--output", "run"]
    ).expect(0)
    #expect(try place.json("run/widths.json")["network"] as? String == "mine")
    // The same layers, weights and data: the same bits.
    try place.run(["train"] + words + ["--output", "again"]).expect(0)
    let top1 = try [place.json("again/result.json"), place.json("out/result.json")].map { $0["loss"] as? Double }
    #expect(top1[0] == top1[1])
    try place.run(["evaluate", "--network", "mine.onnx", "--weights", "out/model.safetensors"] + Workplace.data).expect(
      0)
    // Its own weights, which name the network: the same numbers, folded normalizations too.
    func loss(_ file: String) throws -> Double {
      let result = try place.run(["evaluate", "--json", "--weights", file] + Workplace.data)
      result.expect(0)
      return try #require(try result.json()["loss"] as? Double)
    }
    #expect(try loss("mine.onnx") == loss("out/model.safetensors"))
    try place.run(
      "export", "--weights", "mine.onnx", "--output", "folded.onnx", "--batch-norm", "fold", "--quiet"
    ).expect(0)
    #expect(try abs(loss("folded.onnx") - loss("mine.onnx")) < 1e-5)
    try place.run("export", "--network", "mine.onnx", "--output", "fresh.safetensors", "--quiet").expect(0)
    try place.run("export", "--output", "fresh.onnx").expect(64, "--weights")
    // What somebody states of the structure, beside the file.
    try place.write(Data("stages:\n- name: first\n  blocks: [layer1.0, layer1.1]\n".utf8), to: "mine.structure.yaml")
    #expect((try summary(["mine.onnx"])["stages"] as? [[String: Any]])?.map { $0["name"] as? String } == ["first"])
    try place.write(Data("stages:\n- name: first\n  blocks: [layer1.7]\n".utf8), to: "mine.structure.yaml")
    try place.run("inspect", "mine.onnx").expect(65, "mine.structure.yaml", "layer1.7")
    try place.run("inspect", "mine.onnx", "--graph-output", "other").expect(65, "no output other", "output")
    try place.write(place.bytes("mine.onnx").dropLast(100), to: "cut.onnx")
    try place.run("inspect", "cut.onnx").expect(65, "cut.onnx", "cut off")
    try place.run("inspect", "none.onnx").expect(66, "none.onnx")
  }
}
