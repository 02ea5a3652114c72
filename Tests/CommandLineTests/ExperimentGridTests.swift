import ArgumentParser
import Commands
import Networks
import Testing
import Transfer

@Suite struct ExperimentGridTests {
  @Test("Every grid of every scale is a comparison whose network and projections exist", arguments: GridScale.allCases)
  func grids(_ scale: GridScale) throws {
    #expect(Set(ExperimentGrid.all.map(\.name)).count == ExperimentGrid.all.count)
    for grid in ExperimentGrid.all where grid.yaml(scale) != nil {
      let words = ["experiment", grid.name, "--scale", scale.rawValue, "--output", "x", "--dataset", "data"]
      let arguments = try GridArguments.expand(words, Vocabulary())
      #expect(arguments.first == "compare")
      let command = try #require(try WidthTransferCommand.parseAsRoot(arguments) as? CompareCommand, "\(grid.name)")
      #expect(command.data.dataset == "data" && command.output.output == "x")
      // The sides of images of the data sets that the scales are made for.
      let side = scale == .imagenet ? 224 : scale == .cifar ? 32 : 28
      let target = try command.network.request.build(
        classes: 10, inputChannels: scale == .smoke ? 1 : 3, resolution: command.network.resolution ?? side)
      let projections = try command.transfer.projections()
      #expect(!projections.isEmpty)
      var last = target.cost.macs
      for projection in projections {
        let source = try projection.applied(to: target, divisor: command.network.divisor)
        #expect(source.cost.macs <= last, "\(grid.name): \(projection)")
        last = source.cost.macs
        #expect(projection.resolution ?? 1 <= target.input.height)
      }
      _ = try command.recipe.build()
    }
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
  }
}
