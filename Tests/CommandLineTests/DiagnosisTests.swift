import Foundation
import Testing

/// `diagnose`, `streamline` and `merge` from the outside.
@Suite struct DiagnosisTests {
  /// A command that is to succeed, and words that it prints.
  private func succeed(_ place: Workplace, _ words: [String], _ printed: String...) throws {
    let run = try place.run(words)
    run.expect(0)
    for word in printed { #expect(run.output.contains(word), "\(word) in \(run.output)") }
  }

  @Test("A training that is followed is diagnosed, streamlined, trained at the new widths and merged")
  func wholeWay() throws {
    let place = try Workplace()
    let training = ["train"] + Workplace.tiny + Workplace.data
    try place.run(training + ["--epochs", "2", "--track", "weight-norms", "--output", "run", "--quiet"]).expect(0)
    try succeed(place, ["diagnose", "run"], "layer3.2.conv1", "undecided", "The series is short: 3 samples")
    #expect(place.has("run/diagnosis.html") && place.has("run/weight-norms/epoch-2.safetensors"))
    let document = try place.json("run/diagnosis.json")
    #expect((document["groups"] as? [Any])?.count == 12 && (document["layers"] as? [Any])?.isEmpty == false)
    // Nothing is guessed: what is undecided keeps its width, and what is said by hand is taken.
    try succeed(
      place, ["streamline", "run", "--ds", "1,2", "--is", "14-19", "--divisor", "2", "--output", "widths.json"],
      "of the network's")
    let widths = try #require(try place.json("widths.json")["widths"] as? [String: Int])
    #expect(widths["layer2.0.conv2"] == 8)
    #expect(try #require(widths["conv1"]) >= 4 && #require(widths["layer3.0.conv2"]) < 16)
    try place.run(
      training + [
        "--epochs", "1", "--widths", "widths.json", "--track", "weight-norms", "--output", "narrow", "--quiet",
      ]
    ).expect(0)
    // Streamlined again: relative to the training, not to the network that the widths are used with.
    try place.run(["streamline", "narrow", "--ds", "1-3", "--is", "17-19", "--divisor", "2", "--output", "again.json"])
      .expect(0)
    try succeed(
      place,
      [
        "inspect", "--network", "resnet20", "--width", "0.25", "--divisor", "2", "--classes", "4", "--widths",
        "again.json",
      ], "layer2.0.conv2")
    try succeed(
      place,
      [
        "merge", "run", "--dataset", "data", "--threshold", "0.9", "--scope", "all", "--threads", "1", "--output",
        "merged",
      ], "channels are left", "top-1")
    let merged = try place.json("merged/merge.json")
    let after = try #require((merged["after"] as? [String: Any])?["top1"] as? Double)
    let evaluated = try place.run(
      ["evaluate", "--weights", "merged/model.safetensors", "--dataset", "data", "--threads", "1", "--json"])
    evaluated.expect(0)
    let result = try #require(
      try JSONSerialization.jsonObject(with: Data(evaluated.output.utf8)) as? [String: Any])
    #expect(result["top1"] as? Double == after)
  }

  @Test("A comparison trains widths that are there already beside the network's own")
  func compares() throws {
    let place = try Workplace()
    try place.run(
      [
        "streamline", "--network", "resnet20", "--width", "0.25", "--divisor", "2", "--classes", "4", "--ds", "1-7",
        "--is", "14-19",
      ]
        + ["--output", "streamlined.json"]
    ).expect(0)
    try succeed(
      place,
      ["compare"] + Workplace.tiny + Workplace.data
        + ["--widths", "streamlined.json", "--epochs", "1", "--seeds", "1", "--output", "both", "--quiet"],
      "uniform, control: top-1", "streamlined, control: top-1")
    #expect(place.has("both/control/streamlined/seed-0/model.safetensors") && place.has("both/report.html"))
  }

