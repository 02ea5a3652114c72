import Foundation
import Testing
import Torch

@Suite struct KernelCacheTests {
  @Test("A process lets oneDNN keep more kernels than it does by itself")
  func capacity() throws {
    _ = try Tensor.zeros([1])
    let environment = ProcessInfo.processInfo.environment
    let said = environment["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] ?? environment["DNNL_PRIMITIVE_CACHE_CAPACITY"]
    #expect(try #require(said.flatMap { Int($0) }) != 1024)
  }
}
