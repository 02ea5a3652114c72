import Foundation
import ImageFiles
import Interchange
import Loading
import Methods
import Networks
import Records
import Support
import Testing

@testable import Training

@Suite struct TrainingJobTests {
  private func job(seed: Int = 1) throws -> TrainingJob {
    TrainingJob(network: try toyNetwork().resolved(), dataset: toyDataset, recipe: ToyTraining.base, seed: seed)
  }

  @Test("A job leaves weights, a result and events, and a second call returns the same without work")
  func completes() throws {
    let folder = try TemporaryFolder()
    let run = RunFolder(path: folder.file("run"))
    let result = try job().run(in: run)
    let again = Recorder()
    #expect(try job().run(in: run, sinks: [again]) == result)
    #expect(again.events.isEmpty)
    let file = try WeightsFile(path: run.model)
    let model = try Model(try #require(try file.network()), seed: 0)
    try model.load(file)
    #expect(try model.evaluate(job().heldOutLoader()).top1 == result.top1)
    #expect(result.macs == model.plan.macs)
  }

  @Test("A folder of another run is refused and not touched")
  func otherRun() throws {
    let folder = try TemporaryFolder()
    let run = RunFolder(path: folder.file("run"))
    _ = try job().run(in: run)
    let before = try Data(contentsOf: URL(fileURLWithPath: run.events))
    let failure = #expect(throws: UsageFailure.self) { try job(seed: 2).run(in: run) }
    #expect(failure?.message.contains("its seed is 1, asked for is 2") == true, "\(failure?.message ?? "")")
    var other = try job()
    other.recipe.epochs = 7
    let second = #expect(throws: UsageFailure.self) { try other.run(in: run) }
    #expect(second?.message.contains("its recipe.epochs is 2, asked for is 7") == true, "\(second?.message ?? "")")
    #expect(try Data(contentsOf: URL(fileURLWithPath: run.events)) == before)
  }

  /// Images whose files can be exchanged, as on a disk.
  private final class Files: ImageSource, @unchecked Sendable {
    private let images = toyImages(128, seed: 1)
    var content: [UInt8] = [1]
    var name: String { images.name }
    var count: Int { images.count }
    var channels: Int { images.channels }
    var classNames: [String] { images.classNames }
    var uniformSize: ImageSize? { images.uniformSize }
    func label(at index: Int) -> Int { images.label(at: index) }
    func place(at index: Int) -> String { images.place(at: index) }
    func file(at index: Int) -> [UInt8]? { content }
    func image(at index: Int, as request: (ImageSize) -> ImageRequest) -> PixelImage {
      images.image(at: index, as: request)
    }
  }

  @Test("Images that are replaced while a training reads them are warned of, and equal ones are not")
  func replaced() throws {
    let folder = try TemporaryFolder()
    for (number, other) in [[1], [2]].enumerated() {
      let files = Files()
      let job = TrainingJob(
        network: try toyNetwork().resolved(),
        dataset: Dataset(
          name: "toy", training: files, heldOut: toyImages(64, seed: 2), resolution: 8, normalization: .grey),
        recipe: ToyTraining.base)
      let recorder = Recorder()
      recorder.killsAt = { event in
        if case .epoch = event { files.content = other.map(UInt8.init) }
        return false
      }
      _ = try job.run(in: RunFolder(path: folder.file("\(number)")), sinks: [recorder])
      #expect(recorder.warnings.contains { $0.contains("replaced or removed") } == (other != [1]))
    }
  }

  @Test("A part of the data is class-balanced and does not depend on the seed")
  func fraction() throws {
    var job = try job()
    job.dataFraction = 0.25
    let indices = try job.trainingLoader().indices
    #expect(indices.count == 32)
    #expect(Dictionary(grouping: indices) { $0 % 4 }.values.allSatisfy { $0.count == 8 })
    job.seed = 9
    #expect(try job.trainingLoader().indices == indices)
  }

  @Test("A network that does not suit the data is refused with both numbers")
  func misfits() throws {
    func message(_ network: Network) -> String {
      let failure = #expect(throws: UsageFailure.self) {
        try TrainingJob(network: network.resolved(), dataset: toyDataset, recipe: Recipe()).validate()
      }
      return failure?.message ?? ""
    }
    #expect(try message(toyNetwork().with(classes: 7)).contains("has 7 classes, toy has 4"))
    #expect(message(toyNetwork().with(inputChannels: 3)).contains("3 channels, toy has 1"))
    var oblong = toyNetwork()
    oblong.input.width = 6
    #expect(message(oblong).contains("square"))
    var maps = toyNetwork()
    maps.layers.removeLast(3)
    maps.layers.append(.conv("head", 4, 1, from: "relu2"))
    #expect(message(maps).contains("one number a class"))
  }
}
