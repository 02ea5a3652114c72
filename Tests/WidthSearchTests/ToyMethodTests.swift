import ImageFiles
import Methods
import Networks
import Records
import Support
import Testing

@testable import WidthSearch

/// Widths in proportion to how deep a group lies: a method that this package does not know.
private struct Funnel: WidthSearching {
  struct Settings: SearchSettings {
    var slope = 1.0
    init() {}
    func validate() throws { try require(slope > 0, "slope is \(slope), it must be positive", of: Funnel.name) }
  }

  var settings: Settings
  init(_ settings: Settings = .init()) { self.settings = settings }
  static let name = "funnel"
  var servesSeveralBudgets: Bool { true }
  var reachesAnyBudget: Bool { true }
  func searchRecipe(from recipe: Recipe) -> Recipe { recipe }
  func validate(_ network: ResolvedNetwork, recipe: Recipe) throws { try settings.validate() }
  func widestNetwork(for network: ResolvedNetwork, divisor: Int) throws -> ResolvedNetwork { network }
  func search(_ context: SearchContext) throws -> [SearchResult] {
    let groups = context.network.widthGroups
    let channels = Dictionary(
      uniqueKeysWithValues: groups.enumerated().map { ($1.id, Double($1.width) * (1 + settings.slope * Double($0))) })
    return context.targets.map {
      SearchResult(
        target: $0, channels: channels, macs: RelaxedCost(context.network).evaluate(channels), history: [],
        cost: SearchCost(), warnings: [])
    }
  }
}

/// A search method is added by one file: this one.
@Suite struct ToyMethodTests {
  @Test("A job carries it out, keeps its result, and knows it again by its settings")
  func method() throws {
    let folder = try TemporaryFolder()
    var search = ToySearch()
    search.optimizer = Funnel(try Funnel.Settings().with(["slope": "0.5"]))
    let result = try search.run()
    #expect(result.channels["stem"] == 8 && result.channels["inner"] == 18)
    #expect(Funnel.Settings.names == ["slope"])
    #expect(throws: UsageFailure.self) { try Funnel.Settings().with(["slope": "-1"]) }
    let job = try toyJob(Funnel(try Funnel.Settings().with(["slope": "0.5"])))
    let run = RunFolder(path: folder.path + "/run")
    let first = try job.run(in: run)
    #expect(try job.run(in: run) == first && first[0].channels == result.channels)
    #expect(try toyJob(Funnel()).identity.text != job.identity.text)
    #expect(throws: UsageFailure.self) { try toyJob(Funnel()).run(in: run) }
  }

  private let dataset = Dataset(
    name: "toy", training: toyImages, heldOut: toyImages, resolution: 8, normalization: .grey)

  private func toyJob(_ optimizer: any WidthSearching) throws -> SearchJob {
    SearchJob(
      network: try toyNetwork().resolved(), dataset: dataset, optimizer: optimizer,
      targets: [try toyNetwork().cost().macs], recipe: ToySearch().recipe, divisor: 1)
  }

  @Test("Every method that is described can be carried out")
  func known() throws {
    for name in WidthOptimizers.names { #expect(try WidthOptimizers.named(name).searching().name == name) }
  }
}
