import ArgumentParser
import Commands
import Methods
import Networks
import Testing
import Transfer

@Suite struct ExperimentGridTests {
  @Test("Every grid of every scale is a comparison whose network and projections exist", arguments: GridScale.allCases)
  func grids(_ scale: GridScale) throws {
    #expect(Set(ExperimentGrid.all.map(\.name)).count == ExperimentGrid.all.count)
    // Figures share networks and projections; each is made once.
    let vocabulary = try Vocabulary()
    var (targets, costs): ([String: ResolvedNetwork], [String: Int]) = ([:], [:])
    for grid in ExperimentGrid.all where grid.yaml(scale) != nil {
      let words = ["experiment", grid.name, "--scale", scale.rawValue, "--output", "x", "--dataset", "data"]
      let arguments = try GridArguments.expand(words, vocabulary)
      #expect(arguments.first == "compare")
      let command = try #require(try WidthTransferCommand.parseAsRoot(arguments) as? CompareCommand, "\(grid.name)")
      #expect(command.data.dataset == "data" && command.output.output == "x")
      // The sides of images of the data sets that the scales are made for.
      let side = scale == .imagenet ? 224 : scale == .cifar ? 32 : 28
      let request = try command.network.request
      let known = "\(request) at \(command.network.resolution ?? side)"
      let target =
        try targets[known]
        ?? request.build(
          classes: 10, inputChannels: scale == .smoke ? 1 : 3, resolution: command.network.resolution ?? side)
      targets[known] = target
      let projections = try command.transfer.projections()
      #expect(!projections.isEmpty)
      var last = target.cost.macs
      for projection in projections {
        let cost =
          try costs["\(known) \(projection)"]
          ?? projection.applied(
            to: target, divisor: command.network.divisor
          ).cost.macs
        costs["\(known) \(projection)"] = cost
        #expect(cost <= last, "\(grid.name): \(projection)")
        last = cost
        #expect(projection.resolution ?? 1 <= target.input.height)
      }
      _ = try command.recipe.build()
      // What `experiment list` says, counted from the flags.
      let requests = try command.names.map(MethodRequest.init(parsing:)).filter { $0.name != "uniform" }
      let projected = requests.count { $0.place != .direct } * projections.count
      let stackings = max(1, command.transfer.stackings.count)
      let counts = try #require(grid.counts(scale))
      #expect(counts.searches == command.seeds * (requests.count + projected))
      #expect(counts.trainings == command.seeds * (1 + requests.count + projected * stackings))
      for request in requests { _ = try WidthOptimizers.named(request.name, settings: request.settings) }
    }
  }

  @Test(
    "Each saving of the paper stands in its grid",
    arguments: [
      ("figure-4a", [33, 67, 83, 92, 97]), ("figure-4b", [33, 67, 83, 92, 97]), ("figure-4c", [25, 50, 75]),
      ("figure-7a", [51, 75, 96]), ("figure-7c", [50, 80, 90, 95]), ("figure-8a", [94, 100, 100]),
    ])
  func savings(name: String, expected: [Int]) throws {
    let arguments = try GridArguments.expand(
      ["experiment", name, "--scale", "imagenet", "--output", "x", "--dataset", "data"], Vocabulary())
    let command = try #require(try WidthTransferCommand.parseAsRoot(arguments) as? CompareCommand)
    let side = command.network.resolution ?? 224
    let ratios = try command.transfer.projections().map { $0.nominalReduction(resolution: side) }
    #expect(ratios.map { Int((100 * Overhead.saving($0)).rounded()) } == expected)
    if name == "figure-8a" {
      #expect(ratios.map { ($0 / 10).rounded() * 10 } == [20, 320, 20530])
      let target = try command.network.request.build(classes: 1000, inputChannels: 3, resolution: side)
      let counted = try command.transfer.projections().map { try Overhead(of: $0, target: target).counted }
      // The paper's 298 of 320; a factor of 0.2207 for 0.312 / 1.414 = 0.22065.
      #expect(counted.map { $0.rounded() } == [16, 298, 15387])
    }
  }

