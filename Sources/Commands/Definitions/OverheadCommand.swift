import ArgumentParser
import Foundation
import Networks
import Reporting
import Support
import Transfer

package struct OverheadCommand: ParsableCommand {
  package init() {}

  package static let configuration = CommandConfiguration(
    commandName: "overhead",
    abstract: "Predicts how much less a search costs under a projection, by the paper's formula and counted.",
    discussion: """
      Example: width-transfer overhead --network resnet18 --width 1.414 --depth 2 --resolution 320 \
      --project width=0.5,depth=0.5,resolution=160,data=10%
      """)

  @OptionGroup package var network: NetworkOptions

  @Option(help: "A projection; may be given several times.")
  package var project: [String]

  @Flag(help: "Print JSON on standard output.")
  package var json = false

  @OptionGroup package var general: GeneralOptions

  package struct Report: Encodable {
    struct Point: Encodable {
      struct Factors: Encodable {
        var width: Double
        var depth: Double
        var resolution: Int
        var data: Double
      }

      var projection: Factors
      var nominal: Double
      var counted: Double
      var saving: Double
    }

    var network: String
    var points: [Point]
  }

  package func validate() throws {
    if project.isEmpty { throw ValidationError("Give at least one --project") }
  }

  package func run() throws {
    let target = try network.request.build()
    let points = try project.map { text in
      let projection = try Projection(parsing: text)
      let overhead = try Overhead(of: projection, target: target, divisor: network.divisor)
      return Report.Point(
        projection: .init(
          width: projection.width, depth: projection.depth, resolution: projection.resolution ?? target.input.height,
          data: projection.data), nominal: overhead.nominal, counted: overhead.counted, saving: overhead.saving)
    }
    if json {
      try Output.json(Report(network: target.name, points: points))
    } else {
      for (text, point) in zip(project, points) {
        try Output.text(
          "\(text): \(Format.decimal(point.nominal, 1))x nominal, \(Format.decimal(point.counted, 1))x counted, "
            + "\(Format.decimal(100 * point.saving, 1)) % saved")
      }
    }
  }
}
