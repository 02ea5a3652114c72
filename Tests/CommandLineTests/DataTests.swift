import Foundation
import Testing

@Suite struct DataTests {
  @Test("data verify finds sound data sound, and says what is wrong with exit code 65")
  func verify() throws {
    let place = try Workplace()
    try place.run("data", "verify", "data").expect(0)
    let sound = try place.run("data", "verify", "data", "--json", "--threads", "2")
    sound.expect(0)
    #expect(try (sound.json()["faults"] as? [Any])?.isEmpty == true && sound.json()["classes"] as? Int == 4)
    // A folder of class folders with a file that is no image.
    for name in ["a", "b"] {
      try FileManager.default.createDirectory(
        atPath: place.file("photos/\(name)"), withIntermediateDirectories: true)
      for index in 0..<3 { try place.write("no image", to: "photos/\(name)/\(index).jpg") }
    }
    let broken = try place.run("data", "verify", "photos")
    // The list is the result, so it is on standard output whatever the exit code.
    #expect(broken.code == 65)
    #expect(broken.output.contains("6 of 6 images cannot be used") && broken.output.contains("photos/a/0.jpg"))
    try place.run("data", "verify", "nowhere").expect(66)
    try place.run("data", "verify", "data", "--threads", "0").expect(64, "--threads 0")
  }

  private static let training = ["train"] + Workplace.tiny + ["--threads", "1", "--epochs", "2", "--seed", "4"]

  @Test("data pack writes a file that trains the same weights as the folder and the archive of the same images")
  func sameWeights() throws {
    let place = try Workplace()
    try place.writePictures(to: "pets")
    let packed = try place.run("data", "pack", "pets", "--output", "pets.wtpack", "--json")
    packed.expect(0)
    let report = try packed.json()
    #expect(report["training"] as? Int == 32 && report["heldOut"] as? Int == 8 && report["classes"] as? Int == 2)
    // Members in another order than that of the folder's files.
    try place.shell("cd pets && find . -name '*.png' | sort -r | tar cf ../archive.tar -T -").expect(0)
    var weights: [Data] = []
    for (index, data) in ["pets", "pets.wtpack", "archive.tar"].enumerated() {
      try place.run(Self.training + ["--dataset", data, "--output", "run\(index)"]).expect(0)
      // What follows the header, which names the data set.
      let file = try place.bytes("run\(index)/model.safetensors")
      let header = file.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
      weights.append(file.dropFirst(8 + header))
    }
    #expect(weights[0] == weights[1] && weights[0] == weights[2] && weights[0].count > 10_000)
    try place.run("data", "verify", "pets.wtpack").expect(0)
  }

  @Test("data pack replaces nothing unasked, leaves nothing behind, and names what is wrong")
  func pack() throws {
    let place = try Workplace()
    let pictures = try place.writePictures(to: "pets", side: 20)
    try place.write("something", to: "there")
    try place.run("data", "pack", "pets", "--output", "there").expect(73, "exists already", "--overwrite")
    #expect(try place.text("there") == "something")
    try place.run("data", "pack", "pets", "--output", "there", "--overwrite", "--encoding", "raw", "--max-side", "10")
      .expect(0)
    let shown = try place.run("data", "verify", "there", "--json").json()
    #expect((shown["format"] as? String) == "packed from class folders of images")
    try place.write("encoding: jpeg\nquality: 70", to: "pack.yaml")
    try place.run("data", "pack", "pets", "--config", "pack.yaml", "--output", "configured").expect(0)
    #expect(try place.bytes("configured").range(of: Data([0xFF, 0xD8, 0xFF])) != nil)
    try place.write("encodin: jpeg", to: "pack.yaml")
    try place.run("data", "pack", "pets", "--config", "pack.yaml", "--output", "y").expect(65, "encodin", "encoding")
    try place.run("data", "pack", "pets", "--output", "x", "--quality", "101").expect(64, "--quality 101")
    try place.run("data", "pack", "pets", "--output", "x", "--encoding", "webp").expect(64, "webp")
    try place.run("data", "pack", "pets", "--output", "").expect(64, "--output")
    // Without standard streams nothing is written into the files that take their numbers.
    try place.shell("\"$WT\" data pack pets --output p <&- 2>&- && \"$WT\" data verify p >&- 2>&-").expect(0)
    try place.run("data", "verify", "p").expect(0)
    try place.shell("mkfifo pipe; timeout 20 \"$WT\" data verify pipe").expect(65, "pipe", "not a regular file")
    try place.write("no image", to: pictures[3])
    try place.run("data", "pack", "pets", "--output", "x").expect(65, "3.png")
    #expect(!place.has("x"))
    let skipping = try place.run("data", "pack", "pets", "--output", "x", "--on-bad-image", "skip", "--json")
    skipping.expect(0, "3.png", "1 image(s) were skipped")
    #expect(try (skipping.json()["skipped"] as? [Any])?.count == 1)
    var bytes = try place.bytes("x")
    bytes[bytes.count / 2] ^= 1
    try place.write(bytes, to: "x")
    #expect(try place.run("data", "verify", "x").code == 65)
    try place.write(bytes.prefix(1000), to: "x")
    try place.run("data", "verify", "x").expect(65, "bytes")
  }

