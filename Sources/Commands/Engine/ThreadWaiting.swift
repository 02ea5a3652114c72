/// How the threads inside one operation wait for each other.
///
/// LibTorch's OpenMP runtime (libgomp) reads this once, when it is loaded.
enum ThreadWaiting {
  /// Chooses a way of waiting unless the user has.
  static func prepare(_ environment: inout [String: String]) {
    guard environment["OMP_WAIT_POLICY"] == nil, environment["GOMP_SPINCOUNT"] == nil else { return }
  }
}
