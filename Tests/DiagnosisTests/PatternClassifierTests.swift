import Diagnosis
import Foundation
import Testing

/// The curves A to S of the specification, with what they must be found to be.
struct Curve: CustomTestStringConvertible, Sendable {
  var name: String
  var values: [Double]
  var pattern: WidthPattern
  var drop: Double?
  var places: [Int]?
  var reason: PatternFinding.Reason?

  var testDescription: String { name }

  static func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  static func curve(_ count: Int = 150, _ body: (Double) -> Double) -> [Double] { (0..<count).map { body(Double($0)) } }

  /// Uniform numbers as the specification draws them.
  static func noisy(_ values: [Double], seed: UInt64) -> [Double] {
    var state = seed
    return values.map { value in
      state = 6_364_136_223_846_793_005 &* state &+ 1_442_695_040_888_963_407
      return value * (1 + 0.1 * (Double(state >> 11) * 0x1p-53 - 0.5))
    }
  }

  static let a = curve { 0.02 + ($0 >= 8 ? 0.30 * (1 - exp(-($0 - 8) / 20)) : 0) }
  static let c = curve {
    0.03 + 0.35 * logistic(($0 - 15) / 3) * (0.15 + 0.85 * exp(-max(0, $0 - 35) / 20))
  }
  static func overshoot(_ part: Double) -> [Double] {
    curve { 0.02 + 0.3 * logistic(($0 - 20) / 4) * (1 - part * logistic(($0 - 60) / 5)) }
  }

  static let all: [Curve] = [
    Curve(name: "A", values: a, pattern: .increaseToSaturate, drop: 0, places: [7, 55, 149]),
    Curve(
      name: "B", values: curve { 0.05 * exp(-$0 / 3) + 0.4 * logistic(($0 - 30) / 6) }, pattern: .increaseToSaturate,
      drop: 0, places: [15, 44, 149]),
    Curve(name: "C", values: c, pattern: .decreaseToSaturate, drop: 0.850, places: [5, 23, 31]),
    Curve(
      name: "D", values: curve { 0.02 + 0.3 * logistic(($0 - 40) / 10) * ($0 <= 100 ? 1 : 1 - 0.6 * ($0 - 100) / 49) },
      pattern: .decreaseToSaturate, drop: 0.522, places: [13, 63, 96]),
    Curve(
      name: "E", values: curve { 0.01 + 0.002 * $0 }, pattern: .increaseToSaturate, drop: 0.047, places: [7, 135, 149]),
    Curve(name: "F", values: overshoot(0.08), pattern: .increaseToSaturate, drop: 0.074, places: [7, 30, 44]),
    Curve(
      name: "G", values: overshoot(0.22), pattern: .ambiguous, drop: 0.212, places: [7, 30, 42], reason: .between),
    Curve(name: "H", values: curve { 0.05 + 0.001 * sin($0 / 5) }, pattern: .flat),
    Curve(name: "I", values: curve { 0.3 * exp(-$0 / 30) }, pattern: .neverRose),
    Curve(name: "J", values: noisy(a, seed: 1), pattern: .increaseToSaturate, drop: 0.017, places: [7, 56, 135]),
    Curve(name: "K", values: noisy(c, seed: 2), pattern: .decreaseToSaturate, drop: 0.847, places: [5, 24, 32]),
    Curve(
      name: "L", values: a.enumerated().map { $0 == 60 ? 5 * $1 : $1 }, pattern: .increaseToSaturate, drop: 0,
      places: [7, 55, 149]),
    Curve(
      name: "M",
      values: curve {
        0.02 + 0.3 * logistic(($0 - 15) / 3) * (1 - 0.7 * (logistic(($0 - 50) / 4) - logistic(($0 - 110) / 4)))
      }, pattern: .ambiguous, drop: 0, places: [5, 23, 149], reason: .rebound),
    Curve(
      name: "N",
      values: curve { 0.02 + 0.2 * logistic(($0 - 20) / 4) + ($0 >= 80 ? 0.05 : 0) + ($0 >= 120 ? 0.02 : 0) },
      pattern: .increaseToSaturate, drop: 0, places: [9, 83, 149]),
    Curve(
      name: "O",
      values: curve { 0.02 + 0.25 * logistic(($0 - 15) / 3) * ($0 < 80 ? 1 : $0 < 120 ? 0.55 : 0.5) },
      pattern: .decreaseToSaturate, drop: 0.503, places: [5, 23, 75]),
    Curve(
      name: "P",
      values: curve(30) { 0.02 + 0.3 * logistic(($0 - 6) / 1.2) * (0.3 + 0.7 * exp(-max(0, $0 - 12) / 5)) },
      pattern: .decreaseToSaturate, drop: 0.664, places: [2, 9, 11]),
    Curve(
      name: "Q", values: c.map { 1e-6 * $0 }, pattern: .decreaseToSaturate, drop: 0.850, places: [5, 23, 31]),
    Curve(
      name: "R", values: curve(10) { 0.01 + 0.01 * $0 }, pattern: .undetermined, reason: .tooShort),
    Curve(name: "S", values: curve(50) { _ in 0 }, pattern: .flat),
  ]
}

