#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

func power(_ base: Double, _ exponent: Double) -> Double { exponent == 1 ? base : pow(base, exponent) }
