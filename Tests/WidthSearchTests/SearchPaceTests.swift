import Foundation
import ImageFiles
import Methods
import Networks
import Support
import Testing
import Training

@testable import WidthSearch

@Suite struct SearchPaceTests {
  private func job(_ optimizer: any WidthSearching) throws -> SearchJob {
    var recipe = ToySearch().recipe
    recipe.epochs = 50
    return SearchJob(
      network: try toyNetwork().resolved(),
      dataset: Dataset(name: "toy", training: toyImages, heldOut: toyImages, resolution: 8, normalization: .grey),
      optimizer: optimizer, targets: [try toyNetwork().cost().macs], recipe: recipe, divisor: 1)
  }

  // How long it took is the machine's affair; that a whole search is gone through and accounted for is ours.
  @Test("A pace has a share for whatever the method does, and times no more than a few steps")
  func pace() throws {
    for optimizer in [DMCP(), NetworkSlimming(), AutoSlim(.init(groups: 3))] as [any WidthSearching] {
      let job = try job(optimizer)
      let pace = try job.pace(timedSeconds: 0)
      #expect(pace.seconds(steps: 1, comparedBatches: 1, comparedImages: 1) > 0)
      let parts = [pace.fixed, pace.perStep, pace.perComparedBatch, pace.perComparedImage]
      #expect(parts.allSatisfy { $0 >= 0 && $0.isFinite })
      #expect(optimizer.heldOutPart != nil || (pace.perComparedImage == 0 && pace.perComparedBatch == 0))
    }
    let pace = SearchPace(fixed: 3, perStep: 2, perComparedBatch: 10, perComparedImage: 0.5)
    #expect(pace.seconds(steps: 10, comparedBatches: 2, comparedImages: 4) == 45)
  }

  @Test("Steps are those of full batches; images to compare widths on are set apart from them")
  func steps() throws {
    #expect(try job(DMCP()).steps() == 50 * (toyImages.count / 32))
    let autoSlim = try job(AutoSlim())
    let rest = toyImages.count - autoSlim.comparedImages
    #expect(autoSlim.comparedImages > 0)
    #expect(try autoSlim.steps() == 50 * (rest / 32))
  }

  @Test("It is stopped like any other work")
  func interrupted() throws {
    #expect(throws: Interrupted.self) {
      try job(DMCP()).pace(timedSeconds: 0, cancellation: Cancellation { true })
    }
  }
}
