import Diagnosis
import Foundation
import Testing

@Suite("Why a curve is what it is, in words")
struct PatternSentenceTests {
  private func words(_ values: [Double]) -> String {
    let rules = PatternRules()
    return PatternClassifier(rules).classify(values).reasonText(epochs: Array(values.indices), rules: rules)
  }

  @Test("A rise to the end gave nothing back, and a level that is reached is one")
  func rising() {
    #expect(
      words((0..<60).map { 0.01 + 0.002 * Double($0) }).hasSuffix("rises to the end: a longer training may show a fall")
    )
    #expect(words(Curve.a).hasSuffix("where it levels off"))
    #expect(words(Curve.overshoot(0.1)).contains("and gave back"))
  }

  @Test("A fall that is no decay is told of, and only what hardly moves is said to")
  func falling() {
    #expect(words((0..<60).map { 1 - 0.0075 * Double($0) }).hasPrefix("the variance fell from 1.0 to 0.58"))
    #expect(words((0..<60).map { 1 + 0.001 * Double($0 % 3) }).hasPrefix("the variance hardly moved"))
  }

  @Test("Seeds that disagree have no pattern in so many of them")
  func disagreement() {
    let (rise, fall) = (PatternClassifier().classify(Curve.a), PatternClassifier().classify(Curve.c))
    #expect(rise.pattern == .increaseToSaturate && fall.pattern == .decreaseToSaturate)
    #expect(PatternAgreement([rise, fall, fall]).words == "seeds disagree: 2 × DS, 1 × IS")
    #expect(PatternAgreement([fall, fall, fall]).words == "DS in 3 of 3")
  }

  @Test("The learning rate falls by a step, or smoothly", arguments: [10, 60])
  func rates(count: Int) {
    func series(_ rate: (Double) -> Double) -> NormSeries {
      NormSeries(
        (1...count).map {
          NormSample(
            epoch: $0, group: "a", mode: .product, statistics: nil,
            learningRate: rate(Double($0) / Double(count)))
        })
    }
    #expect(series { 0.5 * (1 + cos(.pi * $0)) }.milestones.isEmpty)
    #expect(series { 1 - $0 }.milestones.isEmpty)
    #expect(series { $0 > 0.5 ? 0.1 : 1 }.milestones == [count / 2 + 1])
    #expect(series { 0.5 * (1 + cos(.pi * $0)) }.smallRateEpochs.last == count)
    #expect(series { $0 > 0.5 ? 0.05 : 1 }.smallRateEpochs.isEmpty)
  }
}
