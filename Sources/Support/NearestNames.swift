/// The names that most resemble a mistyped one, best first.
public func nearestNames(to name: String, in candidates: some Sequence<String>, count: Int = 3) -> [String] {
  candidates.map { (name: $0, distance: editDistance(name, $0)) }
    .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
    .prefix(count).map(\.name)
}

/// Levenshtein's distance.
private func editDistance(_ first: String, _ second: String) -> Int {
  // A hostile name may be megabytes long; its first bytes are enough to suggest another.
  let a = Array(first.lowercased().utf8.prefix(128))
  let b = Array(second.lowercased().utf8.prefix(128))
  var row = Array(0...b.count)
  for i in a.indices {
    var diagonal = row[0]
    row[0] = i + 1
    for j in b.indices {
      let substitution = diagonal + (a[i] == b[j] ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(substitution, row[j] + 1, diagonal + 1)
    }
  }
  return row[b.count]
}

/// `a, b and 12 more`, so that a message stays readable however long the list is.
public func shortList(_ names: [String], limit: Int = 6) -> String {
  guard names.count > limit else { return names.joined(separator: ", ") }
  return names.prefix(limit).joined(separator: ", ") + " and \(names.count - limit) more"
}
