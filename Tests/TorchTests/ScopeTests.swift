import Testing

@testable import Torch

@Suite struct ScopeTests {
  private func product() throws -> ScalarType {
    let a = try Tensor([Float](repeating: 1, count: 4)).reshaped([2, 2])
    return try a.linear(a).scalarType
  }

  @Test("Autocast scopes nest: an inner one has its own type, and the outer one goes on after it, also after an error")
  func autocast() throws {
    struct Stop: Error {}
    #expect(try product() == .float32)
    try withAutocast(.bfloat16, on: .cpu) {
      #expect(try product() == .bfloat16)
      let inner = try withAutocast(.float16, on: .cpu) { try product() }
      #expect(inner == .float16)
      #expect(try product() == .bfloat16)
      let same = try withAutocast(nil, on: .cpu) { try product() }
      #expect(same == .bfloat16)
      #expect(throws: Stop.self) { try withAutocast(.float16, on: .cpu) { throw Stop() } }
      #expect(try product() == .bfloat16)
    }
    #expect(try product() == .float32)
  }

  @Test("The LibTorch that runs says its version, which is the one of the headers as far as its interface goes")
  func version() {
    func minor(_ text: String) -> [Substring] { Array(text.split(separator: ".").prefix(2)) }
    #expect(minor(Torch.version) == minor(Torch.builtVersion), "\(Torch.version) \(Torch.builtVersion)")
    #expect(Torch.version.split(separator: ".").count >= 3)
  }
}