  @Test("--on-bad-image says whether a training ends or goes on, and the report tells what was left out")
  func badImages() throws {
    let place = try Workplace()
    let pictures = try place.writePictures(to: "pets")
    try place.write("no image", to: pictures[3])
    try place.write(try place.bytes(pictures[5]).prefix(60), to: pictures[5])
    let command = Self.training + ["--dataset", "pets"]
    try place.run(command + ["--output", "a"]).expect(65, "3.png", "JPEG and PNG are read")
    let skipping = try place.run(command + ["--output", "b", "--on-bad-image", "skip", "--json"])
    skipping.expect(0, "3.png", "5.png", "2 image(s) were skipped", "data verify")
    // Once for each kind, not in every epoch.
    #expect(skipping.errors.components(separatedBy: "Skipped; further").count == 3)
    try place.run("report", "b").expect(0)
    #expect(try place.text("b/report.html").contains("2 image(s) were skipped"))
    try place.run(command + ["--output", "c", "--on-bad-image", "ignore"]).expect(64, "ignore")
  }

  @Test("the limits of images and archives are flags")
  func limits() throws {
    let place = try Workplace()
    try place.writePictures(to: "pets", side: 20)
    #expect(try place.run("data", "verify", "pets", "--max-image-pixels", "399").code == 65)
    try place.run("data", "verify", "pets", "--max-image-pixels", "400").expect(0)
    try place.run("data", "verify", "pets", "--max-image-pixels", "0").expect(64, "--max-image-pixels 0")
    try place.run("data", "verify", "pets", "--max-archive-expansion", "0.5").expect(64, "--max-archive-expansion")
    // A hundred megabytes of nothing in a hundred kilobytes.
    try place.shell("mkdir -p bomb/a && head -c 100000000 /dev/zero > bomb/a/1.png && tar czf bomb.tar.gz -C bomb a")
      .expect(0)
    try place.run("data", "verify", "bomb.tar.gz").expect(
      65, "bomb.tar.gz", "taken for a bomb", "--max-archive-expansion")
    // Allowed to expand, it is what it is: no image.
    let raised = try place.run("data", "verify", "bomb.tar.gz", "--max-archive-expansion", "2000")
    #expect(raised.code == 65 && !raised.errors.contains("bomb and refused"))
  }

  @Test("a recipe may vary colours and mix images, is kept in run.yaml, and wrong values are named")
  func transforms() throws {
    let place = try Workplace()
    try place.writePictures(to: "pets", side: 16)
    try place.write(
      """
      batchSize: 16
      augmentation: {randomResizedCrop: {minimumScale: 0.3}}
      colorJitter: {brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1}
      randAugment: {operations: 1, magnitude: 5}
      lighting: {std: 0.1}
      mixup: 0.2
      cutmix: 1
      """, to: "varied.yaml")
    let command =
      ["train", "--network", "resnet20", "--width", "0.25", "--divisor", "2", "--threads", "1", "--epochs", "2"]
      + ["--dataset", "pets", "--recipe", "varied.yaml"]
    try place.run(command + ["--output", "a"]).expect(0)
    try place.run(command + ["--output", "b", "--loader-threads", "3"]).expect(0)
    #expect(try place.bytes("a/model.safetensors") == place.bytes("b/model.safetensors"))
    try place.run("train", "--config", "a/run.yaml", "--output", "c").expect(0)
    #expect(try place.bytes("a/model.safetensors") == place.bytes("c/model.safetensors"))
    for (text, words, code) in [
      ("colorJitter: {gamma: 1}", "gamma", 65), ("randAugment: {magnitude: 31}", "magnitude", 65),
      ("mixup: -1", "mixup", 64), ("augmentation: centreCrop", "centreCrop", 65),
      ("augmentation: {padCropFlip: {pad: 4}}", "pad", 65),
    ] as [(String, String, Int32)] {
      try place.write(text, to: "wrong.yaml")
      try place.run(["train"] + Workplace.tiny + ["--dataset", "pets", "--recipe", "wrong.yaml", "--output", "d"])
        .expect(code, words)
    }
  }

  @Test("data download knows its names, and says when there is no network what to do without")
  func download() throws {
    let place = try Workplace()
    try place.run("data", "download", "cifar").expect(64, "cifar10")
    let unreachable = try place.shell(
      "http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 \"$WT\" data download cifar10")
    unreachable.expect(69, "cifar10", "https://www.cs.toronto.edu", "sha256")
    try place.run("train", "--network", "resnet20", "--dataset", "cifar100", "--output", "x")
      .expect(66, "data download cifar100")
  }
}
