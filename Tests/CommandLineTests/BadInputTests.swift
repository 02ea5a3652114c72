import Foundation
import Testing

@Suite struct BadInputTests {
  private func widths(of place: Workplace) throws -> [String: Int] {
    let inspected = try place.run(
      "inspect", "resnet20", "--width", "0.25", "--divisor", "2", "--classes", "4", "--input-channels", "1",
      "--resolution", "8", "--json")
    let groups = try #require(try inspected.json()["widthGroups"] as? [[String: Any]])
    return Dictionary(
      groups.compactMap { group in
        (group["id"] as? String).flatMap { id in (group["width"] as? Int).map { (id, $0) } }
      }, uniquingKeysWith: { first, _ in first })
  }

  private func write(_ network: String, _ widths: [String: Int], to name: String, in place: Workplace) throws {
    try place.write(
      try JSONSerialization.data(withJSONObject: ["network": network, "widths": widths]), to: name)
  }

  @Test("Data that are missing or damaged are named")
  func data() throws {
    let place = try Workplace()
    func train(on data: String) throws -> Outcome {
      try place.run("train", "--network", "resnet20", "--dataset", data, "--output", "out")
    }
    try train(on: "nowhere").expect(66, "nowhere", "fashion-mnist")
    try train(on: "data/train-labels-idx1-ubyte").expect(65, "is a file")
    let images = try place.bytes("data/train-images-idx3-ubyte")
    try place.write(images.prefix(500), to: "data/train-images-idx3-ubyte")
    try train(on: "data").expect(65, "data/train-images-idx3-ubyte", "4096 bytes are declared")
    try FileManager.default.removeItem(atPath: place.file("data/t10k-labels-idx1-ubyte"))
    try train(on: "data").expect(66, "t10k-labels-idx1-ubyte")
    try FileManager.default.createDirectory(atPath: place.file("empty"), withIntermediateDirectories: true)
    try train(on: "empty").expect(65, "not a data set", "Found: nothing")
    #expect(!place.has("out"))
  }

