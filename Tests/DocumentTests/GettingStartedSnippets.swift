import Foundation
import Testing
import WidthTransfer

/// The code of the documents, compiled and run. What stands between two marks is, line by line, what the document shows; a document
/// that shows anything else fails ``DocumentTests``.
@Suite struct GettingStartedSnippets {
  @Test("Networks, widths, projection and extrapolation, with the numbers that the document states")
  func networks() throws {
    // snippet: network
    let network = try NetworkZoo.resolved(named: "resnet20", classes: 10, resolution: 32)
    print(network.name, network.cost.macs, network.cost.parameters)  // resnet20 40813184 272474

    let narrow = try network.scalingWidth(by: 0.5, divisor: 2)
    let deep = try network.scalingDepth(by: 2)
    print(narrow.cost.macs, deep.cost.macs)  // 10314048 83280512
    // end
    #expect(network.cost.macs == 40_813_184 && network.cost.parameters == 272_474)
    #expect(narrow.cost.macs == 10_314_048 && deep.cost.macs == 83_280_512)

    // snippet: widths
    for group in network.widthGroups {
      print(group.id, group.width, group.role, group.layers)
    }
    let changed = try network.with(["conv1": 12, "layer1.0.conv1": 20])
    print(changed.cost.macs)  // 37720704
    // end
    #expect(changed.cost.macs == 37_720_704)

    // snippet: projection
    let projection = try Projection(parsing: "width=0.5,resolution=16,data=20%")
    let small = try projection.applied(to: network, divisor: 2)
    let overhead = try Overhead(of: projection, target: network, divisor: 2)
    print(small.cost.macs, overhead.nominal, overhead.counted)  // 2578752 80.0 79.13…
    // end
    #expect(small.cost.macs == 2_578_752 && overhead.nominal == 80 && abs(overhead.counted - 79.13) < 0.01)

    // snippet: extrapolation
    let multipliers = PerGroup(small) { $0.stage == 2 ? 1.3 : 0.9 }
    let match = try Extrapolation.match(multipliers: multipliers, from: small, to: network, divisor: 2)
    print(match.network.name, match.macs, match.relativeError)  // resnet20 41126688 0.0076…
    // end
    #expect(match.macs == 41_126_688 && abs(match.relativeError - 0.0076) < 1e-4)

    // snippet: budget
    let budget = try Budget(parsing: "0.6x", in: .parameters, of: network)
    let smaller = try network.matching(budget.amount, in: .parameters, divisor: 2)
    print(smaller.count, smaller.macs)
    // end
    #expect(abs(Double(smaller.count) - 0.6 * 272_474) < 0.01 * 272_474)
  }

  @Test("The main job, on a small data set")
  func run() throws {
    let folder = NSTemporaryDirectory() + "snippets-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Self.writeImages(to: folder + "/photos")
    let place = folder + "/photos"
    let runs = folder + "/runs/first"
    // snippet: run
    let dataset = try Dataset.open(place)
    let subject = try Subject(
      target: try NetworkZoo.resolved(
        named: "resnet20", classes: dataset.classNames.count, inputChannels: dataset.channels,
        resolution: dataset.resolution),
      dataset: dataset, recipe: Recipe(epochs: 2, batchSize: 16), divisor: 2)
    let finding = WidthFinding(
      subject: subject, optimizer: NetworkSlimming(), projection: Projection(width: 0.5, data: 0.5),
      budgets: [try Budget(parsing: "1.0x", of: subject.target)])
    let summaries = try RunPlan(finding, seeds: 1).run(
      in: RunFolder(path: runs), JobSurroundings(cancellation: Cancellation { Task.isCancelled }))
    for variant in summaries[0].variants { print(variant.name, variant.results.map(\.top1)) }
    // end
    #expect(summaries.count == 1 && summaries[0].variants.map(\.name) == ["uniform", "optimized"])
    #expect(try RunManifest.read(RunFolder(path: runs))?.parts.count == 3)
  }

  /// Four IDX files of noise in two classes.
  private static func writeImages(to folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    func header(_ values: [UInt32]) -> Data {
      values.reduce(into: Data()) { $0 += withUnsafeBytes(of: $1.bigEndian) { Data($0) } }
    }
    for (name, count) in [("train", 64), ("t10k", 16)] {
      var random = SeededGenerator(seed: 1, UInt64(count))
      let pixels = Data((0..<count * 64).map { _ in UInt8(truncatingIfNeeded: random.next()) })
      let labels = Data((0..<count).map { UInt8($0 % 2) })
      for (kind, data) in [
        ("images-idx3", header([0x803, UInt32(count), 8, 8]) + pixels),
        ("labels-idx1", header([0x801, UInt32(count)]) + labels),
      ] {
        try data.write(to: URL(fileURLWithPath: "\(folder)/\(name)-\(kind)-ubyte"))
      }
    }
  }
}
