#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// sin x.
func sine(_ x: Double) -> Double { sin(x) }
/// cos x.
func cosine(_ x: Double) -> Double { cos(x) }
