import Foundation
import Testing

/// The commands that need neither data nor tensors.
@Suite struct InstantCommandTests {
  @Test("Every network of the zoo is described, with the published costs")
  func zoo() throws {
    let place = try Workplace()
    let listed = try place.run("inspect", "nothing").errors.components(separatedBy: "Known names: ").last ?? ""
    let names = listed.split(whereSeparator: { ", \n".contains($0) }).map(String.init)
    #expect(names.count > 30)
    // torchvision's published counts.
    let oracles: [String: (macs: Int, parameters: Int)] = [
      "resnet18": (1_814_073_344, 11_689_512), "resnet34": (3_663_761_408, 21_797_672),
      "resnet50": (4_089_184_256, 25_557_032), "resnet101": (7_801_405_440, 44_549_160),
      "mobilenet_v2": (300_774_272, 3_504_872), "efficientnet_b3": (1_827_141_392, 12_233_232),
      "vgg16_bn": (15_470_264_320, 138_365_992),
    ]
    #expect(Set(oracles.keys).isSubset(of: names))
    for name in names {
      let described = try place.run("inspect", name, "--json")
      described.expect(0)
      let json = try described.json()
      let keys: Set = [
        "network", "input", "macs", "parameters", "activations", "layers", "widthGroups", "stages",
      ]
      #expect(Set(json.keys) == keys, "\(name): \(json.keys)")
      #expect(json["network"] as? String == name)
      let layers = try #require(json["layers"] as? [[String: Any]])
      #expect(layers.compactMap { $0["macs"] as? Int }.reduce(0, +) == json["macs"] as? Int, "\(name)")
      if let oracle = oracles[name] {
        #expect(json["macs"] as? Int == oracle.macs, "\(name)")
        #expect(json["parameters"] as? Int == oracle.parameters, "\(name)")
      }
    }
  }

  @Test(
    "A width multiplier gives the published MACs",
    arguments: [("1.414", 583_798_640), ("1.732", 889_116_000)])
  func multiplier(width: String, macs: Int) throws {
    let outcome = try Workplace().run("inspect", "--network", "mobilenet_v2", "--width", width, "--json")
    #expect(try outcome.json()["macs"] as? Int == macs)
  }

  @Test("Layers, groups and stages have the keys that scripts rely on")
  func keys() throws {
    let json = try Workplace().run("inspect", "resnet18", "--json").json()
    func first(_ key: String, in object: [String: Any]) throws -> [String: Any] {
      try #require((object[key] as? [[String: Any]])?.first)
    }
    #expect(Set(try first("layers", in: json).keys) == ["name", "kind", "output", "macs", "parameters", "widthGroup"])
    #expect(Set(try first("widthGroups", in: json).keys) == ["id", "width", "layers", "stage", "block"])
    let stage = try first("stages", in: json)
    #expect(Set(stage.keys) == ["name", "blocks"])
    #expect(Set(try first("blocks", in: stage).keys) == ["layers"])
    #expect(json["input"] as? [Int] == [3, 224, 224])
  }

  @Test("A projection is described as inspect describes networks")
  func project() throws {
    let place = try Workplace()
    let projected = try place.run(
      "project", "--network", "resnet50", "--project", "width=0.707,depth=0.5,resolution=160,data=20%", "--json")
    projected.expect(0)
    let json = try projected.json()
    #expect(Set(json.keys) == Set(try place.run("inspect", "resnet50", "--json").json().keys))
    #expect(json["input"] as? [Int] == [3, 160, 160])
    try place.run("project", "--network", "resnet50").expect(64, "--project")
  }

  @Test("The overhead of several projections comes in their order")
  func overhead() throws {
    let outcome = try Workplace().run(
      "overhead", "--network", "resnet18", "--project", "width=0.5", "--project=data=10%,resolution=112", "--json")
    outcome.expect(0)
    let json = try outcome.json()
    #expect(Set(json.keys) == ["network", "points"])
    let points = try #require(json["points"] as? [[String: Any]])
    #expect(points.count == 2)
    #expect(points.allSatisfy { Set($0.keys) == ["projection", "nominal", "counted", "saving"] })
    #expect(points[0]["nominal"] as? Double == 4)
    #expect(abs((points[1]["nominal"] as? Double ?? 0) - 40) < 1e-9)
    #expect(
      points[1]["projection"] as? NSObject == ["width": 1, "depth": 1, "resolution": 112, "data": 0.1] as NSObject)
    for point in points {
      let counted = try #require(point["counted"] as? Double)
      #expect(abs((point["saving"] as? Double ?? 0) - (1 - 1 / counted)) < 1e-9)
    }
  }

  @Test("Widths of a small network are carried over, and the file can be used")
  func extrapolate() throws {
    let place = try Workplace()
    let projection = ["--network", "resnet20", "--divisor", "2", "--project", "width=0.5,depth=0.667"]
    let groups = try #require(
      try place.run(["project", "--json"] + projection).json()["widthGroups"] as? [[String: Any]])
    let widths = Dictionary(
      groups.enumerated().compactMap { index, group in
        (group["id"] as? String).flatMap { id in (group["width"] as? Int).map { (id, $0 + 2 * (index % 2)) } }
      }, uniquingKeysWith: { first, _ in first })
    try place.write(
      try JSONSerialization.data(withJSONObject: ["network": "resnet20", "widths": widths]), to: "small.json")
    let printed = try place.run(["extrapolate", "--widths", "small.json"] + projection)
    printed.expect(0)
    let json = try printed.json()
    for key in ["network", "macs", "targetMacs", "parameters", "widths", "multipliers", "projection"] {
      #expect(json[key] != nil, "\(key)")
    }
    let (macs, target) = (json["macs"] as? Double ?? 0, json["targetMacs"] as? Double ?? 1)
    #expect(abs(macs / target - 1) < 0.02)
    let written = try place.run(["extrapolate", "--widths", "small.json", "--output", "wide.json"] + projection)
    written.expect(0)
    #expect(written.output.contains("wide.json"))
    let described = try place.run("inspect", "resnet20", "--widths", "wide.json", "--json")
    #expect(try described.json()["macs"] as? Double == macs)
    try place.run(["extrapolate", "--widths", "nowhere.json"] + projection).expect(66, "nowhere.json")
    // The rule of stacking reaches the widths.
    let deep = ["--network", "resnet20", "--depth", "2", "--divisor", "2", "--project", "depth=0.5"]
    try place.write(#"{"network": "resnet20", "widths": {"layer1.1.conv1": 8, "layer1.2.conv1": 32}}"#, to: "deep.json")
    let found = try ["average-block", "last-block"].map {
      try place.run(["extrapolate", "--widths", "deep.json", "--stacking", $0] + deep).json()["widths"]
        as? [String: Int]
    }
    #expect(found[0] != nil && found[1] != nil && found[0] != found[1])
  }

  @Test(
    "A network of the zoo, written as a document, is the same network",
    arguments: ["resnet20", "efficientnet_b0", "vgg11_bn"])
  func documents(name: String) throws {
    let place = try Workplace()
    let written = try place.run("inspect", name, "--classes", "7", "--format", "network")
    written.expect(0)
    try place.write(written.output, to: "n.json")
    #expect(
      try place.run("inspect", "n.json", "--json").output
        == place.run("inspect", name, "--classes", "7", "--json").output)
    #expect(try place.run("inspect", "n.json", "--format", "network").output == written.output)
    try place.run("inspect", name, "--json", "--format", "network").expect(64, "not both")
  }
}
