import Foundation
import Support

/// A text in three parts, as numbers of words: Penn Treebank and corpora of its form.
public struct TextCorpus: Sendable, Hashable {
  /// Words to train on.
  public var training: [Int32]
  /// Words to choose by.
  public var validation: [Int32]
  /// Words to test on.
  public var test: [Int32]
  /// Different words.
  public var vocabulary: Int

  /// Creates a corpus from its parts.
  public init(training: [Int32], validation: [Int32], test: [Int32], vocabulary: Int) {
    self.training = training
    self.validation = validation
    self.test = test
    self.vocabulary = vocabulary
  }

  /// Reads a folder: `ptb.train.txt`, `ptb.valid.txt` and `ptb.test.txt`, or the same without `ptb.`.
  ///
  /// A sentence a line, its words between spaces; each line ends in a word of its own, `<eos>`. Words are numbered as they come, over the three
  /// files in this order.
  ///
  /// - Throws: `FileFailure`: `missing`, or `badData` for what is no text.
  public init(folder: String) throws {
    func file(_ name: String) -> String { (folder as NSString).appendingPathComponent(name) }
    let prefix = FileManager.default.fileExists(atPath: file("ptb.train.txt")) ? "ptb." : ""
    guard FileManager.default.fileExists(atPath: file(prefix + "train.txt")) else {
      throw FileFailure(
        .missing, path: folder, reason: "there is neither ptb.train.txt nor train.txt in this folder")
    }
    var numbers: [Substring: Int32] = [:]
    func words(_ part: String) throws -> [Int32] {
      let path = file("\(prefix)\(part).txt")
      guard let data = FileManager.default.contents(atPath: path) else {
        throw FileFailure(.missing, path: path, reason: "there is no such file")
      }
      guard let text = String(validating: data, as: UTF8.self) else {
        throw FileFailure(.badData, path: path, reason: "it is no text in UTF-8")
      }
      var result: [Int32] = []
      func add(_ word: Substring) {
        let next = Int32(numbers.count)
        let number = numbers[word] ?? next
        if number == next { numbers[word] = next }
        result.append(number)
      }
      var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      if lines.last?.isEmpty == true { lines.removeLast() }
      for line in lines {
        for word in line.split(whereSeparator: \.isWhitespace) { add(word) }
        add("<eos>")
      }
      guard result.count >= 100 else {
        throw FileFailure(.badData, path: path, reason: "it has \(result.count) words; 100 at least are needed")
      }
      return result
    }
    training = try words("train")
    validation = try words("valid")
    test = try words("test")
    vocabulary = numbers.count
  }

  /// The same corpus with the first part of its words to train on.
  public func keeping(_ part: Double) -> TextCorpus {
    var result = self
    result.training = Array(training.prefix(max(100, Int((part * Double(training.count)).rounded()))))
    return result
  }

  /// A number that changes with anything in the corpus; equal corpora have equal ones on every machine.
  public var fingerprint: String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a, over whole numbers
    for part in [training, validation, test, [Int32(vocabulary)]] {
      for word in part { hash = (hash ^ UInt64(UInt32(bitPattern: word))) &* 0x100_0000_01b3 }
      hash = (hash ^ 0xffff) &* 0x100_0000_01b3
    }
    return String(hash, radix: 16)
  }

  /// A text in which each word is followed by one of four: for tests and trials without data.
  public static func planted(words: Int = 12_000, vocabulary: Int = 60, seed: Int = 0) -> TextCorpus {
    var generator = SeededGenerator(seed: seed, .plantedText)
    let successors = (0..<vocabulary).map { _ in (0..<4).map { _ in Int32(generator.nextInt(below: vocabulary)) } }
    var word: Int32 = 0
    let all = (0..<words).map { _ in
      // Half of the time the first, so that there is something to learn beside the set.
      let choice = generator.nextUnit() < 0.5 ? 0 : generator.nextInt(below: 4)
      word = successors[Int(word)][choice]
      return word
    }
    let (a, b) = (words * 8 / 10, words * 9 / 10)
    return TextCorpus(
      training: Array(all[..<a]), validation: Array(all[a..<b]), test: Array(all[b...]), vocabulary: vocabulary)
  }
}
