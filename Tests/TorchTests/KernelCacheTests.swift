import Testing
import Torch

#if canImport(Glibc)
  import Glibc
#endif

@Suite struct KernelCacheTests {
  @Test("A process that is prepared lets oneDNN keep more kernels than it does by itself, and a user's number stays")
  func capacity() throws {
    let own = getenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY").map { String(cString: $0) }
    try Torch.prepare(.cpu)
    let said = try #require(getenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY").map { String(cString: $0) })
    #expect(said == own ?? "16384")
    setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "2000", 1)
    try Torch.prepare(.cpu)
    #expect(getenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY").map { String(cString: $0) } == "2000")
    setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", said, 1)
  }
}
