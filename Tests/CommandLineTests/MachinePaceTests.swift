import Testing

@testable import Commands

@Suite struct MachinePaceTests {
  private typealias Load = MachinePace.Load

  @Test("A pace is found again from the times that it makes")
  func fits() {
    let truth = MachinePace(perActivation: 2e-9, perMAC: 5e-11)
    let loads = [Load(macs: 1e7, activations: 2e5, images: 32), Load(macs: 4e8, activations: 5e5, images: 32)]
    let pace = MachinePace(fitting: loads.map { ($0, truth.seconds($0)) })
    #expect(abs(pace.perActivation / truth.perActivation - 1) < 1e-6)
    #expect(abs(pace.perMAC / truth.perMAC - 1) < 1e-6)
  }

  @Test("Neither part is negative, and no division by nothing")
  func limits() {
    // The larger network took less time for its activations than for none of them.
    let pace = MachinePace(fitting: [
      (Load(macs: 1e7, activations: 1e5), 1), (Load(macs: 2e7, activations: 9e5), 1.5),
    ])
    #expect(pace.perActivation == 0 && pace.perMAC > 0)
    let bound = MachinePace(fitting: [(Load(macs: 1e7, activations: 1e5), 1), (Load(macs: 9e7, activations: 2e5), 1.9)])
    #expect(bound.perMAC == 0 && bound.perActivation > 0)
    let same = MachinePace(fitting: [(Load(macs: 2, activations: 1), 1), (Load(macs: 4, activations: 2), 2)])
    #expect(same == MachinePace(perActivation: 0, perMAC: 0.5))
    #expect(MachinePace(fitting: []) == MachinePace(perActivation: 0, perMAC: 0))
  }

  @Test("A grid's loads are its trainings and its searches")
  func loads() throws {
    let grid = try #require(ExperimentGrid.named("figure-7c"))
    let loads = try grid.loads(.smoke)
    // Uniform; DMCP's trainings, direct and for four parts of the data; and its five searches.
    #expect(loads.count == 7)
    #expect(abs(loads[0].images - (2 * 1200 + 10_000 / 3.0)) < 1e-6)
    #expect(loads[1].images == 5 * loads[0].images && loads[1].macs == loads[0].macs)
    // Searches on parts of the data cost those parts.
    for (load, part) in zip(loads[3...], [0.5, 0.2, 0.1, 0.05]) {
      #expect(abs(load.images / loads[2].images - part) < 0.01 && load.macs == loads[2].macs)
    }
    for (name, scale) in [("figure-6b", GridScale.smoke), ("figure-8a", .imagenet), ("figure-9", .cifar)] {
      let grid = try #require(ExperimentGrid.named(name))
      #expect(try grid.loads(scale).allSatisfy { $0.images > 0 && $0.macs > 0 && $0.activations > 0 })
    }
  }
}
