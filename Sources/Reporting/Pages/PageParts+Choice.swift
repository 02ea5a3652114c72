import Records
import Support

extension PageParts {
  /// The projections that were looked at for a given time, where the tool chose among them; nothing otherwise.
  static func choice(_ choice: ProjectionChoice?) -> [Page.Block] {
    guard let choice else { return [] }
    let rows = choice.rungs.map { rung in
      [
        projection(rung.projection) + (rung.projection == choice.projection ? " (chosen)" : ""),
        Format.factor(rung.counted), Format.duration(rung.seconds),
        rung.isMeasured ? "steps timed" : "by MACs",
      ]
    }
    return [
      .paragraph(
        "The projection was chosen for a search of at most \(Format.duration(choice.budget)): the least one that fits, by steps that "
          + "were timed on this machine for \(Format.duration(choice.measuringSeconds)). What was not timed is reckoned by its "
          + "MACs from what was; large networks take less time than that."),
      .table(
        Page.Table(
          caption: "Projections that were looked at",
          columns: [
            ("Projection", .text), ("Reduction, counted", .number), ("Search", .number), ("Known from", .text),
          ],
          rows: rows)),
    ]
  }
}
