import Foundation
import Networks
import Records
import Support
import Testing
import Transfer

@testable import Experiments

/// A machine whose time is known: a call, and for each layer that computes a constant, its MACs and what it reads and writes.
private struct KnownClock: LatencyClock {
  let runtime = "known 1.0"
  let threads = 1

  func seconds(of network: ResolvedNetwork) throws -> Double {
    network.layers.reduce(20e-6) { time, layer in
      let numbers = Double(layer.inputs[0].channels + layer.output.channels)
      let places = Double(layer.output.height * layer.output.width)
      switch layer.layer.operation {
      // Squeeze-excite bottlenecks are rounded down, so that what reads and writes them is not bilinear in widths.
      case .convolution, .linear: return time + 3e-6 + 1e-10 * Double(layer.cost.macs) + 2e-9 * numbers * places
      case .add, .multiply, .concatenate, .maxPool, .averagePool, .adaptiveAveragePool, .globalAveragePool, .other:
        return time + 1e-6 + 1e-9 * Double(layer.output.channels) * places
      case .batchNorm, .activation, .flatten, .dropout, .stochasticDepth: return time
      }
    }
  }

  func seconds(ofStep network: ResolvedNetwork) throws -> Double { try seconds(of: network) }
}

@Suite struct LatencyMeasurementTests {
  private func table(_ name: String, checks: Int = 6) throws -> (ResolvedNetwork, LatencyTable) {
    let network = try NetworkZoo.resolved(named: name, classes: 10)
    return (network, try LatencyMeasurement(network, checks: checks).table(by: KnownClock(), device: "known"))
  }

  @Test(
    "Times that are known are predicted at any widths",
    arguments: ["resnet20", "mobilenet_v2_cifar", "efficientnet_b0", "vgg11_bn", "resnet50_cifar"])
  func predicts(name: String) throws {
    let (network, table) = try table(name)
    let check = try #require(table.check)
    #expect(check.networks == 6 && check.pairs.count == 6)
    #expect(check.largestError < 1e-3, "\(check)")
    #expect(abs(table.calibration.factor - 1) < 1e-3)
    let own = try KnownClock().seconds(of: network)
    #expect(abs(table.seconds(of: network) - own) < 1e-3 * own)
    let layers = table.secondsByLayer(of: network).values.reduce(0, +)
    #expect(abs(layers - table.seconds(of: network)) < 1e-6)
    try table.requireForms(of: network)
  }

