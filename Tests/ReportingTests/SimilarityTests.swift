import Testing

@testable import Reporting

@Suite struct SimilarityTests {
  @Test func pearsonIsThatOfTheBook() throws {
    // Deviations (−1.5, −0.5, 0.5, 1.5) and (−1.5, 0.5, −0.5, 1.5): 4 / 5.
    #expect(abs(try #require(Similarity.pearson([1, 2, 3, 4], [1, 3, 2, 4])) - 0.8) < 1e-15)
    #expect(abs(try #require(Similarity.pearson([1, 2, 3], [30, 20, 10])) + 1) < 1e-15)
    #expect(abs(try #require(Similarity.pearson([1, 2, 3], [7, 9, 11])) - 1) < 1e-15)
  }

  @Test func cosineIsThatOfTheBook() throws {
    // 3 · 4 + 4 · 3 = 24 over 5 · 5.
    #expect(abs(try #require(Similarity.cosine([3, 4], [4, 3])) - 0.96) < 1e-15)
    #expect(try #require(Similarity.cosine([1, 0], [0, 2])) == 0)
    #expect(abs(try #require(Similarity.cosine([1e-200, 1e-200], [1e200, 1e200])) - 1) < 1e-15)
  }

  @Test func whatIsNotDefinedIsNil() {
    #expect(Similarity.pearson([0.1, 0.1, 0.1], [1, 2, 3]) == nil)
    #expect(Similarity.pearson([1], [1]) == nil)
    #expect(Similarity.pearson([], []) == nil)
    #expect(Similarity.pearson([1, 2], [1, 2, 3]) == nil)
    #expect(Similarity.pearson([1, .nan], [1, 2]) == nil)
    #expect(Similarity.cosine([0, 0], [1, 2]) == nil)
    #expect(Similarity.cosine([1, .infinity], [1, 2]) == nil)
  }
}
