import Support

/// The rules of classes that a data set gives by number, `0` up to the largest: those of class folders, as far as they apply.
///
/// A number without a training image stays a class, because its network's outputs must keep the numbers of the files (the letters
/// of EMNIST count from 1): that is said. What a held-out split may lack and may not have more is as with folders.
enum NumberedClasses {
  /// Compares the numbers of two splits.
  ///
  /// - Parameters:
  ///   - names: what the classes are called, by number.
  ///   - training: the numbers that training images have.
  ///   - heldOut: those that held-out images have; nil when there is no such split yet.
  ///   - place: the held-out file or folder.
  /// - Returns: What to say of classes without images.
  /// - Throws: ``Support/FileFailure`` when the held-out split has a class that training lacks, or lacks one that it must have.
  static func remarks(
    names: [String], training: Set<Int>, heldOut: Set<Int>?, at place: String, options: ReadingOptions
  ) throws -> [String] {
    func named(_ numbers: some Sequence<Int>) -> [String] {
      numbers.sorted().map { names.indices.contains($0) ? names[$0] : String($0) }
    }
    let empty = named(Set(names.indices).subtracting(training))
    var remarks: [String] = []
    if !empty.isEmpty {
      remarks.append(
        "no training image of \(Format.list(empty, most: 5)): classes are numbered from 0 on, so a network has an output for "
          + "\(empty.count == 1 ? "it" : "each") that nothing trains")
    }
    guard let heldOut else { return remarks }
    let extra = named(heldOut.subtracting(training))
    guard extra.isEmpty else {
      throw FileFailure(
        .badData, path: place, reason: "has images of classes that training lacks: \(Format.list(extra, most: 5))")
    }
    let missing = named(training.subtracting(heldOut))
    guard missing.isEmpty || options.allowsMissingClasses else {
      throw FileFailure(
        .badData, path: place,
        reason:
          "lacks images of the classes \(Format.list(missing, most: 5)); `allow-missing-classes` evaluates on the others"
      )
    }
    return remarks + ImageFolder.noImages(of: missing)
  }
}
