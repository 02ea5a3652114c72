import Testing

@testable import Support

@Suite struct StudentTTests {
  /// Values of printed tables, two-sided.
  @Test(
    arguments: [
      (0.95, 1, 12.7062), (0.95, 2, 4.3027), (0.95, 4, 2.7764), (0.95, 7, 2.3646), (0.95, 9, 2.2622),
      (0.95, 30, 2.0423),
      (0.95, 1000, 1.9623), (0.99, 4, 4.6041), (0.5, 3, 0.7649), (0, 5, 0),
    ] as [(Double, Int, Double)])
  func bounds(_ part: Double, _ degrees: Int, _ expected: Double) {
    #expect(abs(StudentT.bound(part, degrees: degrees) - expected) < 6e-5)
  }

  @Test func coverageOfOneDegreeIsThatOfCauchy() {
    // 2/π · atan t
    #expect(abs(StudentT.coverage(1, degrees: 1) - 0.5) < 1e-12)
    #expect(abs(StudentT.incompleteBeta(0.3, 2, 3) - 0.3483) < 1e-12)
    #expect(StudentT.incompleteBeta(0, 2, 3) == 0 && StudentT.incompleteBeta(1, 2, 3) == 1)
  }
}