  @Test("A table is what its file says")
  func file() throws {
    let (network, table) = try table("resnet20", checks: 0)
    let data = try JSONFile.encoder().encode(table)
    let read = try JSONDecoder().decode(LatencyTable.self, from: data)
    #expect(read == table && read.identity == table.identity && read.check == nil)
    var other = table
    other.calibration.factor *= 1.01
    #expect(other.identity != table.identity)
    #expect(CostModel.latency(other) != CostModel.latency(table))
    #expect(CostModel.latency(read) == CostModel.latency(table))
    var text = String(decoding: data, as: UTF8.self)
    text = text.replacingOccurrences(of: "\"kind\" : \"add\"", with: "\"kind\" : \"ad\"")
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(LatencyTable.self, from: Data(text.utf8)) }
    #expect(network.name == read.network)
  }

  @Test("Another network's table is refused, with the layer that it lacks")
  func otherNetwork() throws {
    let (network, table) = try table("resnet20", checks: 0)
    for (other, reason) in [
      (try network.at(resolution: 28), "conv1"),
      (try NetworkZoo.resolved(named: "resnet20", classes: 10, inputChannels: 1), "images of 1 channel"),
      (try NetworkZoo.resolved(named: "resnet20", classes: 100), "10 output channels, not 100"),
      (try NetworkZoo.resolved(named: "mobilenet_v2_cifar", classes: 10), "needs"),
    ] {
      let failure = #expect(throws: UsageFailure.self) { try table.requireForms(of: other) }
      #expect(failure?.message.contains(reason) == true, "\(failure?.message ?? "")")
    }
  }

  @Test("A budget in time is met by widths, and a projected network has its part of it")
  func budget() throws {
    let (network, table) = try table("resnet20", checks: 0)
    let model = CostModel.latency(table)
    let own = table.seconds(of: network)
    let budget = try Budget(parsing: "0.6x", in: model, of: network)
    #expect(abs(Double(budget.amount) / 1e9 - 0.6 * own) < 1e-8)
    #expect(try Budget(parsing: "1.5ms", in: model, of: network).amount == 1_500_000)
    #expect(try Budget(parsing: "800us", in: model, of: network).amount == 800_000)
    for wrong in ["5", "5M", "-1ms", "ms", "0x", "5 minutes"] {
      let failure = #expect(throws: UsageFailure.self) { try Budget(parsing: wrong, in: model, of: network) }
      #expect(failure?.message.contains("5ms, 800us") == true)
    }
    let match = try network.matching(budget.amount, in: model, divisor: 2)
    #expect(abs(match.relativeError) < 0.01)
    let file = try WidthsFile(match, target: network, source: network, projection: Projection(), algorithm: "uniform")
    #expect(file.targetLatency == Double(budget.amount) / 1e9)
    #expect(abs((file.latency ?? 0) - table.seconds(of: match.resolved)) < 1e-9)
    #expect(file.targetMacs == nil && file.targetParameters == nil)
    // Of a budget of MACs the time is told too, when there is a table.
    let uniform = try network.matching(network.cost.macs / 2, in: .macs, divisor: 2)
    func told(_ timing: LatencyTable?) throws -> WidthsFile {
      try WidthsFile(
        uniform, target: network, source: network, projection: Projection(), algorithm: "uniform", timing: timing)
    }
    #expect(try told(table).latency == table.seconds(of: uniform.resolved) && told(table).targetLatency == nil)
    #expect(try told(nil).latency == nil)
    // Of half the resolution, the parts that grow with the positions are a quarter.
    let small = try network.at(resolution: 16)
    let part = Double(model.count(small)) / Double(model.count(network))
    #expect(part > 0.2 && part < 0.6, "\(part)")
  }

  @Test("The relaxed cost of time has its slope, and is scaled to a target")
  func relaxed() throws {
    let (network, table) = try table("mobilenet_v2_cifar", checks: 0)
    let cost = RelaxedCost(network, .latency(table))
    let widths = network.widthGroups.map { Double($0.width) * 0.7 }
    let gradient = cost.gradient(widths)
    for index in widths.indices {
      var (more, less) = (widths, widths)
      more[index] += 0.01
      less[index] -= 0.01
      let slope = (cost.evaluate(more) - cost.evaluate(less)) / 0.02
      #expect(abs(slope - gradient[index]) <= 1e-5 * max(1, abs(slope)))
    }
    let target = 0.7 * cost.evaluate(widths)
    let scale = try #require(cost.scale(matching: target, widths: widths))
    #expect(abs(cost.evaluate(widths.map { scale * $0 }) - target) < 1e-6 * target)
    #expect(cost.scale(matching: 1, widths: widths) == nil)
  }

  @Test("Points are where searches end, multiples of what the layers need")
  func points() throws {
    let network = try NetworkZoo.resolved(named: "resnet20", classes: 10)
    let plans = LatencyMeasurement(network, divisor: 4).plans
    #expect(plans.count == Set(network.latencySteps.map(\.form)).count)
    // The first convolution of each block of the first stage is of the stem's form.
    let stem = plans[0]
    #expect(stem.inputs == [3, 4, 8, 12, 16, 24, 32] && stem.outputs == [4, 8, 12, 16, 24, 32])
    let head = try #require(plans.last)
    #expect(head.outputs == [10] && head.inputs == [8, 16, 32, 48, 64, 96, 128])
  }
}
