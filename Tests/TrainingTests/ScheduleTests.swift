import Methods
import Testing

@testable import Training

@Suite struct ScheduleTests {
  private func expect(
    _ schedule: Schedule, _ values: [(step: Int, rate: Double)], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for (step, rate) in values {
      let found = schedule.rate(at: step)
      #expect(abs(found - rate) < 1e-12, "step \(step): \(found), not \(rate)", sourceLocation: sourceLocation)
    }
  }

  // The official DMCP schedule: T = 25040, base 0.2, peak 0.5, warm-up 1000, end 0.08.
  @Test("The cosine with warm-up has the values of DMCP's code")
  func cosine() {
    expect(
      Schedule(peak: 0.5, initial: 0.2, final: 0.08, warmUpSteps: 1000, totalSteps: 25040),
      [(0, 0.2), (500, 0.35), (1000, 0.5), (13020, 0.29), (25040, 0.08)])
  }

  @Test("The rate of α stays for the first stage and falls as a cosine in the second")
  func alpha() {
    expect(
      Schedule(peak: 0.5, initial: 0.5, final: 0.1, warmUpSteps: 12520, totalSteps: 25040),
      [(0, 0.5), (12519, 0.5), (12520, 0.5), (18780, 0.3), (25040, 0.1)])
  }

  @Test("Line, steps and constant follow their definitions, after the end as at the end")
  func shapes() {
    expect(
      Schedule(peak: 1, final: 0.2, shape: .linear, warmUpSteps: 10, totalSteps: 110),
      [(0, 0), (5, 0.5), (10, 1), (60, 0.6), (110, 0.2), (500, 0.2)])
    expect(
      Schedule(peak: 1, shape: .step(at: [0.5, 0.75], factor: 0.1), totalSteps: 8),
      [(0, 1), (3, 1), (4, 0.1), (5, 0.1), (6, 0.01), (7, 0.01)])
    expect(Schedule(peak: 0.3, shape: .constant, totalSteps: 5), [(0, 0.3), (4, 0.3), (9, 0.3)])
  }

  @Test("A recipe's warm-up is counted in epochs and never takes more than a quarter of the run")
  func fromRecipe() {
    var recipe = Recipe(epochs: 10, learningRate: 0.4, warmUpEpochs: 1.5)
    #expect(recipe.schedule(stepsPerEpoch: 100).warmUpSteps == 150)
    #expect(recipe.schedule(stepsPerEpoch: 100).totalSteps == 1000)
    recipe.epochs = 1
    #expect(recipe.schedule(stepsPerEpoch: 100).warmUpSteps == 25)
    recipe.decay = .step
    #expect(recipe.schedule(stepsPerEpoch: 100).shape == .step(at: [0.5, 0.75], factor: 0.1))
  }
}