  @Test("The rows of the specification by the command line")
  func streamlines() throws {
    let place = try Workplace()
    let words = ["streamline", "--network", "vgg16_cifar", "--classes", "10", "--ds", "1-7", "--is", "8-13", "--json"]
    let run = try place.run(words)
    run.expect(0)
    let file = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    let widths = try #require(file["widths"] as? [String: Int])
    #expect(widths.values.sorted() == [72, 72, 144, 144, 296, 296, 304] + Array(repeating: 352, count: 6))
    #expect(file["algorithm"] as? String == "streamline")
    try succeed(place, words + ["--control", "uniform"], "\"uniform\"")
    try succeed(place, words + ["--control", "inverse"], "streamline-inverse")
    // The uniform control has what streamlining reached, where that is not what it aims at.
    func parameters(_ more: [String]) throws -> Int {
      let few = ["streamline", "--network", "vgg16_cifar", "--classes", "10", "--ds", "1-3", "--is", "4-5", "--json"]
      let found = try place.run(few + more)
      found.expect(0)
      let file = try #require(try JSONSerialization.jsonObject(with: Data(found.output.utf8)) as? [String: Any])
      return try #require(file["parameters"] as? Int)
    }
    let (own, uniform) = (try parameters([]), try parameters(["--control", "uniform"]))
    #expect(abs(Double(uniform) / Double(own) - 1) < 0.03, "\(uniform) for \(own)")
    // Other aims, and nothing to do.
    try place.run(words + ["--aim", "macs", "--parameters", "0.5x"]).expect(64, "--parameters")
    try place.run(words + ["--strength"]).expect(64, "--strength")
    let narrow = ["streamline", "--network", "vgg16_cifar", "--classes", "10", "--json", "--divisor", "48"]
    for (more, said) in [
      (["--is", "8-13", "--aim", "macs"], "nothing to give parameters to"), (["--ds", "1-4"], "all widths stay"),
    ] {
      let kept = try place.run(narrow + more)
      kept.expect(0, said)
      let file = try #require(try JSONSerialization.jsonObject(with: Data(kept.output.utf8)) as? [String: Any])
      #expect((file["widths"] as? [String: Int])?.values.sorted().prefix(3) == [64, 64, 128])
    }
    let alike = ["streamline", "--network", "vgg16_cifar", "--classes", "10", "--is", "8-13", "--control", "random"]
    try place.run(alike).expect(0, "the random control is the streamlined network itself")
  }

  @Test("What cannot be diagnosed is said with what to do")
  func mistakes() throws {
    let place = try Workplace()
    try place.run(Workplace.training + ["--output", "plain", "--quiet"]).expect(0)
    try place.run(["diagnose", "plain"]).expect(66, "--track weight-norms")
    try place.run(["diagnose", "nowhere"]).expect(66, "no such folder")
    try place.run(["diagnose"]).expect(64, "Name run folders")
    try place.run(["diagnose", "--weights", "a.safetensors"]).expect(64, "--network")
    try place.run(["streamline", "--ds", "1"]).expect(64, "--network")
    try place.run(["streamline", "--network", "resnet20", "--ds", "25"]).expect(64, "layers 1 to 19")
    try place.run(["streamline", "--network", "resnet20", "--ds", "1", "--is", "3"]).expect(64, "both as DS and as IS")
    try place.run(["streamline", "--network", "resnet20", "--ds", "layer9"]).expect(64, "nearest")
    try place.run(["merge", "plain", "--threshold", "1.5", "--output", "out"]).expect(64, "--threshold")
    try place.run(["merge", "nothing.safetensors", "--output", "out"]).expect(66)
    let weights = try place.bytes("plain/model.safetensors")
    try place.run(["merge", "plain", "--threshold", "0.9", "--output", "plain"]).expect(64, "another --output")
    #expect(try place.bytes("plain/model.safetensors") == weights)
    try place.run(Workplace.training + ["--track", "sign-changes", "--output", "plain"]).expect(64, "sign changes")
    try place.run(Workplace.training + ["--track", "weights", "--output", "out"]).expect(64, "weight-norms")
    // Followed too late.
    try place.run(Workplace.training + ["--track", "weight-norms", "--output", "plain"]).expect(64, "--overwrite")
    try place.run(
      Workplace.training + ["--track", "weight-norms", "--output", "plain", "--overwrite", "--quiet"]
    ).expect(0)
    try place.write("{\"epoch\":1}\n{}\n", to: "plain/weight-norms/series.jsonl")
    try place.run(["diagnose", "plain"]).expect(65, "line 1")
  }
}
