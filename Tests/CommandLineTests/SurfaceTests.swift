import Foundation
import Testing

/// Mistyped words, files in the way, and what a configuration may say.
@Suite struct SurfaceTests {
  @Test(
    "A flag that a command does not have is named with the nearest, before its value is taken for something else",
    arguments: [
      ("experiment matthew-4 --epoch 3 --output x", "'--epoch'. Did you mean '--epochs'?"),
      ("experiment matthew-4 --lr 0.1 --output x", "'--lr'. Here --lr is called --learning-rate."),
      ("experiment matthew-1 --jobs 2 --output x", "'--jobs'"),
      ("report d --outptu x.html", "Did you mean '--output'?"), ("diagnose d --moed=product", "Did you mean '--mode'?"),
      ("latency mesure --network resnet20 --output x", "did you mean measure?"),
      ("data downlod mnist", "did you mean download?"), ("train --widht 0.5", "Did you mean '--width'?"),
    ])
  func mistyped(words: String, said: String) throws {
    let place = try Workplace()
    try place.run(words.split(separator: " ").map(String.init)).expect(64, said)
  }

  @Test("Numbers that no experiment has are refused")
  func numbers() throws {
    let place = try Workplace()
    for words in [["--seeds", "\(Int.max)"], ["--epochs", "\(Int.max)"], ["--seeds", "0"]] {
      try place.run(["experiment", "matthew-2-gcn", "--output", "x"] + words).expect(64, words[0])
    }
    #expect(!place.has("x"))
  }

  @Test("Widths are written over nothing unless that is asked for")
  func existingFiles() throws {
    let place = try Workplace()
    try place.write("precious", to: "keep.safetensors")
    let words = ["streamline", "--network", "vgg16_cifar", "--classes", "4", "--ds", "1-7", "--is", "8-13"]
    try place.run(words + ["--output", "keep.safetensors"]).expect(73, "keep.safetensors", "--overwrite")
    #expect(try place.text("keep.safetensors") == "precious")
    try place.run(words + ["--output", "w.json"]).expect(0)
    try place.run(words + ["--output", "w.json", "--overwrite"]).expect(0)
    try place.run(words + ["--output", "none/w.json"]).expect(73, "none/w.json")
    let carried = ["extrapolate", "--network", "vgg16_cifar", "--classes", "4", "--widths", "w.json"]
    let before = try place.text("w.json")
    try place.run(carried + ["--output", "w.json"]).expect(73, "w.json")
    #expect(try place.text("w.json") == before)
  }

  @Test("A configuration beside a figure may have the flags of the comparison that the figure is")
  func figures() throws {
    let place = try Workplace()
    try place.write("learning-rate: -1\n", to: "c.yaml")
    for words in [["figure-4a", "--config", "c.yaml"], ["--config=c.yaml", "figure-4a"]] {
      try place.run(["experiment"] + words + ["--dataset", "data", "--output", "x"]).expect(64, "learning-rate")
    }
    try place.write("scale: smoke\ndataset: nowhere\n", to: "c.yaml")
    try place.run("experiment", "figure-4a", "--config", "c.yaml", "--output", "x").expect(66, "nowhere")
    let shown = try place.run("experiment", "show", "figure-4a", "--json")
    shown.expect(0)
    let document = try #require(
      try JSONSerialization.jsonObject(with: Data(shown.output.utf8)) as? [String: Any])
    #expect(document["network"] is String && document["epochs"] is Int)
  }
}
