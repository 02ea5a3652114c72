import Foundation
import ImageFiles
import Loading
import Networks
import Testing
import Torch
import Training

@testable import WidthSearch

/// Whether searches find what was planted. How large the effects are, over many seeds: docs/results/planted-task.md.
@Suite struct PlantedTaskTests {
  static let fields = (PlantedTask.Plant.evenRows, PlantedTask.Plant.oddRows)
  static let costs = (PlantedTask.Plant.cheapFirst, PlantedTask.Plant.cheapSecond)

  @Test("A branch sees its own rows alone", arguments: [0, 1])
  func blindness(branch: Int) throws {
    let task = PlantedTask(plant: .evenRows, seed: 0)
    let loader = try BatchLoader(
      source: task.images, indices: Array(0..<8), batchSize: 8, resolution: 16, normalization: .grey)
    let images = try #require(try loader.epoch(0).next()).images
    let model = try Model(task.network([PlantedTask.branches[branch]]), seed: 0)
    func logits(withoutRows parity: Int?) throws -> [Float] {
      let rows: [Float] = (0..<16).map { parity == $0 % 2 ? 0 : 1 }
      let mask = try Tensor(rows).reshaped([1, 1, 16, 1])
      return try withoutGradients { try model.forward(images * mask, .init(.batch)).array() }
    }
    #expect(try logits(withoutRows: 1 - branch) == logits(withoutRows: nil))
    #expect(try logits(withoutRows: branch) != logits(withoutRows: nil))
  }

  @Test("The dear branch costs four times what the cheap one does")
  func price() throws {
    let task = PlantedTask(plant: .cheapFirst, seed: 0)
    let classifier = 8 * 8
    let prices = try PlantedTask.branches.map { try task.network([$0]).cost().macs - classifier }
    #expect(prices[1] == 4 * prices[0])
  }

  @Test("Channels go to the branch whose rows decide the class", arguments: PlantedMethod.all)
  func fields(method: PlantedMethod) throws {
    let effect = try PlantedTask.effect(Self.fields, method, seed: 0)
    #expect(effect > method.fieldEffect, "the branch is \(effect) doublings wider than the other one")
  }

  @Test(
    "Channels go to the branch that does the same for a quarter of the cost",
    arguments: PlantedMethod.all.filter { $0.costEffect != nil })
  func costs(method: PlantedMethod) throws {
    let effect = try PlantedTask.effect(Self.costs, method, seed: 0)
    #expect(effect > method.costEffect ?? 0, "the branch is \(effect) doublings wider than the other one")
  }

  // MARK: - The table

  static let seeds = ProcessInfo.processInfo.environment["PLANTED_SEEDS"].flatMap(Int.init)

  @Test("The effects over several seeds, when scripts/planted-task asks for them", .enabled(if: seeds != nil))
  func table() throws {
    let seeds = 0..<(try #require(Self.seeds))
    func say(_ cells: [String]) {
      print("planted: | \(cells.joined(separator: " | ")) |")
      fflush(nil)
    }
    func number(_ value: Double) -> String { String(format: "%.2f", value) }
    func spread(_ values: [Double]) -> String {
      let mean = values.reduce(0, +) / Double(values.count)
      let squares = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
      return number(mean) + " ± " + number((squares / Double(max(1, values.count - 1))).squareRoot())
    }
    func advantages(_ plant: PlantedTask.Plant, _ method: PlantedMethod) throws -> [Double] {
      try seeds.map { try PlantedTask(plant: plant, seed: $0).advantage(method) }
    }
    say(["method", "plant", "advantage", "in the mirror image", "effect", "smallest", "asserted", "seconds a search"])
    say(["---", "---", "---:", "---:", "---:", "---:", "---:", "---:"])
    for (name, plants) in [("rows", Self.fields), ("cost", Self.costs)] {
      for method in PlantedMethod.all {
        let start = Date()
        let first = try advantages(plants.0, method)
        let second = try advantages(plants.1, method)
        let seconds = Date().timeIntervalSince(start) / Double(2 * seeds.count)
        let effects = zip(first, second).map { ($0 + $1) / 2 }
        let asserted = name == "rows" ? method.fieldEffect : method.costEffect
        say([
          "\(method.name)\(method.variant)", name, spread(first), spread(second), spread(effects),
          number(effects.min() ?? 0),
          asserted.map { "> \($0)" } ?? "", String(format: "%.1f", seconds),
        ])
      }
    }
    for method in PlantedMethod.all {
      say(["\(method.name)\(method.variant)", "nothing", spread(try advantages(.nothing, method)), "", "", "", "", ""])
    }
  }
}