  @Test("Figure 9 has network slimming at two widths and three lengths beside DMCP, whose search is 40 epochs long")
  func slimming() throws {
    let arguments = try GridArguments.expand(
      ["experiment", "figure-9", "--scale", "imagenet", "--output", "x", "--dataset", "data"], Vocabulary())
    let command = try #require(try WidthTransferCommand.parseAsRoot(arguments) as? CompareCommand)
    let recipe = try command.recipe.build()
    let requests = try command.names.map(MethodRequest.init(parsing:))
    let lengths = try requests.map { request in
      let method = try WidthOptimizers.named(request.name, settings: request.settings)
      return try request.searchRecipe(for: method, from: recipe).epochs
    }
    #expect(requests.map(\.name) == ["uniform"] + Array(repeating: "network-slimming", count: 6) + ["dmcp"])
    #expect(lengths.dropFirst() == [10, 30, 100, 10, 30, 100, 40])
    func names(_ name: String, _ more: String...) throws -> [String] {
      let words = ["experiment", name, "--scale", "imagenet", "--output", "x", "--dataset", "data"] + more
      return try #require(
        try WidthTransferCommand.parseAsRoot(GridArguments.expand(words, Vocabulary())) as? CompareCommand
      ).names
    }
    #expect(try names("figure-4b") == ["uniform", "dmcp:epochs=16%", "morphnet", "autoslim:epochs=20%"])
    // What is typed wins.
    #expect(try names("figure-4b", "--search-epochs", "2") == ["uniform", "dmcp", "morphnet", "autoslim"])
    // Over a file of one's own, too, be its methods a list or one.
    for algorithm in ["dmcp:epochs=40", "[dmcp:epochs=40]"] {
      let place = try Workplace()
      try place.write("network: resnet20\nalgorithm: \(algorithm)\n", to: "mine.yaml")
      let words = ["experiment", place.file("mine.yaml"), "--output", "x", "--dataset", "data", "--search-epochs", "2"]
      let command = try WidthTransferCommand.parseAsRoot(GridArguments.expand(words, Vocabulary()))
      #expect((command as? CompareCommand)?.names == ["dmcp"])
    }
    #expect(
      try names("figure-9", "--search-epochs=2") == [
        "uniform", "network-slimming:width=1.414,direct", "network-slimming:width=2,direct", "dmcp",
      ])
  }

  @Test("Another optimizer than the recipe's has a learning rate of its own")
  func optimizers() throws {
    func rate(_ more: String...) throws -> Double {
      let command = try WidthTransferCommand.parseAsRoot(
        ["train", "--network", "resnet20", "--dataset", "data", "--output", "x", "--recipe", "small"] + more)
      return try #require(command as? TrainCommand).recipe.build().learningRate
    }
    #expect(try rate() == 0.1 && rate("--optimizer", "sgd") == 0.1)
    #expect(try rate("--optimizer", "adamw") == 0.001)
    #expect(try rate("--optimizer", "adam", "--learning-rate", "0.02") == 0.02)
  }

  @Test("What is typed wins, and other experiments stay as they are")
  func typed() throws {
    let arguments = try GridArguments.expand(
      ["experiment", "figure-4a", "--epochs", "7", "--project", "width=0.3", "--scale=cifar", "--output", "x"],
      Vocabulary())
    let command = try #require(try WidthTransferCommand.parseAsRoot(arguments) as? CompareCommand)
    #expect(command.recipe.epochs == 7 && command.transfer.project == ["width=0.3"])
    #expect(command.data.dataset == "cifar10" && command.names == ["uniform", "dmcp", "morphnet", "autoslim"])
    let other = ["experiment", "matthew-1", "--output", "x"]
    #expect(try GridArguments.expand(other, Vocabulary()) == other)
    #expect(try GridArguments.expand(["train"], Vocabulary()) == ["train"])
    // The name stands where one likes, and a flag's value is no name.
    let late = try GridArguments.expand(
      ["experiment", "--quiet", "--output", "figure-4b", "--scale", "cifar", "figure-4a"], Vocabulary())
    #expect(try (WidthTransferCommand.parseAsRoot(late) as? CompareCommand)?.data.dataset == "cifar10")
    #expect(try (WidthTransferCommand.parseAsRoot(late) as? CompareCommand)?.output.output == "figure-4b")
    let list = ["experiment", "--json", "list"]
    #expect(try GridArguments.expand(list, Vocabulary()) == list)
  }

  @Test(
    "A grid in a file has the flags of compare alone",
    arguments: ["weights: nothere.json", "layer: 5", "scale: imagenet"])
  func foreign(line: String) throws {
    let place = try Workplace()
    try place.write("network: resnet20\n\(line)\n", to: "grid.yaml")
    let words = ["experiment", "grid.yaml", "--dataset", "data", "--output", "out"]
    try place.run(words).expect(
      65, "grid.yaml", String(line.prefix { $0 != ":" }), "compare has no flag", "nearest are")
    #expect(!place.has("out"))
  }
}