  @Test("A network's document refuses what it does not know, with the nearest that it does")
  func unknownKeys() throws {
    let place = try Workplace()
    func network(_ convolution: String = "", layer: String = "", top: String = "") -> String {
      """
      {"name": "n", "input": {"channels": 1, "height": 28, "width": 28}\(top), "layers": [
       {"name": "c", "inputs": ["input"]\(layer), "operation":
         {"kind": "convolution", "outputChannels": 8, "kernelSize": 3, "padding": 1\(convolution)}},
       {"name": "bn", "inputs": ["c"], "operation": {"kind": "batchNorm"}},
       {"name": "p", "inputs": ["bn"], "operation": {"kind": "globalAveragePool"}},
       {"name": "f", "inputs": ["p"], "operation": {"kind": "flatten"}},
       {"name": "fc", "inputs": ["f"], "operation": {"kind": "linear", "outputFeatures": 10}}]}
      """
    }
    func inspect(_ text: String) throws -> Outcome {
      try place.write(text, to: "n.json")
      return try place.run("inspect", "n.json")
    }
    try inspect(network()).expect(0)
    try inspect(network(#", "groups": 8"#)).expect(65, "n.json", "layer c", "'groups'", "nearest is grouping")
    try inspect(network(#", "strides": 2"#)).expect(65, "'strides'", "nearest is stride")
    try inspect(network(#", "bias": true"#)).expect(65, "'bias' is not part of the operation convolution", "hasBias")
    try inspect(network(layer: #", "input": ["input"]"#)).expect(65, "'input' is not part of a layer")
    try inspect(network(top: #", "stage": []"#)).expect(65, "'stage' is not part of a network", "stages")
    try inspect(network(top: #", "stages": [{"name": "a", "block": []}]"#)).expect(65, "'block' is not part of a stage")
    try inspect(network().replacing("\"width\"", with: "\"w\": 1, \"width\"")).expect(65, "'w' is not part of a shape")
    try inspect(network().replacing(": 8,", with: ": 8.5,")).expect(65, "whole number", "outputChannels is 8.5")
    try inspect(network().replacing(#""kind": "flatten""#, with: #""kind" "flatten""#)).expect(65, "line 6, column")
    try inspect(String(network().prefix(100))).expect(65, "end of file")
    try inspect(network().replacing("batchNorm", with: "BatchNorm2d")).expect(65, "nearest is batchNorm", "convolution")
  }

  @Test("Widths of another depth or width of a network are refused where the file can tell")
  func widthsOfAnother() throws {
    let place = try Workplace()
    try place.run(
      [
        "search", "--network", "resnet20", "--depth", "0.34", "--width", "0.5", "--divisor", "2", "--algorithm",
        "random",
        "--search-epochs", "1", "--batch-size", "16", "--output", "s",
      ] + Workplace.data
    ).expect(0)
    let inspect = ["inspect", "resnet20", "--divisor", "2", "--widths", "s/widths.json"]
    try place.run(inspect + ["--depth", "0.34", "--width", "0.5"]).expect(0)
    try place.run(inspect).expect(65, "s/widths.json", "another depth", "--width", "--depth")
    try place.run(inspect + ["--depth", "0.34"]).expect(65, "another resnet20", "of its own")
    try place.write(place.text("s/widths.json").replacing("\"algorithm\"", with: "\"algorithms\""), to: "w.json")
    try place.run("inspect", "resnet20", "--widths", "w.json").expect(65, "'algorithms'", "nearest is algorithm")
  }

  @Test("Widths that do not fit are named; a hand-written file that does fit is enough")
  func widths() throws {
    let place = try Workplace()
    let good = try widths(of: place)
    let first = try #require(good.keys.sorted().first)
    try write("resnet20", good, to: "good.json", in: place)
    try write("resnet18", good, to: "other.json", in: place)
    try write("resnet20", good.merging([first: 0]) { $1 }, to: "zero.json", in: place)
    try write("resnet20", good.merging(["nothing": 4]) { $1 }, to: "unknown.json", in: place)
    try place.write("{\"network\": \"resnet20\", \"widths\": {\"conv1\": \"wide\"}}", to: "word.json")
    try place.write("{\"network\": \"resnet20\"", to: "cut.json")
    let tiny = Workplace.training + ["--output", "out", "--widths"]
    try place.run(tiny + ["other.json"]).expect(65, "other.json", "resnet18", "resnet20")
    try place.run(tiny + ["zero.json"]).expect(65, "zero.json", first, "0 channels")
    try place.run(tiny + ["unknown.json"]).expect(65, "unknown.json", "nothing", "nearest")
    try place.run(tiny + ["word.json"]).expect(65, "word.json", "widths.conv1")
    try place.run(tiny + ["cut.json"]).expect(65, "cut.json", "at least")
    try place.run(tiny + ["nowhere.json"]).expect(66, "nowhere.json")
    #expect(!place.has("out"))
    try place.run(tiny + ["good.json"]).expect(0)
    try place.run("inspect", "resnet20", "--widths", "good.json", "--json").expect(0)
  }

  @Test("Weights that do not fit are named")
  func weights() throws {
    let place = try Workplace()
    try place.run(Workplace.training + ["--output", "out", "--json"]).expect(0)
    let before = try place.contents(of: "out")
    func evaluate(_ weights: String, _ more: String...) throws -> Outcome {
      try place.run(["evaluate", "--weights", weights] + Workplace.data + more)
    }
    // In batches of training's size, as some processors' kernels round in the order of a batch's images.
    let whole = try evaluate("out/model.safetensors", "--batch-size", "16", "--json")
    whole.expect(0)
    let trained = try place.json("out/result.json")
    #expect(try whole.json()["top1"] as? Double == trained["top1"] as? Double)
    #expect(try whole.json()["loss"] as? Double == trained["loss"] as? Double)
    let bytes = try place.bytes("out/model.safetensors")
    try place.write(bytes.prefix(5000), to: "cut.safetensors")
    try place.write("these are no weights, whatever their name says", to: "text.safetensors")
    try place.write("", to: "empty.safetensors")
    try evaluate("cut.safetensors").expect(65, "cut.safetensors", "not a valid safetensors file")
    try evaluate("text.safetensors").expect(65, "text.safetensors")
    try evaluate("empty.safetensors").expect(65, "empty.safetensors")
    try evaluate("data").expect(65, "not a file but a folder")
    try evaluate("nowhere.safetensors").expect(66, "nowhere.safetensors")
    try evaluate("out/model.safetensors", "--network", "resnet20")
      .expect(65, "conv1.weight", "[4, 1, 3, 3]", "[16, 1, 3, 3]", "--widths")
    try evaluate("out/model.safetensors", "--batch-size", "0").expect(64, "--batch-size")
    #expect(try place.contents(of: "out") == before)
  }

  @Test("An output folder that cannot be made is named")
  func output() throws {
    let place = try Workplace()
    try place.write("x", to: "file")
    func train(into output: String) throws -> Outcome { try place.run(Workplace.training + ["--output", output]) }
    try train(into: "file").expect(73, "file is a file", "choose")
    try train(into: "file/inside/it").expect(73, "file is a file")
    try train(into: "").expect(73, "no name")
    guard FileManager.default.fileExists(atPath: "/proc/self") else { return }
    try train(into: "/proc/nothing").expect(73, "/proc/nothing", "choose")
  }

  @Test("Folders that hold no run have no report")
  func report() throws {
    let place = try Workplace()
    try place.run("report", "nowhere").expect(66, "nowhere", "no such folder")
    try place.run("report", "data").expect(65, "data", "no run folder")
    #expect(try place.contents(of: "data").count == 4)
  }
}
