/// Settings as the command line spells them.
///
/// Libraries name a setting in backquotes, as in "lower `learning-rate`"; here it is a flag, `--learning-rate`.
package enum Flags {
  private static let known = (try? Vocabulary().flags()) ?? []

  /// The text with every setting that is a flag spelled as one; other words in backquotes stay.
  package static func spell(_ text: String) -> String {
    guard text.contains("`") else { return text }
    var parts = text.split(separator: "`", omittingEmptySubsequences: false).map(String.init)
    var index = 1
    // Every second part stands between backquotes, as long as the marks come in pairs.
    while index < parts.count - 1 {
      parts[index] = known.contains(parts[index]) ? "--\(parts[index])" : "`\(parts[index])`"
      index += 2
    }
    guard parts.count.isMultiple(of: 2) else { return parts.joined() }
    let last = parts.removeLast()
    return parts.joined() + "`" + last
  }
}
