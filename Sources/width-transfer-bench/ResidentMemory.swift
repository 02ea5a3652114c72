import Foundation

/// The memory of this process that is in RAM, in MB of 10⁶ bytes.
enum ResidentMemory {
  /// The most that it ever was.
  static var peak: Double {
    var usage = rusage()
    #if os(Linux)
      // Some C libraries' own type of the first argument.
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
      return Double(usage.ru_maxrss) * 1024 / 1e6
    #else
      getrusage(RUSAGE_SELF, &usage)
      return Double(usage.ru_maxrss) / 1e6
    #endif
  }

  /// What it is; the peak where the system does not say.
  static var now: Double {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
      let pages = text.split(separator: " ").dropFirst().first.flatMap({ Double($0) })
    else { return peak }
    return pages * Double(sysconf(Int32(_SC_PAGESIZE))) / 1e6
  }
}
