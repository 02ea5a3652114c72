import Diagnosis
import Testing

@Suite struct TwoChannelLoopTests {
  @Test("The channel ahead has the larger gradients, balances stay, and the difference grows at a ratio that stays")
  func loop() throws {
    let loop = TwoChannelLoop()
    let (first, last) = (try #require(loop.samples.first), try #require(loop.samples.last))
    #expect(loop.samples.count == 1501 && loop.agreement == 1)
    #expect(last.loss < 0.001 * first.loss)
    for sample in loop.samples {
      #expect(sample.balances.allSatisfy { abs($0) < 1e-3 }, "step \(sample.step)")
      #expect(sample.incoming[0] > sample.incoming[1] && sample.outgoing[0] > sample.outgoing[1])
    }
    func products(_ sample: TwoChannelLoop.Sample) -> [Double] { zip(sample.incoming, sample.outgoing).map { $0 * $1 } }
    let (before, after) = (products(first), products(last))
    #expect(after[0] - after[1] > 10 * (before[0] - before[1]))
    #expect(abs(after[0] / after[1] - before[0] / before[1]) < 0.05)
    #expect(TwoChannelLoop() == loop && TwoChannelLoop(seed: 1) != loop)
  }

  @Test("Drawn curves are what they stand for, with the stages of the specification")
  func stages() {
    #expect(StageCurve.wideEnough.finding.pattern == .increaseToSaturate)
    #expect(StageCurve.wideEnough.finding.stage1End == 7 && StageCurve.wideEnough.finding.stage2End == 55)
    #expect(StageCurve.tooNarrow.finding.pattern == .decreaseToSaturate)
    #expect(StageCurve.wideEnough.values == Curve.a)
    #expect(zip(StageCurve.tooNarrow.values, Curve.c).allSatisfy { abs($0 - $1) < 1e-12 })
  }
}
