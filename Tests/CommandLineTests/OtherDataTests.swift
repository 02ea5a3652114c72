import Foundation
import Testing

/// What a run and its weights know of their data.
@Suite struct OtherDataTests {
  private static let options = Workplace.tiny + ["--threads", "1", "--resolution", "8"]

  private func train(_ place: Workplace, on data: String, into output: String, epochs: Int = 1) throws -> Outcome {
    try place.run(["train"] + Self.options + ["--dataset", data, "--output", output, "--epochs", "\(epochs)"])
  }

  private func evaluate(_ place: Workplace, _ weights: String, on data: String, _ more: String...) throws -> Outcome {
    try place.run(
      ["evaluate", "--weights", "\(weights)/model.safetensors", "--dataset", data, "--threads", "1"] + more)
  }

  private func move(_ place: Workplace, _ from: String, _ to: String) throws {
    let folder = (place.file(to) as NSString).deletingLastPathComponent
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try FileManager.default.moveItem(atPath: place.file(from), toPath: place.file(to))
  }

  private func copy(_ place: Workplace, _ from: String, _ to: String) throws {
    let folder = (place.file(to) as NSString).deletingLastPathComponent
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: place.file(from), toPath: place.file(to))
  }

  @Test("Other data of the same name do not give an old result; moved and copied ones do")
  func identity() throws {
    let place = try Workplace()
    try place.writePictures(to: "a/pets")
    try train(place, on: "a/pets", into: "run").expect(0)
    let weights = try place.bytes("run/model.safetensors")
    // The same elsewhere.
    try copy(place, "a/pets", "b/pets")
    try train(place, on: "b/pets", into: "run").expect(0)
    #expect(try place.bytes("run/model.safetensors") == weights)
    // Labels exchanged; a class renamed; an image replaced.
    let changes: [(String, () throws -> Void)] = [
      (
        "c",
        {
          for split in ["train", "val"] {
            try move(place, "c/pets/\(split)/cat", "c/pets/\(split)/x")
            try move(place, "c/pets/\(split)/dog", "c/pets/\(split)/cat")
            try move(place, "c/pets/\(split)/x", "c/pets/\(split)/dog")
          }
        }
      ),
      ("d", { for split in ["train", "val"] { try move(place, "d/pets/\(split)/cat", "d/pets/\(split)/zebra") } }),
      ("e", { try place.write(place.bytes("a/pets/train/dog/1.png"), to: "e/pets/train/cat/0.png") }),
      ("f", { try FileManager.default.removeItem(atPath: place.file("f/pets/val/cat/0.png")) }),
    ]
    for (name, change) in changes {
      try copy(place, "a/pets", "\(name)/pets")
      try change()
      try train(place, on: "\(name)/pets", into: "run").expect(64, "holds another run", "other data")
    }
    #expect(try place.bytes("run/model.safetensors") == weights)
  }

  @Test("Weights bring their normalization and their classes with them, whatever the folder is called")
  func context() throws {
    let place = try Workplace()
    // Bytes of the MNIST family under two names: neither says how they are normalized.
    try copy(place, "data", "fashion-mnist")
    try train(place, on: "data", into: "r", epochs: 2).expect(0)
    let results = try ["data", "fashion-mnist"].map { try evaluate(place, "r", on: "./\($0)", "--json").json() }
    for key in ["top1", "loss"] { #expect(results[0][key] as? Double == results[1][key] as? Double, "\(key)") }
    // In other batches sums round otherwise.
    let loss = try #require(results[0]["loss"] as? Double)
    let trained = try #require(place.json("r/result.json")["loss"] as? Double)
    #expect(abs(loss - trained) < 1e-4 * trained)

    try place.writePictures(to: "pets")
    try train(place, on: "pets", into: "p", epochs: 2).expect(0)
    let own = try evaluate(place, "p", on: "pets", "--json").json()
    // Renamed so that they sort the other way.
    try copy(place, "pets", "renamed")
    for split in ["train", "val"] {
      try move(place, "renamed/\(split)/cat", "renamed/\(split)/2-cat")
      try move(place, "renamed/\(split)/dog", "renamed/\(split)/1-dog")
    }
    try evaluate(place, "p", on: "renamed").expect(64, "cat, dog", "1-dog, 2-cat", "--ignore-class-names")
    try evaluate(place, "p", on: "renamed", "--ignore-class-names").expect(0)
    // The same names as samples of numbered classes: nobody knows better.
    #expect(own["images"] as? Int == 8)
  }

  @Test("A training that diverged is an error, and so are its weights")
  func divergence() throws {
    let place = try Workplace()
    try place.run(
      ["train"] + Self.options + ["--dataset", "data", "--output", "out", "--epochs", "1", "--learning-rate", "1e20"]
    ).expect(65, "learning-rate")
    #expect(!place.has("out/result.json"))
  }
}
