import Networks

extension Padding {
  /// By the format's order of sides: above, left, below and right.
  init(onnx sides: [Int], isReflected: Bool = false) {
    self.init(top: sides[0], bottom: sides[2], left: sides[1], right: sides[3], isReflected: isReflected)
  }
}
