import ArgumentParser
import Support

/// How several processes, on one machine or many, divide a plan in one folder.
package struct SharingOptions: ParsableArguments {
  package init() {}

  @Flag(
    help:
      "Other processes, on this machine or on others that see the folder, carry out the same command; each job is done by one of them."
  )
  package var shared = false

  @Option(help: "Do the third of sixteen parts only: 3/16. Others do the rest, at the same time or later.")
  package var shard: String?

  @Flag(help: "Only sum up what has been done, and say what is missing.")
  package var gather = false

  package func validate() throws {
    if let shard, Self.parsed(shard) == nil {
      throw ValidationError("--shard \(shard): expected a number of how many, such as 3/16")
    }
    if gather, shared || shard != nil {
      throw ValidationError("--gather does no jobs, so that there is nothing to share")
    }
  }

  /// Whether others are at work in the folder.
  package var isShared: Bool { shared || shard != nil || gather }

  /// Those of so many parts that are this process's: every sixteenth, beginning with the third.
  package func share<Part>(of parts: [Part]) -> [Part] {
    guard let shard = shard.flatMap(Self.parsed) else { return parts }
    return stride(from: shard.number - 1, to: parts.count, by: shard.count).map { parts[$0] }
  }

  /// The number, from 1, and of how many.
  static func parsed(_ text: String) -> (number: Int, count: Int)? {
    let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    guard numbers.count == 2, numbers[0] >= 1, numbers[1] <= 100_000, numbers[0] <= numbers[1] else { return nil }
    return (numbers[0], numbers[1])
  }
}
