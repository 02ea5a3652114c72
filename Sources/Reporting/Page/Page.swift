import Networks

/// A report as plain values, before it becomes HTML. All text in it is unescaped; the template escapes it.
struct Page: Sendable {
  var title: String
  var subtitle: String
  var sections: [Section] = []

  /// All charts, in the order of the page.
  var charts: [Chart] {
    sections.flatMap { section in
      section.blocks.flatMap { block -> [Chart] in
        if case .figures(let charts) = block { charts } else { [] }
      }
    }
  }

  struct Section: Sendable {
    var id: String
    var heading: String
    var blocks: [Block]
  }

  enum Block: Sendable {
    /// A paragraph.
    case paragraph(String)
    /// The sentence that matters most.
    case headline(String)
    /// A few big numbers.
    case tiles([Tile])
    /// A table in sight.
    case table(Table)
    /// A table behind a line to click on.
    case details(Table)
    /// Charts side by side where there is room.
    case figures([Chart])
    /// Names and values.
    case facts([Fact])
    /// Text as it stands.
    case code(String)
    /// Text as it stands behind a line to click on.
    case source(title: String, text: String)
    /// Remarks.
    case notes([String])
  }

  struct Tile: Sendable {
    enum Tone: String, Sendable { case plain, good, bad }
    var label: String
    var value: String
    var detail: String
    var tone: Tone = .plain
  }

  struct Fact: Sendable {
    var name: String
    var value: String
  }

  struct Table: Sendable {
    enum Alignment: Sendable { case text, number }
    var caption: String
    var columns: [(title: String, alignment: Alignment)]
    var rows: [[String]]
  }
}
