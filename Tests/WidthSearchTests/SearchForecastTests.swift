import Methods
import Networks
import Testing

@testable import WidthSearch

@Suite struct SearchForecastTests {
  @Test("What is forecast is about what is counted, with every method")
  func forecast() throws {
    let methods: [any WidthSearching] = [
      DMCP(.init(range: WidthRange(minimum: 0.25, maximum: 1.5, offset: 0.25))), NetworkSlimming(), MorphNet(),
      AutoSlim(.init(groups: 4)),
    ]
    for method in methods {
      var search = ToySearch(optimizer: method)
      search.recipe.epochs = 8
      let result = try search.run()
      let forecast = try method.forecast(for: search.network.resolved(), divisor: 1)
      let images = search.recipe.epochs * result.cost.scale.trainingImages
      let training = result.cost.passes.values.filter { $0.growth == .training }
        .reduce(0) { $0 + $1.factor * $1.forwardMACs }
      #expect(abs(forecast.macs(images: images) / training - 1) < 0.1, "\(method.name)")
      let compared = result.cost.scale.evaluationImages
      let descent = result.cost.flops - training
      #expect((forecast.perComparedImage > 0) == (descent > 0))
      // How long a descent is depends on what it finds.
      if descent > 0 {
        let ratio = forecast.perComparedImage * Double(compared) / descent
        #expect(ratio > 0.4 && ratio < 2.5)
      }
    }
  }
}