@Suite struct PatternClassifierTests {
  let classifier = PatternClassifier()

  @Test(arguments: Curve.all) func findsTheSpecifiedPattern(_ curve: Curve) throws {
    let finding = classifier.classify(curve.values)
    #expect(finding.pattern == curve.pattern)
    if curve.pattern == .ambiguous || curve.pattern == .undetermined { #expect(finding.reason == curve.reason) }
    if let drop = curve.drop { #expect(abs(try #require(finding.drop) - drop) <= 0.01) }
    guard let places = curve.places else {
      #expect(finding.stage1End == nil && finding.stage2End == nil && finding.peakIndex == nil)
      return
    }
    #expect(abs(try #require(finding.stage1End) - places[0]) <= 1)
    #expect(abs(try #require(finding.stage2End) - places[1]) <= 1)
    #expect(abs(try #require(finding.peakIndex) - places[2]) <= 2)
  }

  @Test func aDipIsTheBaseAndAReboundIsTold() throws {
    #expect(classifier.classify(Curve.all[1].values).baseIndex == 8)
    let rebound = classifier.classify(try #require(Curve.all.first { $0.name == "M" }).values)
    #expect(abs(try #require(rebound.drawdown) - 0.69) < 0.01)
    #expect(abs(try #require(rebound.comeback) - 0.70) < 0.01)
    #expect(rebound.confidence == 0)
  }

  @Test(arguments: Curve.all) func aFactorChangesNothing(_ curve: Curve) {
    for factor in [0.001, 0.37, 812] {
      let scaled = classifier.classify(curve.values.map { factor * $0 })
      let own = classifier.classify(curve.values)
      #expect(scaled.pattern == own.pattern && scaled.peakIndex == own.peakIndex)
      #expect(scaled.stage1End == own.stage1End && scaled.stage2End == own.stage2End)
      #expect(abs((scaled.drop ?? 0) - (own.drop ?? 0)) < 1e-9)
    }
  }

  @Test(arguments: Curve.all) func aConstantKeepsDropAndPlaces(_ curve: Curve) {
    let own = classifier.classify(curve.values)
    for constant in [0.001, 0.02] {
      let lifted = classifier.classify(curve.values.map { $0 + constant })
      guard lifted.drop != nil, own.drop != nil else { continue }
      #expect(abs((lifted.drop ?? 0) - (own.drop ?? 0)) < 1e-9)
      #expect(lifted.stage1End == own.stage1End && lifted.stage2End == own.stage2End)
      #expect(lifted.peakIndex == own.peakIndex)
    }
  }

  @Test(arguments: Curve.all.filter { $0.values.count >= 12 }) func samplesTwiceKeepThePattern(_ curve: Curve) {
    let doubled = curve.values.flatMap { [$0, $0] }
    #expect(classifier.classify(doubled).pattern == curve.pattern)
  }

  @Test func aMissingSampleIsNotGuessed() {
    var samples = Curve.a.map(Optional.some)
    samples[40] = nil
    #expect(classifier.classify(samples).reason == .nonFinite)
    #expect(classifier.classify(Curve.a.map { $0 == Curve.a[3] ? .nan : $0 }).pattern == .undetermined)
  }

  @Test func seedsAgreeOrAreAmbiguous() {
    let wide = classifier.classify(Curve.a)
    let narrow = classifier.classify(Curve.c)
    let most = PatternAgreement([wide, wide, wide, narrow])
    #expect(most.pattern == .increaseToSaturate && most.agreement == 0.75 && most.counts == ["IS": 3, "DS": 1])
    let split = PatternAgreement([wide, wide, narrow])
    #expect(split.pattern == .ambiguous && split.confidence == 0)
  }

  @Test func aTrainingThatGoesOnIsDecidedOnceItIsClear() {
    func decision(_ values: [Double], milestones: Set<Int> = []) -> (epoch: Int, pattern: WidthPattern)? {
      var online = OnlineClassifier(epochs: values.count)
      for (epoch, value) in values.enumerated() {
        if let pattern = online.observe(value, isMilestone: milestones.contains(epoch)) { return (epoch, pattern) }
      }
      return nil
    }
    let narrow = decision(Curve.c)
    #expect(narrow?.pattern == .decreaseToSaturate)
    #expect((narrow?.epoch ?? 0) > 35 && (narrow?.epoch ?? 150) < 80)
    #expect(decision(Curve.overshoot(0.08))?.pattern == .increaseToSaturate)
    #expect(decision(Curve.curve { 0.05 + 0.001 * sin($0 / 5) }) == nil)
    let late = decision(Curve.c, milestones: [50, 54, 58])
    #expect((late?.epoch ?? 0) > (narrow?.epoch ?? 0))
  }
}
