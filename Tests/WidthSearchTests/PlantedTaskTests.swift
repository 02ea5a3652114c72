import Foundation
import Runs
import Testing
import Training

@testable import WidthSearch

struct PlantedMethod {
  var name: String
  var optimizer: any WidthOptimizer
  var recipe: Recipe
}

@Suite struct PlantedTaskTests {
  @Test func tune() throws {
    let env = ProcessInfo.processInfo.environment
    func d(_ n: String, _ v: Double) -> Double { env[n].flatMap(Double.init) ?? v }
    func make(_ name: String) throws -> PlantedMethod {
      var options: [String: String] = [:]
      for p in (env["PT_" + name.replacingOccurrences(of: "-", with: "_")] ?? "").split(separator: ",") {
        let kv = p.split(separator: "="); options[String(kv[0])] = String(kv[1])
      }
      let optimizer = try WidthOptimizers.named(name, settings: options)
      var recipe = optimizer.searchRecipe(from: Recipe(batchSize: Int(d("PT_B", 64)), learningRate: d("PT_LR", 0.1), warmUpEpochs: 0.25, augmentation: .none))
      recipe.epochs = Int(d("PT_E", 4))
      return PlantedMethod(name: name, optimizer: optimizer, recipe: recipe)
    }
    for name in (env["PT_M"] ?? "morphnet,network-slimming,dmcp,autoslim").split(separator: ",") {
      let method = try make(String(name))
      for plant in PlantedTask.Plant.allCases where env["PT_P"]?.contains(plant.rawValue) ?? true {
        var all: [Double] = []
        let start = Date()
        for seed in 0..<Int(d("PT_S", 2)) {
          all.append(try PlantedTask(plant: plant, seed: seed).advantageOfFirst(method))
        }
        let mean = all.reduce(0, +) / Double(all.count)
        let sd = (all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, all.count - 1))).squareRoot()
        print("TUNE", name, plant, String(format: "mean %.2f sd %.2f s %.2f", mean, sd, Date().timeIntervalSince(start) / Double(all.count)), all.map { String(format: "%.2f", $0) })
      }
    }
  }
}
